"""Receives messages from the queue, has them handled, and acknowledges them.

Several long polls run at the same time. No error ends them, because an absent, forbidden or unreachable queue may come
back.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from seatpool.aws.errors import AWS_ERRORS, describe_error, reason_of
from seatpool.backoff import Backoff, retry_call
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.messages.parsed import IgnoreReason
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.queue.ack import Ack, AckAction
from seatpool.mirror.queue.dead_letter_writer import DeadLetterWriter
from seatpool.mirror.queue.handler import MessageHandler
from seatpool.mirror.queue.message_age import MessageAge
from seatpool.mirror.queue.sqs_queue import EventQueue, Message
from seatpool.mirror.rate_limited_log import RateLimitedLog

RECEIVES_WITHOUT_REDRIVE = 5
FEW_RECEIVES = 10
DEPTH_INTERVAL = 30.0
FIRST_PAUSE = 0.5
MAX_PAUSE = 30.0
T = TypeVar("T")


class Consumer:
    """Consumes one queue with several receivers, `config.receivers` in number."""

    def __init__(
        self,
        config: MirrorConfig,
        queue: EventQueue,
        handler: MessageHandler,
        dead_letters: DeadLetterWriter,
        *,
        health: HealthBoard,
        metrics: MirrorMetrics,
        log: RateLimitedLog,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._config = config
        self._queue = queue
        self._handler = handler
        self._dead_letters = dead_letters
        self._health = health
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._rng = rng
        self._ages = MessageAge(clock)
        metrics.queue_age.set_function(self._ages.oldest_age)

    async def run(self) -> None:
        """Consumes the queue until cancelled."""
        await self._retry(self._open)
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
            messages = await self._retry(self._queue.receive)
            self._health.set_events(ok=True, reason="Connected", now=self._clock())
            if messages:
                self._ages.received(messages)
                async with self._extended_visibility(messages):
                    acks = await self._handler.handle(messages)
                await self._acknowledge(messages, acks)

    async def _measure_depth(self) -> None:
        while True:
            try:
                for name, count in (await self._queue.depth()).items():
                    self._metrics.queue_depth.labels(name).set(count)
                dead = await self._dead_letters.depth()
                if dead is not None:
                    self._metrics.dead_letters.set(dead)
            except AWS_ERRORS as error:
                self._log.warning("queue depth unknown", reason=reason_of(error), error=describe_error(error))
            await asyncio.sleep(DEPTH_INTERVAL)

    async def _acknowledge(self, messages: Sequence[Message], acks: Mapping[str, Ack]) -> None:
        done: list[Message] = []
        hidden: list[tuple[Message, timedelta]] = []
        self._ages.acknowledged(message.id for message in messages if acks[message.id].action is not AckAction.RETRY)
        for message in messages:
            ack = acks[message.id]
            if ack.action is AckAction.DELETE or await self._must_not_come_back(message, ack):
                done.append(message)
            elif ack.action is not AckAction.DEAD_LETTER:
                time = ack.hidden_for(receives=message.receives, visibility=self._config.visibility)
                hidden.append((message, time))
            elif self._max_receives <= FEW_RECEIVES:
                # Visible at once, so that SQS reaches its limit and moves the message within seconds.
                hidden.append((message, timedelta(0)))
        try:
            await self._delete(done)
            await self._queue.hide(hidden)
        except AWS_ERRORS as error:
            # All messages were handled. They come back only as duplicates.
            self._log.warning("messages not acknowledged", reason=reason_of(error), error=describe_error(error))

    @property
    def _max_receives(self) -> int:
        return self._queue.max_receives or RECEIVES_WITHOUT_REDRIVE

    async def _must_not_come_back(self, message: Message, ack: Ack) -> bool:
        """Tells whether to delete a message: it is in the dead-letter queue, or another receive cannot help."""
        is_last = message.receives >= self._max_receives
        if ack.action is AckAction.DEAD_LETTER:
            if await self._dead_letters.write(message, ack):
                return True
            if self._queue.redrive is False and is_last:
                self._log.warning("bad message deleted", reason="NoRedrivePolicy", message=message.id)
                return True
            return False
        if not is_last:
            return False
        if ack.action is AckAction.RETRY:
            is_written = await self._dead_letters.write(message, ack)
            if is_written:
                self._ages.acknowledged([message.id])
            return is_written
        # EC2 did not show the instance many times, or there was always newer news. The inventory has the last word.
        self._metrics.irrelevant.labels(IgnoreReason.NO_SUCH_INSTANCE).inc()
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
    async def _extended_visibility(self, messages: Sequence[Message]) -> AsyncIterator[None]:
        """Keeps messages hidden from other receivers for the time of the block."""
        seconds = int(self._config.visibility.total_seconds())

        async def extend() -> None:
            while True:
                await asyncio.sleep(seconds / 2)
                try:
                    await self._queue.hide([(message, self._config.visibility) for message in messages])
                except AWS_ERRORS as error:
                    self._log.warning("visibility not extended", reason=reason_of(error), error=describe_error(error))

        task = asyncio.create_task(extend())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _retry(self, call: Callable[[], Awaitable[T]]) -> T:
        """Calls AWS until it answers, and records each failure in the health of the queue."""

        def record(error: Exception) -> None:
            self._health.set_events(ok=False, reason=reason_of(error), message=describe_error(error), now=self._clock())

        backoff = Backoff(self._rng, first=FIRST_PAUSE, longest=MAX_PAUSE)
        return await retry_call(call, errors=AWS_ERRORS, backoff=backoff, on_error=record)
