"""Whose is that instance? EC2 is asked once for all who ask at about the same time.

EventBridge rules cannot select by tag, so a queue gets the events of every instance of an account, and most are
strangers. A storm of them must not become a storm of DescribeInstances: questions are collected for a moment, and an
instance that was found to be a stranger is remembered for a short time. And a region that does not answer must not hold
up the messages of the others: after a failure it rests, and whoever asks meanwhile gets the same failure at once.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from seatpool.mirror.aws_clients import AwsClients
from seatpool.mirror.ec2.describe import IDS_IN_A_FILTER, Ec2Reader, Seen
from seatpool.mirror.regions import Source

COLLECT = 0.05
AT_ONCE = 8
FIRST_REST = 2.0
LONGEST_REST = 60.0
REMEMBER = 60.0
REMEMBERED = 20_000

Place = tuple[str, str]
Answers = dict[str, "asyncio.Future[Seen | None]"]


@dataclass(slots=True)
class _Rest:
    """A place that failed."""

    error: Exception
    failures: int
    until: float
    probed: bool = False
    """Somebody asks again right now; the others do not wait for the answer."""


class Enquiries:
    """Questions about single instances, answered together."""

    def __init__(
        self, reader: Ec2Reader, clients: AwsClients, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._clients = clients
        self._monotonic = monotonic
        self._waiting: dict[Place, Answers] = {}
        self._resting: dict[Place, _Rest] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def find(self, source: Source, instance_id: str) -> Seen | None:
        """The instance as EC2 sees it now, None when it sees none. Raises what the call raised."""
        waiting = self._waiting.get(source.place)
        if waiting is None:
            self._refuse_while_resting(source.place)
            waiting = self._waiting[source.place] = {}
            task = asyncio.create_task(self._ask(source))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        answer = waiting.get(instance_id)
        if answer is None:
            answer = waiting[instance_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(answer)

    def _refuse_while_resting(self, place: Place) -> None:
        rest = self._resting.get(place)
        if rest is None:
            return
        if rest.probed or self._monotonic() < rest.until:
            raise rest.error
        rest.probed = True

    async def _ask(self, source: Source) -> None:
        await asyncio.sleep(COLLECT)
        async with self._slots:
            waiting = self._waiting.pop(source.place)
            ids = list(waiting)
            for start in range(0, len(ids), IDS_IN_A_FILTER):
                part = ids[start : start + IDS_IN_A_FILTER]
                try:
                    found = await self._clients.slowly(lambda part=part: self._reader.find(source, part))  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001
                    self._failed(source.place, error, [waiting[instance_id] for instance_id in ids[start:]])
                    return
                for instance_id in part:
                    waiting[instance_id].set_result(found.get(instance_id))
        self._resting.pop(source.place, None)

    def _failed(self, place: Place, error: Exception, unanswered: "list[asyncio.Future[Seen | None]]") -> None:
        before = self._resting.get(place)
        failures = before.failures + 1 if before is not None else 1
        pause = min(LONGEST_REST, FIRST_REST * 2.0 ** min(failures - 1, 10))
        self._resting[place] = _Rest(error, failures, until=self._monotonic() + pause)
        for answer in unanswered:
            answer.set_exception(error)
            answer.exception()  # who asked may have gone; then nobody needs to be told


class Strangers:
    """Instances that were found to be no workbenches, each for a short time."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, instance_id: str) -> None:
        self._until[instance_id] = self._monotonic() + REMEMBER
        self._until.move_to_end(instance_id)
        while len(self._until) > REMEMBERED:
            self._until.popitem(last=False)

    def discard(self, instance_id: str) -> None:
        """Its tags were changed: it may be one of ours now."""
        self._until.pop(instance_id, None)

    def __contains__(self, instance_id: str) -> bool:
        until = self._until.get(instance_id)
        if until is None:
            return False
        if until <= self._monotonic():
            del self._until[instance_id]
            return False
        return True
