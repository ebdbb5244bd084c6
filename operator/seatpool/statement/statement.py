"""Makes the statement for the vendor: every change of a pool's list, with the rule and the command behind it.

The sources are the operator's audit trail and the pool's ledger. The statement checks itself:

- each list must begin as the one before it ended;
- every user who came or went must have been granted or released.

A gap is a remark in the statement and is never hidden. What is not known is None and never 0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from seatpool.api.base import format_duration, parse_duration
from seatpool.api.conditions import ConditionStatus
from seatpool.api.licensepool import EmptyList, LicensePool
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import PLACEHOLDER
from seatpool.domain.list_hash import list_hash
from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason, sentence
from seatpool.explain.problems import condition_of
from seatpool.explain.snapshot import Snapshot
from seatpool.history.schema import YEARS
from seatpool.policy.pool_rules import format_rules
from seatpool.statement.audit_lines import ApplyLine, AuditFile, DriftLine, Line, SeatLine
from seatpool.trail.trail import Action

_NO_USER = list_hash(())


@dataclass(frozen=True, slots=True)
class Person:
    """A user who came on the list or went off it, with the rule."""

    user: str
    rule: str | None
    """None: the trail has no decision about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """A list that was written and read back."""

    at: datetime
    revision: int
    command_id: str | None
    added: tuple[Person, ...]
    removed: tuple[Person, ...]
    people: int
    hash_before: str | None
    """Hash of the list as it stood on the license server, the placeholder included. None: not known."""
    hash_after: str | None
    """Likewise, after the change."""
    placeholder: str | None
    """The entry that stands on the list because no user does. It is no person. None: there is none, or it is not known."""
    reassignments_used: int | None

    @property
    def changes_nothing(self) -> bool:
        """Tells whether the list was written as it stood already."""
        return not (self.added or self.removed) and self.hash_before is not None and self.hash_before == self.hash_after


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentList:
    """The list that was last read back from the license server."""

    people: int
    hash: str | None
    """Hash of the list as it stands there, the placeholder included. None: not known."""
    revision: int
    placeholder: str | None
    """The entry that stands on the list because no user does. It is no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The data of one pool's statement."""

    pool: str
    product: str
    server: str
    seats: int
    rules: Mapping[str, str]
    since: datetime
    until: datetime
    present: PresentList | None
    """None: not known."""
    sources: tuple[str, ...]
    """The files of the audit trail, and what was found in each."""
    changes: tuple[ListChange, ...] | None
    """Without writes that changed nothing. None: not known, because no line of the trail is about the pool."""
    writes_without_change: int | None
    """Number of times that a list was written as it stood already. None: not known."""
    reassignments_now: int
    reassignments_allowed: int | None
    reassignments_window: str | None
    most_people: int | None
    """None: not known."""
    remarks: tuple[str, ...]
    """Gaps and contradictions, in sentences."""

    @property
    def is_whole(self) -> bool:
        return not self.remarks


def statement(
    snapshot: Snapshot, pool: LicensePool, files: Sequence[AuditFile], *, since: datetime, zone: tzinfo
) -> Statement:
    """Returns the statement of a pool. `files` are the audit trail. None of them: only the ledger is used, and a remark says so.

    `zone` is that of the times in remarks.
    """
    lines = sorted((line for file in files for line in file.lines), key=lambda line: line.at)
    present = _present(snapshot, pool)
    trail = _Trail(pool, since=since, zone=zone)
    trail.read(lines)
    remarks = [*_about_files(files), *trail.remarks, *trail.compare(present)]
    memory, budget = snapshot.memory(pool.key) or PoolMemory.empty(), pool.spec.max_reassignments
    window_began = snapshot.now - budget.window if budget is not None else snapshot.now
    return Statement(
        pool=pool.key,
        product=pool.spec.product,
        server=snapshot.store.server_of(pool.key),
        seats=pool.spec.seats,
        rules=format_rules(pool.spec, budget="{count} in {window}"),
        since=since,
        until=snapshot.now,
        present=present,
        sources=tuple(f"{file.name}: {file.found}" for file in files),
        changes=tuple(one for one in trail.changes if not one.changes_nothing) if lines else None,
        writes_without_change=sum(one.changes_nothing for one in trail.changes) if lines else None,
        reassignments_now=sum(change.at > window_began for change in memory.reassignments),
        reassignments_allowed=None if budget is None else budget.count,
        reassignments_window=None if budget is None else format_duration(budget.window),
        most_people=trail.most_people,
        remarks=tuple(remarks),
    )


