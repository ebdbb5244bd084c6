"""Reads every workbench of one region from EC2, at start and then every `resync_interval`.

Events get lost, and the inventory corrects that. But it could also empty every list at once. So:
* A failed, partial or foreign answer changes nothing.
* A missing instance is looked up by its id after two complete inventories. Its object is deleted only if EC2 says
  explicitly that there is no such instance.
* An answer that shows no workbench at all, although there were active ones, is not accepted.
* An instance that has lost owner and type, or has another value in a required tag, is no workbench any more after two
  complete inventories. If that is so for more than half of many active ones at once, none of them is released.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from seatpool.api.base import format_duration
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
MISSES_BEFORE_SILENCE_COUNTS = 6
"""So often EC2 has to show nothing for an id, if it never says that it does not exist."""
LONGEST_SURVEY = 400
"""Characters."""
MANY = 10
"""So many active workbenches without tags are suspicious."""
UPSERTS_AT_ONCE = 500
FIRST_PAUSE = 2.0
_ENDED = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})

COMPLETE = "Complete"
TAGS_HELD = "LostTagsHeld"
EMPTY_HELD = "EmptyInventoryHeld"
WRONG_ACCOUNT = "WrongAccount"
NOT_WRITTEN = "KubernetesFailed"
TIMED_OUT = "TimedOut"
UNEXPECTED = "UnexpectedError"


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
        self._surveyed = ""

    def trigger(self) -> None:
        """Makes the next inventory start now."""
        self._triggered.set()

    async def run(self) -> None:
        """Runs inventories until cancelled. After a failure the next one comes sooner."""
        interval = self._config.resync_interval.total_seconds()
        backoff = Backoff(self._rng, first=FIRST_PAUSE, longest=interval, spread=SHORTENING_JITTER)
        while True:
            self._triggered.clear()
            self._health.inventories_begin(self._served, now=self._clock())
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
        """Runs one inventory within the limit. True: it was complete and accepted.

        What it raises is a bug. It is recorded as a failure too, so that no inventory looks fresh that did not end.
        """
        limit = self._config.inventory_limit
        try:
            async with asyncio.timeout(limit.total_seconds()) as timeout:
                return await self._run_once()
        except TimeoutError as error:
            if not timeout.expired():
                self._record_failure(UNEXPECTED, _describe_bug(error))
                raise
            self._record_failure(
                TIMED_OUT, f"it did not come to its end within {format_duration(limit)}; see the log for what hangs"
            )
            return False
        except Exception as error:
            self._record_failure(UNEXPECTED, _describe_bug(error))
            raise

    async def _run_once(self) -> bool:
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
            lost_tags = await self._check_missing(seen, as_of, doubtful=doubtful)
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
                f"EC2 shows no workbench at all, but there are active ones; no user is released. Check "
                f"{self._config.tags}; delete the Workbench objects if it is true",
            )
            return False
        if lost_tags:
            self._record_failure(TAGS_HELD, lost_tags)
            return False
        seen_instead = "" if seen else await self._survey()
        self._health.set_inventory(self._served, ok=True, reason=COMPLETE, now=self._clock(), seen_instead=seen_instead)
        return True

    def _list_workbenches(self) -> list[Ec2Instance]:
        return self._reader.list_workbenches(self._served)

    async def _survey(self) -> str:
        """Returns what EC2 shows in a region without any workbench. Empty: there are objects, or EC2 refuses."""
        if next(self._workbenches.entries_in(self._served.key), None) is not None:
            return ""
        try:
            survey = await self._clients.run_in_thread(lambda: self._reader.survey(self._served))
        except AWS_ERRORS:
            return ""
        keys = ", ".join(f"{escaped(key)} ({count})" for key, count in survey.tag_keys) or "none"
        count = f"more than {survey.instances}" if survey.has_more else str(survey.instances)
        values = ", ".join(f"{escaped(key)}={escaped(value)} ({count})" for key, value, count in survey.required)
        parts = [f"{count} instances, commonest tag keys: {keys}", *([values] if values else []), survey.hint]
        text = "; ".join(part for part in parts if part)[:LONGEST_SURVEY]
        if text != self._surveyed:
            self._surveyed = text
            self._log.warning(
                "no instance has the tags", reason="NothingTagged", account_region=str(self._served), seen=text,
                wanted=str(self._config.tags),
                advice="nothing is done here; check mirror.profile, tag_owner, tag_type and require if workbenches are there",
            )  # fmt: skip
        return text

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

    async def _check_missing(self, seen: Mapping[str, Ec2Instance], as_of: datetime, *, doubtful: bool) -> str:
        """Looks up instances that were not shown, by filter and after the second time by id.

        Returns why those without tags are not released. Empty: none was held.
        """
        horizon = self._workbenches.horizon()
        missing: list[Entry] = []
        for entry in self._workbenches.entries_in(self._served.key):
            if entry.name in seen:
                entry.misses = 0
            elif entry.stored.state is not InstanceState.TERMINATED and (
                entry.stored.changed_at < as_of or entry.stored.changed_at > horizon
            ):
                entry.misses += not doubtful
                missing.append(entry)
        found: dict[str, Ec2Instance] = {}
        for start in range(0, len(missing), IDS_IN_A_FILTER):
            names = [entry.name for entry in missing[start : start + IDS_IN_A_FILTER]]
            found |= await self._clients.run_in_thread(
                lambda names=names: self._reader.describe_many(self._served, names)  # type: ignore[misc]
            )
        if not doubtful:
            missed = [entry for entry in missing if entry.misses >= MISSES_BEFORE_LOOKUP]
            found |= await self._remove_gone([entry for entry in missed if entry.name not in found])
            if held := self._hold_lost_tags(_without_tags(missing, found)):
                return held
            for entry in _without_tags(missed, found):
                del found[entry.name]
                if await self._workbenches.delete(entry):
                    self._metrics.corrections.labels("untagged").inc()
        await self._upsert_all(list(found.values()), as_of)
        return ""

    async def _remove_gone(self, missed: list[Entry]) -> Mapping[str, Ec2Instance]:
        """Deletes the objects of instances that do not exist. Returns the others that EC2 shows."""
        missed.sort(key=lambda entry: entry.stored.state not in ACTIVE)  # those that hold seats come first
        names = [entry.name for entry in missed]
        if not names:
            return {}
        answer = await self._clients.run_in_thread(lambda: self._reader.describe_by_id(self._served, names))
        for entry in missed:
            is_silent = entry.name in answer.silent and entry.misses >= MISSES_BEFORE_SILENCE_COUNTS
            if (entry.name in answer.gone or is_silent) and await self._workbenches.delete(entry):
                self._metrics.corrections.labels("removed").inc()
        return answer.found

    def _hold_lost_tags(self, untagged: Sequence[Entry]) -> str:
        """Returns why so many instances without tags are not believed. Empty: they are."""
        active = sum(entry.stored.state in ACTIVE for entry in self._workbenches.entries_in(self._served.key))
        lost = sum(entry.stored.state in ACTIVE for entry in untagged)
        if lost < MANY or 2 * lost <= active:
            return ""
        return (
            f"{lost} of {active} active workbenches have lost the tags of one, {self._config.tags}; no user is released for "
            "that. Restore the tags; delete the Workbench objects if it is true"
        )

    async def _leave_other_namespaces(self, seen: Mapping[str, Ec2Instance]) -> None:
        """Deletes objects in another namespace, after the account got a new one.

        An old object is deleted when the new one exists or the instance has ended.
        """
        for entry in self._workbenches.entries_in(self._served.key):
            if entry.namespace != self._served.namespace:
                is_moved = self._workbenches.get(self._served.namespace, entry.name) is not None
                if is_moved or (entry.name in seen and seen[entry.name].state in _ENDED):
                    await self._workbenches.delete(entry)


def _without_tags(entries: Sequence[Entry], found: Mapping[str, Ec2Instance]) -> list[Entry]:
    """Returns those whose instance exists and is no workbench by its tags."""
    instances = ((entry, found.get(entry.name)) for entry in entries)
    return [
        entry
        for entry, instance in instances
        if instance is not None and instance.state not in _ENDED and instance.is_no_workbench
    ]


def _describe_bug(error: Exception) -> str:
    """Returns the text of an error that no part expects."""
    return f"{type(error).__name__}: {error}; see the log, and report it"


def _direction(before: Stored | None, after: Stored) -> str:
    if before is None:
        return "created"
    if (before.state in ACTIVE) != (after.state in ACTIVE):
        return "activated" if after.state in ACTIVE else "deactivated"
    return "changed"
