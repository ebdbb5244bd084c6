"""Long polls, several in flight. No error ends them: an absent, forbidden or unreachable queue may come back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from seatpool.mirror.aws_errors import AWS_ERRORS, describe_fault, reason_of
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.messages.parsed import Irrelevance
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.queue.ack import Disposal, Fate
from seatpool.mirror.queue.dead_letter_writer import Parking
from seatpool.mirror.queue.handler import Handling
from seatpool.mirror.queue.message_age import Backlog
from seatpool.mirror.queue.sqs_queue import EventQueue, Message
from seatpool.mirror.rate_limited_log import SparingLog

RECEIVES_WITHOUT_REDRIVE = 5
FEW_RECEIVES = 10
DEPTH_INTERVAL = 30.0
MAX_PAUSE = 30.0


class Receivers:
    """Receives, hands over, and lets the queue know."""

    def __init__(
        self,
        config: MirrorConfig,
        queue: EventQueue,
        handling: Handling,
        parking: Parking,
        *,
        health: HealthBoard,
        metrics: MirrorMetrics,
        log: SparingLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._queue = queue
        self._handling = handling
        self._parking = parking
        self._health = health
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._backlog = Backlog(clock)
        metrics.queue_age.set_function(self._backlog.oldest_age)

    async def run(self) -> None:
        """Until cancelled."""
        await self._patiently()(self._open)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._config.receivers):
                tasks.create_task(self._receive_for_ever())
            tasks.create_task(self._measure_depth())

    async def _open(self) -> None:
        await self._queue.open()
        redrive = self._queue.redrive
        self._health.redrive = redrive
        self._metrics.queue_redrive.set(bool(redrive))
        if redrive is False:
            self._log.warning(
                "no dead-letter queue",
                reason="NoRedrivePolicy",
                advice=f"give the queue a RedrivePolicy; bad messages go after {RECEIVES_WITHOUT_REDRIVE} receives",
            )

    async def _receive_for_ever(self) -> None:
        while True:
            messages: list[Message] = await self._patiently()(self._queue.receive)
            self._health.events(ok=True, reason="Connected", now=self._clock())
            if messages:
                self._backlog.took(messages)
                async with self._kept_hidden(messages):
                    disposals = await self._handling.handle(messages)
                await self._dispose(messages, disposals)

    async def _measure_depth(self) -> None:
        while True:
            try:
                for name, count in (await self._queue.depth()).items():
                    self._metrics.queue_depth.labels(name).set(count)
                dead = await self._parking.depth()
                if dead is not None:
                    self._metrics.dead_letters.set(dead)
            except AWS_ERRORS as error:
                self._log.warning("queue depth unknown", reason=reason_of(error), error=describe_fault(error))
            await asyncio.sleep(DEPTH_INTERVAL)

    async def _dispose(self, messages: Sequence[Message], disposals: Mapping[str, Disposal]) -> None:
        done: list[Message] = []
        hidden: list[tuple[Message, timedelta]] = []
        self._backlog.done_with(message.id for message in messages if disposals[message.id].fate is not Fate.KEEP)
        for message in messages:
            disposal = disposals[message.id]
            if disposal.fate is Fate.DELETE or await self._is_over(message, disposal):
                done.append(message)
            elif disposal.fate is not Fate.BAD:
                time = disposal.hidden_for(receives=message.receives, visibility=self._config.visibility)
                hidden.append((message, time))
            elif self._limit <= FEW_RECEIVES:
                # Again at once, until the queue has had enough of it: it is in the dead-letter queue within seconds.
                hidden.append((message, timedelta(0)))
        try:
            await self._delete(done)
            await self._queue.hide(hidden)
        except AWS_ERRORS as error:
            # All of it was handled and will only come back as a duplicate.
            self._log.warning("messages not let go", reason=reason_of(error), error=describe_fault(error))

    @property
    def _limit(self) -> int:
        return self._queue.max_receives or RECEIVES_WITHOUT_REDRIVE

    async def _is_over(self, message: Message, disposal: Disposal) -> bool:
        """Whether the message needs not come back: it is parked with its reason, or there is nothing more to see."""
        last_time = message.receives >= self._limit
        if disposal.fate is Fate.BAD:
            if await self._parking.park(message, disposal):
                return True
            if self._queue.redrive is False and last_time:
                self._log.warning("bad message deleted", reason="NoRedrivePolicy", message=message.id)
                return True
            return False
        if not last_time:
            return False
        if disposal.fate is Fate.KEEP:
            parked = await self._parking.park(message, disposal)
            if parked:
                self._backlog.done_with([message.id])
            return parked
        # Many times EC2 showed no such instance, or there was always something newer: the inventory has the last word.
        self._metrics.irrelevant.labels(Irrelevance.NO_SUCH_INSTANCE).inc()
        return True

    async def _delete(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        deleted = await self._queue.delete(messages)
        self._metrics.deleted.inc(len(deleted))
        if len(deleted) < len(messages):
            self._metrics.delete_failed.inc(len(messages) - len(deleted))
            self._log.warning("messages not deleted", reason="Failed", count=len(messages) - len(deleted))

    @asynccontextmanager
    async def _kept_hidden(self, messages: Sequence[Message]) -> AsyncIterator[None]:
        """Keep messages invisible to others for as long as they are worked on."""
        seconds = int(self._config.visibility.total_seconds())

        async def extend() -> None:
            while True:
                await asyncio.sleep(seconds / 2)
                try:
                    await self._queue.hide([(message, self._config.visibility) for message in messages])
                except AWS_ERRORS as error:
                    self._log.warning("messages not kept hidden", reason=reason_of(error), error=describe_fault(error))

        task = asyncio.create_task(extend())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _patiently(self) -> AsyncRetrying:
        def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            if isinstance(error, Exception):
                self._health.events(ok=False, reason=reason_of(error), message=describe_fault(error), now=self._clock())

        return AsyncRetrying(
            retry=retry_if_exception_type(AWS_ERRORS),
            wait=wait_exponential_jitter(multiplier=0.5, max=MAX_PAUSE, jitter=1),
            before_sleep=note,
        )