def read_since(text: str, *, now: datetime, zone: tzinfo) -> datetime:
    """Parses a date, an RFC 3339 time, or a duration before now such as `365d`. Raises SeatpoolError.

    A date begins at midnight of `zone`.
    """
    try:
        instant = now - parse_duration(text)
    except (ValueError, OverflowError):
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise SeatpoolError(
                f"--since {text}: write a date such as 2026-01-31, or a length of time such as 365d"
            ) from None
        instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)
    if instant.year not in YEARS[1:-1]:
        raise SeatpoolError(f"--since {text}: the year {instant.year} is not from {YEARS[1]} to {YEARS[-2]}")
    if instant >= now:
        raise SeatpoolError(
            f"--since {text}: nothing lies between it and now ({format_zoned(now, zone)}); write an earlier time"
        )
    return instant


def format_zoned(value: datetime, zone: tzinfo) -> str:
    """Returns `2026-03-09 09:42:00 CET`. A statement is read elsewhere and later, so every time has its zone."""
    return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _present(snapshot: Snapshot, pool: LicensePool) -> PresentList | None:
    server = snapshot.server_of(pool.key)
    states = server.status.applied if server is not None else ()
    state = next((one for one in states if one.product == pool.spec.product), None)
    if server is None or state is None or not state.hash:
        return None
    placeholder, found = None, state.hash
    if state.hash == _NO_USER and pool.spec.empty_list is EmptyList.KEEP_PLACEHOLDER:
        in_sync = condition_of(pool.status.conditions, "InSync")
        if in_sync is None or in_sync.status is not ConditionStatus.TRUE:
            return PresentList(people=0, hash=None, revision=state.revision, placeholder=None)
        placeholder = server.spec.placeholder_user or PLACEHOLDER
        found = list_hash((placeholder,))
    return PresentList(people=state.count, hash=found, revision=state.revision, placeholder=placeholder)


def _about_files(files: Sequence[AuditFile]) -> Iterator[str]:
    """A file of other pools is named if no file has a line about the pool: the trail of a quiet month has none."""
    if not files:
        yield "No audit trail was given (--audit FILE): which changes there were is not known."
    nothing = not any(file.lines for file in files)
    for file in files:
        if file.unreadable or (not file.lines and (nothing or not file.is_audit)):
            yield f"{file.name}: {file.found}."
    if files and nothing:
        yield "The audit trail has no line about this pool: which changes there were is not known."


