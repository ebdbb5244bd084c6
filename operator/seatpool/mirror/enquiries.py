"""Whose is that instance? EC2 is asked once for all who ask at about the same time.

EventBridge rules cannot select by tag, so a queue gets the events of every instance of an account, and most are
strangers. A storm of them must not become a storm of DescribeInstances: questions are collected for a moment, and an
instance that was found to be a stranger is remembered for a short time.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from seatpool.mirror.aws_clients import AwsClients
from seatpool.mirror.ec2 import IDS_IN_A_FILTER, Ec2Reader, Seen
from seatpool.mirror.sources import Source

COLLECT = 0.05
REMEMBER = 60.0
REMEMBERED = 20_000


class Enquiries:
    """Questions about single instances, answered together."""

    def __init__(self, reader: Ec2Reader, clients: AwsClients) -> None:
        self._reader = reader
        self._clients = clients
        self._waiting: dict[tuple[str, str], dict[str, asyncio.Future[Seen | None]]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def find(self, source: Source, instance_id: str) -> Seen | None:
        """The instance as EC2 sees it now, None when it sees none. Raises what the call raised."""
        waiting = self._waiting.get(source.place)
        if waiting is None:
            waiting = self._waiting[source.place] = {}
            task = asyncio.create_task(self._ask(source))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        answer = waiting.get(instance_id)
        if answer is None:
            answer = waiting[instance_id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(answer)

    async def _ask(self, source: Source) -> None:
        await asyncio.sleep(COLLECT)
        waiting = self._waiting.pop(source.place)
        ids = list(waiting)
        for start in range(0, len(ids), IDS_IN_A_FILTER):
            part = ids[start : start + IDS_IN_A_FILTER]
            try:
                found = await self._clients.quickly(lambda part=part: self._reader.find(source, part))  # type: ignore[misc]
            except Exception as error:  # noqa: BLE001
                for instance_id in part:
                    waiting[instance_id].set_exception(error)
                    waiting[instance_id].exception()  # who asked may have gone; then nobody needs to be told
                continue
            for instance_id in part:
                waiting[instance_id].set_result(found.get(instance_id))


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

    def __contains__(self, instance_id: str) -> bool:
        until = self._until.get(instance_id)
        if until is None:
            return False
        if until <= self._monotonic():
            del self._until[instance_id]
            return False
        return True
