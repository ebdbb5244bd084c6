"""Reads every workbench of one region from EC2, at start and then every `resync_interval`.

Events get lost, and the inventory corrects that. But it could also empty every list at once. So:
* A failed, partial or foreign answer changes nothing.
* A missing instance is looked up by its id after two complete inventories. Its object is deleted only if EC2 says
  explicitly that there is no such instance.
* An answer that shows no workbench at all, although there were active ones, is not accepted.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from seatpool.api.workbench import InstanceState
from seatpool.aws.errors import AWS_ERRORS, describe_error, reason_of
from seatpool.backoff import SHORTENING_JITTER, Backoff
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Invalid, KubeError
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ec2.describe import IDS_IN_A_FILTER, Ec2Instance, Ec2Reader
from seatpool.mirror.event_order import ACTIVE, Stored
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.rate_limited_log import RateLimitedLog, escaped
from seatpool.mirror.regions import ServedRegion
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.mirror.workbenches.entry import Entry, UpsertResult
from seatpool.mirror.workbenches.writer import WorkbenchWriter

MISSES_BEFORE_LOOKUP = 2
LOOKUPS_BY_ID = 50
UPSERTS_AT_ONCE = 500
FIRST_PAUSE = 2.0
_ENDED = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})

COMPLETE = "Complete"
EMPTY_HELD = "EmptyInventoryHeld"
WRONG_ACCOUNT = "WrongAccount"
NOT_WRITTEN = "KubernetesFailed"


class Inventory:
    """The inventory of one region of one account."""

    def __init__(
        self,
        served: ServedRegion,
        *,
        config: MirrorConfig,
        clients: AwsClients,
        aliases: TypeAliases,
        slots: asyncio.Semaphore,
        workbenches: WorkbenchWriter,
        health: HealthBoard,
        metrics: MirrorMetrics,
        log: RateLimitedLog,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self.tried = asyncio.Event()
        """Set after the first inventory, with any result."""
        self._triggered = asyncio.Event()
        self._served = served
        self._config = config
        self._clients = clients
        self._reader = Ec2Reader(config, clients, aliases, Purpose.INVENTORY)
        self._slots = slots
        self._workbenches = workbenches
        self._health = health
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._rng = rng
        self._account_checked = False

    def trigger(self) -> None:
        """Makes the next inventory start now."""
        self._triggered.set()

    async def run(self) -> None:
        """Runs inventories until cancelled. After a failure the next one comes sooner."""
        interval = self._config.resync_interval.total_seconds()
        backoff = Backoff(self._rng, first=FIRST_PAUSE, longest=interval, spread=SHORTENING_JITTER)
        while True:
            self._triggered.clear()
            async with self._slots:
                complete = await self.run_once()
            self.tried.set()
            if complete:
                backoff.succeeded()
                pause = interval * self._rng.uniform(0.9, 1.1)
            else:
                pause = backoff.failed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._triggered.wait()

    async def run_once(self) -> bool:
        """Runs one inventory. True: it was complete and accepted. Raises nothing but cancellation."""
        began = self._clock()
        try:
            if not self._account_checked and not await self._check_account():
                return False
            as_of = to_milliseconds(began - self._config.describe_lag)
            seen = {one.instance_id: one for one in await self._clients.run_in_thread(self._list_workbenches)}
            doubtful = not seen and any(
                entry.stored.state in ACTIVE for entry in self._workbenches.entries_in(self._served.key)
            )
            await self._upsert_all(list(seen.values()), as_of)
            await self._check_missing(seen, as_of, doubtful=doubtful)
            await self._leave_other_namespaces(seen)
        except AWS_ERRORS as error:
            self._record_failure(reason_of(error), describe_error(error))
            return False
        except KubeError as error:
            self._record_failure(NOT_WRITTEN, str(error))
            return False
        if doubtful:
            self._record_failure(
                EMPTY_HELD,
                f"EC2 shows no workbench at all, but there are active ones; no user is released. Check the tags "
                f"{self._config.tag_owner} and {self._config.tag_type}; delete the Workbench objects if it is true",
            )
            return False
        self._health.set_inventory(self._served, ok=True, reason=COMPLETE, now=self._clock())
        return True

    def _list_workbenches(self) -> list[Ec2Instance]:
        return self._reader.list_workbenches(self._served)

    async def _check_account(self) -> bool:
        actual = await self._clients.run_in_thread(lambda: self._reader.account_number(self._served))
        expected = self._served.key.account
        if actual != expected:
            self._record_failure(
                WRONG_ACCOUNT, f"the credentials for account {expected} belong to {actual}; check role_arn"
            )
            return False
        self._account_checked = True
        return True

    def _record_failure(self, reason: str, message: str) -> None:
        self._health.set_inventory(self._served, ok=False, reason=reason, message=message, now=self._clock())

    async def _upsert_all(self, instances: Sequence[Ec2Instance], as_of: datetime) -> None:
        for start in range(0, len(instances), UPSERTS_AT_ONCE):
            answers = await asyncio.gather(
                *(self._upsert(one, as_of) for one in instances[start : start + UPSERTS_AT_ONCE]),
                return_exceptions=True,
            )
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer

    async def _upsert(self, instance: Ec2Instance, as_of: datetime) -> None:
        name = instance.instance_id
        if instance.state in _ENDED and self._workbenches.get(self._served.namespace, name) is None:
            return
        fact = instance.as_fact(self._served.key, at=as_of)
        try:
            upsert = await self._workbenches.upsert(self._served.namespace, name, [fact])
        except Invalid as error:
            self._log.warning("instance refused", reason="Invalid", instance=name, error=escaped(str(error)))
            return
        if upsert.result in (UpsertResult.OTHER_ACCOUNT_REGION, UpsertResult.HAND_WRITTEN):
            self._log.warning(
                "workbench not written", reason=upsert.result, instance=name, account_region=str(self._served)
            )
        elif upsert.after is not None and upsert.result is UpsertResult.WRITTEN:
            self._metrics.corrections.labels(_direction(upsert.before, upsert.after)).inc()

    async def _check_missing(self, seen: Mapping[str, Ec2Instance], as_of: datetime, *, doubtful: bool) -> None:
        """Looks up instances that were not shown, by filter and after the second time by id."""
        missing: list[Entry] = []
        for entry in self._workbenches.entries_in(self._served.key):
            if entry.name in seen:
                entry.misses = 0
            elif entry.stored.state is not InstanceState.TERMINATED and entry.stored.changed_at < as_of:
                entry.misses += not doubtful
                missing.append(entry)
        found: dict[str, Ec2Instance] = {}
        for start in range(0, len(missing), IDS_IN_A_FILTER):
            names = [entry.name for entry in missing[start : start + IDS_IN_A_FILTER]]
            found |= await self._clients.run_in_thread(
                lambda names=names: self._reader.describe_many(self._served, names)  # type: ignore[misc]
            )
        gone = [entry for entry in missing if entry.name not in found and entry.misses >= MISSES_BEFORE_LOOKUP]
        # Only 50 are looked up each time. Active ones come first, because they hold seats.
        gone.sort(key=lambda entry: entry.stored.state not in ACTIVE)
        for entry in [] if doubtful else gone[:LOOKUPS_BY_ID]:
            instance = await self._clients.run_in_thread(
                lambda name=entry.name: self._reader.describe_one(self._served, name)  # type: ignore[misc]
            )
            if instance is not None:
                found[instance.instance_id] = instance
            elif await self._workbenches.delete(entry):
                self._metrics.corrections.labels("removed").inc()
        await self._upsert_all(list(found.values()), as_of)

    async def _leave_other_namespaces(self, seen: Mapping[str, Ec2Instance]) -> None:
        """Deletes objects in another namespace, after the account got a new one.

        An old object is deleted when the new one exists or the instance has ended.
        """
        for entry in self._workbenches.entries_in(self._served.key):
            if entry.namespace != self._served.namespace:
                is_moved = self._workbenches.get(self._served.namespace, entry.name) is not None
                if is_moved or (entry.name in seen and seen[entry.name].state in _ENDED):
                    await self._workbenches.delete(entry)


def _direction(before: Stored | None, after: Stored) -> str:
    if before is None:
        return "created"
    if (before.state in ACTIVE) != (after.state in ACTIVE):
        return "activated" if after.state in ACTIVE else "deactivated"
    return "changed"