class _Trail:
    """Puts the lists in order, each with the decisions before it, and notes what does not fit."""

    def __init__(self, pool: LicensePool, *, since: datetime, zone: tzinfo) -> None:
        self._keeps_placeholder = pool.spec.empty_list is EmptyList.KEEP_PLACEHOLDER
        self._since = since
        self._zone = zone
        self._rules: dict[tuple[str, str], str] = {}
        self._last: ApplyLine | None = None
        """The last list. None: none yet, or it was changed by hand since."""
        self._has_begun = False
        """A line before told which users were on the list."""
        self._used: int | None = None
        self.changes: list[ListChange] = []
        self.remarks: list[str] = []
        self.most_people: int | None = None

    def read(self, lines: Iterable[Line]) -> None:
        """Reads the lines about the pool, in the order of time."""
        for line in lines:
            match line:
                case SeatLine():
                    self._decided(line)
                case ApplyLine():
                    self._applied(line)
                case DriftLine():
                    self._drifted(line)
                case _:
                    self._has_begun |= line.action == Action.ADOPT
        if not self.changes:
            self._count(self._last)

    def compare(self, present: PresentList | None) -> Iterator[str]:
        """Yields a remark if the license server has a later list than the trail."""
        if present is not None and self._last is not None and present.revision > self._last.revision:
            after = self._after(self._last)
            if present.hash is not None and after is not None and present.hash != after:
                yield (
                    f"The license server has revision {present.revision}, and the last list that the trail has is revision "
                    f"{self._last.revision}: lines are missing at its end."
                )

    def _decided(self, line: SeatLine) -> None:
        other = Action.RELEASE if line.action == Action.GRANT else Action.GRANT
        self._rules.pop((other, line.user), None)
        self._rules[line.action, line.user] = line.rule
        self._used = line.reassignments_used if line.reassignments_used is not None else self._used

    def _applied(self, line: ApplyLine) -> None:
        change = ListChange(
            at=line.at,
            revision=line.revision,
            command_id=line.command_id,
            added=self._people(Action.GRANT, line.added),
            removed=self._people(Action.RELEASE, line.removed),
            people=line.people,
            hash_before=self._before(line),
            hash_after=self._after(line),
            placeholder=line.placeholder_after or None,
            reassignments_used=self._used,
        )
        if line.at >= self._since:
            self._count(self._last)
            self._count(line)
            self.remarks += self._contradictions(change, line)
            self.changes.append(change)
        self._last = line
        self._has_begun = True

    def _drifted(self, line: DriftLine) -> None:
        if line.at >= self._since:
            self.remarks.append(
                f"{format_zoned(line.at, self._zone)}: the list on the license server was changed by hand: added "
                f"{_names(line.added)}, removed {_names(line.removed)}."
            )
        self._last = None
        self._has_begun = True

    def _count(self, line: ApplyLine | None) -> None:
        if line is not None:
            self.most_people = max(self.most_people or 0, line.people)

    def _people(self, action: Action, users: Iterable[str]) -> tuple[Person, ...]:
        return tuple(Person(user, self._rules.pop((action, user), None)) for user in users)

    def _before(self, line: ApplyLine) -> str | None:
        return self._on_server(line.hash_before, line.placeholder_before)

    def _after(self, line: ApplyLine) -> str | None:
        return self._on_server(line.hash_after, line.placeholder_after)

    def _on_server(self, users_hash: str | None, placeholder: str | None) -> str | None:
        """Returns the hash of a list as it stands on the license server. The trail's hash is that of its users."""
        if users_hash != _NO_USER:
            return users_hash
        if placeholder is None:
            return None if self._keeps_placeholder else users_hash
        return list_hash((placeholder,)) if placeholder else users_hash

    def _contradictions(self, change: ListChange, line: ApplyLine) -> Iterator[str]:
        where = f"Revision {change.revision}"
        last = self._last
        if last is not None and line.hash_before is not None and line.hash_before != last.hash_after:
            yield (
                f"{where}: the list before it is not the last one that the trail has; lines are missing, or it was changed by "
                "hand."
            )
        if not self._has_begun and line.hash_before not in (None, _NO_USER):
            yield f"{where}: the trail begins here, and users were on the list before. Which changes there were is not known."
        undecided = [person.user for person in (*change.added, *change.removed) if person.rule is None]
        if undecided:
            yield (
                f"{where}: the trail has no decision about {_names(undecided)} (adopted, mended after a change by hand, or "
                "lost)."
            )
        if change.hash_after is None:
            yield f"{where}: no user was on the list, and the trail does not say whether the placeholder was."


def _names(users: Iterable[str]) -> str:
    return ", ".join(users) or "nobody"


def meaning(rule: str) -> str:
    """Returns a rule as a sentence. A rule that this version does not know is returned as it is."""
    try:
        return sentence(Reason(rule))
    except ValueError:
        return rule
