"""Reads every workbench of one place from its sources, at start and then every `resync_interval`.

Events get lost, and the inventory corrects that. But it could also empty every list at once. So:
* A failed, partial or foreign answer changes nothing.
* A missing machine is looked up by its reference after two complete inventories. Its object is deleted only if the source
  says explicitly that there is no such machine.
* An answer that shows no workbench at all, although there were active ones, is not accepted, unless the source is
  consistent: it then says of each by itself that it is gone.
* A machine that has lost owner and type, or has another value in a required tag, is no workbench any more after two
  complete inventories. If that is so for more than half of many active ones at once, none of them is released.

A source that fails does not keep another one of the same place from its inventory. The place is fresh if all of them are.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from seatpool.api.base import format_duration
from seatpool.api.workbench import InstanceState, SourceKind
from seatpool.aws.errors import AWS_ERRORS, describe_error, reason_of
from seatpool.backoff import SHORTENING_JITTER, Backoff
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Invalid, KubeError
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.event_order import ACTIVE, Stored
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.rate_limited_log import RateLimitedLog, escaped
from seatpool.mirror.regions import Place
from seatpool.mirror.source import Machine, MachineSource, SourceFailed
from seatpool.mirror.workbenches.entry import NOT_WRITTEN as OF_ANOTHER
from seatpool.mirror.workbenches.entry import Entry, UpsertResult
from seatpool.mirror.workbenches.writer import WorkbenchWriter

MISSES_BEFORE_LOOKUP = 2
MISSES_BEFORE_SILENCE_COUNTS = 6
"""So often a source has to show nothing for a reference, if it never says that it does not exist."""
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
NOT_WRITTEN = "KubernetesFailed"
TIMED_OUT = "TimedOut"
UNEXPECTED = "UnexpectedError"


class Inventory:
    """The inventory of one place."""

    def __init__(
        self,
        place: Place,
        sources: Sequence[MachineSource],
        *,
        config: MirrorConfig,
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
        self._place = place
        self._sources = sources
        self._config = config
        self._slots = slots
        self._workbenches = workbenches
        self._health = health
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._rng = rng
        self._access_checked = False
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
            self._health.inventories_begin(self._place, now=self._clock())
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
        failure: tuple[str, str] | None = None
        seen = 0
        for source in self._sources:
            try:
                seen += await self._run_source(source)
            except SourceFailed as error:
                found = (error.reason, str(error))
            except AWS_ERRORS as error:
                found = (reason_of(error), describe_error(error))
            except KubeError as error:
                found = (NOT_WRITTEN, str(error))
            else:
                continue
            if failure is None:
                is_named = source.kind is SourceKind.EC2 or found[1].startswith(source.kind)
                failure = (found[0], found[1] if is_named else f"{source.kind}: {found[1]}")
        if failure is not None:
            self._record_failure(*failure)
            return False
        seen_instead = "" if seen else await self._survey()
        self._health.set_inventory(self._place, ok=True, reason=COMPLETE, now=self._clock(), seen_instead=seen_instead)
        return True

    async def _run_source(self, source: MachineSource) -> int:
        """Runs the inventory of one source. Returns how many workbenches it shows. Raises why it was not accepted."""
        began = self._clock()
        if not self._access_checked:
            await source.check_access()
            self._access_checked = True
        as_of = to_milliseconds(began - source.lag)
        seen = {one.name: one for one in await source.list_workbenches()}
        doubtful = (
            not seen
            and not source.trusts_empty
            and any(
                entry.stored.state in ACTIVE for entry in self._workbenches.entries_in(self._place.key, source.kind)
            )
        )
        await self._upsert_all(list(seen.values()), as_of)
        lost_tags = await self._check_missing(source, seen, as_of, doubtful=doubtful)
        await self._leave_other_namespaces(source, seen)
        if doubtful:
            raise SourceFailed(
                EMPTY_HELD,
                f"{source.kind} shows no workbench at all, but there are active ones; no user is released. Check "
                f"{self._config.tags}; delete the Workbench objects if it is true",
            )
        if lost_tags:
            raise SourceFailed(TAGS_HELD, lost_tags)
        return len(seen)

    async def _survey(self) -> str:
        """Returns what the sources of a place without any workbench show. Empty: there are objects, or they refuse."""
        if next(self._workbenches.entries_in(self._place.key), None) is not None:
            return ""
        parts: list[str] = []
        hints: list[str] = []
        for source in self._sources:
            survey = await source.survey()
            if survey is None or (parts and not survey.machines):
                continue
            keys = ", ".join(f"{escaped(key)} ({count})" for key, count in survey.tag_keys) or "none"
            count = f"more than {survey.machines}" if survey.has_more else str(survey.machines)
            values = ", ".join(f"{escaped(key)}={escaped(value)} ({count})" for key, value, count in survey.required)
            parts += [f"{count} {survey.what}, commonest tag keys: {keys}", *([values] if values else [])]
            hints += [survey.hint] if survey.hint and survey.hint not in hints else []
        text = "; ".join([*parts, *hints])[:LONGEST_SURVEY]
        if text and text != self._surveyed:
            self._surveyed = text
            self._log.warning(
                "no instance has the tags", reason="NothingTagged", account_region=str(self._place), seen=text,
                wanted=str(self._config.tags),
                advice="nothing is done here; check mirror.profile, tag_owner, tag_type and require if workbenches are there",
            )  # fmt: skip
        return text

    def _record_failure(self, reason: str, message: str) -> None:
        self._health.set_inventory(self._place, ok=False, reason=reason, message=message, now=self._clock())

    async def _upsert_all(self, machines: Sequence[Machine], as_of: datetime) -> None:
        for start in range(0, len(machines), UPSERTS_AT_ONCE):
            answers = await asyncio.gather(
                *(self._upsert(one, as_of) for one in machines[start : start + UPSERTS_AT_ONCE]),
                return_exceptions=True,
            )
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer

    async def _upsert(self, machine: Machine, as_of: datetime) -> None:
        name = machine.name
        if machine.state in _ENDED and self._workbenches.get(self._place.namespace, name) is None:
            return
        fact = machine.as_fact(self._place.key, at=as_of)
        try:
            upsert = await self._workbenches.upsert(self._place.namespace, name, [fact])
        except Invalid as error:
            self._log.warning("instance refused", reason="Invalid", instance=name, error=escaped(str(error)))
            return
        if upsert.result in OF_ANOTHER:
            self._log.warning(
                "workbench not written", reason=upsert.result, instance=name, account_region=str(self._place)
            )
        elif upsert.after is not None and upsert.result is UpsertResult.WRITTEN:
            self._metrics.corrections.labels(_direction(upsert.before, upsert.after)).inc()

    async def _check_missing(
        self, source: MachineSource, seen: Mapping[str, Machine], as_of: datetime, *, doubtful: bool
    ) -> str:
        """Looks up machines that were not shown, as they are and after the second time by reference.

        Returns why those without tags are not released. Empty: none was held.
        """
        horizon = self._workbenches.horizon()
        missing: list[Entry] = []
        for entry in self._workbenches.entries_in(self._place.key, source.kind):
            if entry.name in seen:
                entry.misses = 0
            elif entry.stored.state is not InstanceState.TERMINATED and (
                entry.stored.changed_at < as_of or entry.stored.changed_at > horizon
            ):
                entry.misses += not doubtful
                missing.append(entry)
        found = dict(await source.describe([entry.reference for entry in missing])) if missing else {}
        if not doubtful:
            missed = [entry for entry in missing if entry.misses >= MISSES_BEFORE_LOOKUP]
            found |= await self._remove_gone(source, [entry for entry in missed if entry.reference not in found])
            if held := self._hold_lost_tags(source, _without_tags(missing, found)):
                return held
            for entry in _without_tags(missed, found):
                del found[entry.reference]
                if await self._workbenches.delete(entry):
                    self._metrics.corrections.labels("untagged").inc()
        await self._upsert_all(list(found.values()), as_of)
        return ""

    async def _remove_gone(self, source: MachineSource, missed: list[Entry]) -> Mapping[str, Machine]:
        """Deletes the objects of machines that do not exist. Returns the others that the source shows."""
        missed.sort(key=lambda entry: entry.stored.state not in ACTIVE)  # those that hold seats come first
        if not missed:
            return {}
        answer = await source.describe_by_id([entry.reference for entry in missed])
        for entry in missed:
            is_silent = entry.reference in answer.silent and entry.misses >= MISSES_BEFORE_SILENCE_COUNTS
            if (entry.reference in answer.gone or is_silent) and await self._workbenches.delete(entry):
                self._metrics.corrections.labels("removed").inc()
        return answer.found

    def _hold_lost_tags(self, source: MachineSource, untagged: Sequence[Entry]) -> str:
        """Returns why so many machines without tags are not believed. Empty: they are."""
        entries = self._workbenches.entries_in(self._place.key, source.kind)
        active = sum(entry.stored.state in ACTIVE for entry in entries)
        lost = sum(entry.stored.state in ACTIVE for entry in untagged)
        if lost < MANY or 2 * lost <= active:
            return ""
        return (
            f"{lost} of {active} active workbenches have lost the tags of one, {self._config.tags}; no user is released for "
            "that. Restore the tags; delete the Workbench objects if it is true"
        )

    async def _leave_other_namespaces(self, source: MachineSource, seen: Mapping[str, Machine]) -> None:
        """Deletes objects in another namespace, after the place got a new one.

        An old object is deleted when the new one exists or the machine has ended.
        """
        for entry in self._workbenches.entries_in(self._place.key, source.kind):
            if entry.namespace != self._place.namespace:
                is_moved = self._workbenches.get(self._place.namespace, entry.name) is not None
                if is_moved or (entry.name in seen and seen[entry.name].state in _ENDED):
                    await self._workbenches.delete(entry)


def _without_tags(entries: Sequence[Entry], found: Mapping[str, Machine]) -> list[Entry]:
    """Returns those whose machine exists and is no workbench by its tags."""
    machines = ((entry, found.get(entry.reference)) for entry in entries)
    return [
        entry
        for entry, machine in machines
        if machine is not None and machine.state not in _ENDED and machine.is_no_workbench
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
