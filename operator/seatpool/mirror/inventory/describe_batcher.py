"""Asks AWS once for all machines of a kind that are looked up at about the same time.

EventBridge rules cannot select by tag. So a queue gets the events of every instance of an account, and most of them are
no workbenches. A storm of events must not become a storm of questions. Lookups are collected for 50 ms, and
an instance that is no workbench is remembered for 60 seconds.

A region that does not answer must not delay the messages of others. After a failure it is not asked for a while, and
lookups get the same error at once.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from seatpool.backoff import Backoff
from seatpool.mirror.aws_clients import AwsClients
from seatpool.mirror.aws_source import AwsReader
from seatpool.mirror.regions import AccountRegion, ServedRegion
from seatpool.mirror.source import REFERENCES_IN_A_CALL, Machine

BATCH_DELAY = 0.05
BATCHES_AT_ONCE = 8
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0
REMEMBER = 60.0
REMEMBERED = 20_000

Lookups = dict[str, "asyncio.Future[Machine | None]"]


@dataclass(slots=True)
class _FailedRegion:
    error: Exception
    backoff: Backoff
    probed: bool = False
    """True: one lookup asks AWS again now. The others still get the error."""


class DescribeBatcher:
    """Collects lookups of single instances into batches, one batch a region at a time."""

    def __init__(
        self, reader: AwsReader, clients: AwsClients, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader = reader
        self._clients = clients
        self._monotonic = monotonic
        self._waiting: dict[AccountRegion, Lookups] = {}
        self._failed: dict[AccountRegion, _FailedRegion] = {}
        self._batches: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(BATCHES_AT_ONCE)

    async def find(self, served: ServedRegion, reference: str) -> Machine | None:
        """Returns the machine as AWS describes it now. None: AWS does not show it. Raises AWS errors."""
        waiting = self._waiting.get(served.key)
        if waiting is None:
            self._raise_if_paused(served.key)
            waiting = self._waiting[served.key] = {}
            task = asyncio.create_task(self._describe(served))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)
        lookup = waiting.get(reference)
        if lookup is None:
            lookup = waiting[reference] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(lookup)

    def _raise_if_paused(self, key: AccountRegion) -> None:
        failed = self._failed.get(key)
        if failed is None:
            return
        if failed.probed or failed.backoff.remaining() > 0:
            raise failed.error
        failed.probed = True

    async def _describe(self, served: ServedRegion) -> None:
        await asyncio.sleep(BATCH_DELAY)
        async with self._slots:
            waiting = self._waiting.pop(served.key)
            ids = list(waiting)
            for start in range(0, len(ids), REFERENCES_IN_A_CALL):
                part = ids[start : start + REFERENCES_IN_A_CALL]
                try:
                    found = await self._clients.run_in_thread(
                        lambda part=part: self._reader.describe_many(served, part)  # type: ignore[misc]
                    )
                except Exception as error:  # noqa: BLE001
                    self._fail(served.key, error, [waiting[reference] for reference in ids[start:]])
                    return
                for reference in part:
                    waiting[reference].set_result(found.get(reference))
        self._failed.pop(served.key, None)

    def _fail(self, key: AccountRegion, error: Exception, lookups: "list[asyncio.Future[Machine | None]]") -> None:
        before = self._failed.get(key)
        if before is not None:
            backoff = before.backoff
        else:
            backoff = Backoff(None, monotonic=self._monotonic, first=FIRST_PAUSE, longest=LONGEST_PAUSE)
        backoff.failed()
        self._failed[key] = _FailedRegion(error, backoff)
        for lookup in lookups:
            lookup.set_exception(error)
            lookup.exception()  # marks it as read: the caller may have been cancelled


class IgnoredInstances:
    """Instances that are no workbenches, each for 60 seconds, 20,000 at most."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, instance_id: str) -> None:
        """Ignores an instance from now on."""
        self._until[instance_id] = self._monotonic() + REMEMBER
        self._until.move_to_end(instance_id)
        while len(self._until) > REMEMBERED:
            self._until.popitem(last=False)

    def discard(self, instance_id: str) -> None:
        """Stops ignoring an instance, because its tags were changed."""
        self._until.pop(instance_id, None)

    def __contains__(self, instance_id: str) -> bool:
        until = self._until.get(instance_id)
        if until is None:
            return False
        if until <= self._monotonic():
            del self._until[instance_id]
            return False
        return True
