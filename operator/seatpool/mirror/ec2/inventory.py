"""Every workbench of every account and region, from EC2 itself, at start and now and then.

Events get lost; this is what makes that harmless. It is also what could empty every list at once, so it believes good
news at once and bad news late: a failed, partial or foreign answer changes nothing; a missing instance is asked for by
its id after two complete inventories, and only EC2's word that there is no such instance removes its object; and an
answer that shows nothing at all, where there were active workbenches, is not believed.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from seatpool.api.workbench import InstanceState
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Invalid, KubeError
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.aws_errors import AWS_ERRORS, describe_fault, reason_of
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ec2.describe import IDS_IN_A_FILTER, Ec2Reader, Seen
from seatpool.mirror.event_order import ACTIVE, Fact, Held
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.rate_limited_log import SparingLog, shown
from seatpool.mirror.regions import Source
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.mirror.workbenches.stored import Entry
from seatpool.mirror.workbenches.writer import Settled, WorkbenchObjects

MISSES_BEFORE_ASKING = 2
ASKED_BY_ID = 50
AT_ONCE = 500
_ENDED = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})

COMPLETE = "Complete"
EMPTY_HELD = "EmptyInventoryHeld"
WRONG_ACCOUNT = "WrongAccount"
NOT_WRITTEN = "KubernetesFailed"


class Inventory:
    """The inventory of one region of one account."""

    def __init__(
        self,
        source: Source,
        *,
        config: MirrorConfig,
        clients: AwsClients,
        aliases: TypeAliases,
        slots: asyncio.Semaphore,
        objects: WorkbenchObjects,
        health: HealthBoard,
        metrics: MirrorMetrics,
        log: SparingLog,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self.tried = asyncio.Event()
        """Set after the first inventory, whatever came of it."""
        self._wanted = asyncio.Event()
        self._source = source
        self._config = config
        self._clients = clients
        self._reader = Ec2Reader(config, clients, aliases, Purpose.INVENTORY)
        self._slots = slots
        self._objects = objects
        self._health = health
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._rng = rng
        self._is_our_account = False

    def wake(self) -> None:
        """Take the next one now."""
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled: one after another, sooner again after a failure."""
        interval = self._config.resync_interval.total_seconds()
        failures = 0
        while True:
            self._wanted.clear()
            async with self._slots:
                complete = await self.take()
            self.tried.set()
            if complete:
                failures = 0
                pause = interval * self._rng.uniform(0.9, 1.1)
            else:
                failures += 1
                pause = min(interval, 2.0 ** min(failures, 20)) * self._rng.uniform(0.5, 1.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()

    async def take(self) -> bool:
        """One inventory; whether it was complete and believed. Raises nothing but cancellation."""
        began = self._clock()
        try:
            if not self._is_our_account and not await self._check_account():
                return False
            as_of = to_milliseconds(began - self._config.describe_lag)
            seen = {one.instance_id: one for one in await self._clients.slowly(self._read_all)}
            doubtful = not seen and any(entry.held.state in ACTIVE for entry in self._objects.of(self._source))
            await self._settle(list(seen.values()), as_of)
            await self._look_after_missing(seen, as_of, doubtful=doubtful)
            await self._leave_other_namespaces(seen)
        except AWS_ERRORS as error:
            self._failed(reason_of(error), describe_fault(error))
            return False
        except KubeError as error:
            self._failed(NOT_WRITTEN, str(error))
            return False
        if doubtful:
            self._failed(
                EMPTY_HELD,
                f"EC2 shows no workbench at all, but there are active ones; nobody is released. Check the tags "
                f"{self._config.tag_owner} and {self._config.tag_type}; delete the Workbench objects if it is true",
            )
            return False
        self._health.inventory(self._source, ok=True, reason=COMPLETE, now=self._clock())
        return True

    def _read_all(self) -> list[Seen]:
        return self._reader.workbenches(self._source)

    async def _check_account(self) -> bool:
        actual = await self._clients.slowly(lambda: self._reader.account_number(self._source))
        expected = self._source.account.account
        if actual != expected:
            self._failed(WRONG_ACCOUNT, f"the credentials for account {expected} belong to {actual}; check role_arn")
            return False
        self._is_our_account = True
        return True

    def _failed(self, reason: str, message: str) -> None:
        self._health.inventory(self._source, ok=False, reason=reason, message=message, now=self._clock())

    async def _settle(self, seen: Sequence[Seen], as_of: datetime) -> None:
        for start in range(0, len(seen), AT_ONCE):
            answers = await asyncio.gather(
                *(self._settle_one(one, as_of) for one in seen[start : start + AT_ONCE]), return_exceptions=True
            )
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer

    async def _settle_one(self, seen: Seen, as_of: datetime) -> None:
        name = seen.instance_id
        if seen.state in _ENDED and self._objects.get(self._source.namespace, name) is None:
            return
        fact = Fact(
            account=self._source.account.account,
            region=self._source.region,
            state=seen.state,
            at=as_of,
            owner=seen.owner,
            type=seen.type,
            launched_at=seen.launched_at,
            observed=True,
        )
        try:
            outcome = await self._objects.settle(self._source.namespace, name, [fact])
        except Invalid as error:
            self._log.warning("instance refused", reason="Invalid", instance=name, error=shown(str(error)))
            return
        if outcome.settled in (Settled.OTHER_PLACE, Settled.HAND_WRITTEN):
            self._log.warning("object left alone", reason=outcome.settled, instance=name, source=str(self._source))
        elif outcome.after is not None and outcome.settled is Settled.WRITTEN:
            self._metrics.corrections.labels(_direction(outcome.before, outcome.after)).inc()

    async def _look_after_missing(self, seen: Mapping[str, Seen], as_of: datetime, *, doubtful: bool) -> None:
        """Ask for the state of those that were not shown, and after a second time whether they exist."""
        missing: list[Entry] = []
        for entry in self._objects.of(self._source):
            if entry.name in seen:
                entry.misses = 0
            elif entry.held.state is not InstanceState.TERMINATED and entry.held.changed_at < as_of:
                entry.misses += not doubtful
                missing.append(entry)
        found: dict[str, Seen] = {}
        for start in range(0, len(missing), IDS_IN_A_FILTER):
            names = [entry.name for entry in missing[start : start + IDS_IN_A_FILTER]]
            found |= await self._clients.slowly(lambda names=names: self._reader.find(self._source, names))  # type: ignore[misc]
        gone = [entry for entry in missing if entry.name not in found and entry.misses >= MISSES_BEFORE_ASKING]
        gone.sort(
            key=lambda entry: entry.held.state not in ACTIVE
        )  # only a few are asked for each time, and these hold seats
        for entry in [] if doubtful else gone[:ASKED_BY_ID]:
            alone = await self._clients.slowly(lambda name=entry.name: self._reader.find_one(self._source, name))  # type: ignore[misc]
            if alone is not None:
                found[alone.instance_id] = alone
            elif await self._objects.remove(entry):
                self._metrics.corrections.labels("removed").inc()
        await self._settle(list(found.values()), as_of)

    async def _leave_other_namespaces(self, seen: Mapping[str, Seen]) -> None:
        """After the account got another namespace: an old object goes when the new one stands, or the instance ended."""
        for entry in self._objects.of(self._source):
            if entry.namespace != self._source.namespace:
                there = self._objects.get(self._source.namespace, entry.name) is not None
                if there or (entry.name in seen and seen[entry.name].state in _ENDED):
                    await self._objects.remove(entry)


def _direction(before: Held | None, after: Held) -> str:
    if before is None:
        return "created"
    if (before.state in ACTIVE) != (after.state in ACTIVE):
        return "activated" if after.state in ACTIVE else "deactivated"
    return "changed"
