"""Makes the statement for the vendor: every change of a pool's list, with the rule and the command behind it.

The sources are the operator's audit trail and the pool's ledger. The statement checks itself:

- each list must begin as the one before it ended;
- every user who came or went must have been granted or released.

A gap is a remark in the statement and is never hidden.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seatpool.api.base import format_duration, parse_duration
from seatpool.api.licensepool import LicensePool
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason, sentence
from seatpool.explain.snapshot import Snapshot
from seatpool.policy.pool_rules import format_rules
from seatpool.trail.trail import LOGGER, Action

Line = Mapping[str, Any]


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
    hash_after: str
    reassignments_used: int | None


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
    changes: tuple[ListChange, ...]
    reassignments_now: int
    reassignments_allowed: int | None
    reassignments_window: str | None
    most_people: int
    remarks: tuple[str, ...]
    """Gaps and contradictions, in sentences."""

    @property
    def is_whole(self) -> bool:
        return not self.remarks


def statement(snapshot: Snapshot, pool: LicensePool, lines: Iterable[Line] | None, *, since: datetime) -> Statement:
    """Returns the statement of a pool. `lines` are the audit trail. None: only the ledger is used, and a remark says so."""
    own = sorted((line for line in lines or () if line.get("pool") == pool.key), key=_at)
    changes, remarks = _changes(own, since=since)
    if lines is None:
        remarks = ["No audit trail was given (--audit FILE): single changes are not listed.", *remarks]
    elif not own:
        remarks = ["The audit trail has no line about this pool.", *remarks]
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
        changes=tuple(changes),
        reassignments_now=sum(change.at > window_began for change in memory.reassignments),
        reassignments_allowed=None if budget is None else budget.count,
        reassignments_window=None if budget is None else format_duration(budget.window),
        most_people=max((change.people for change in changes), default=len(memory.assigned)),
        remarks=tuple(remarks),
    )


def read_lines(texts: Iterable[str]) -> Iterator[Line]:
    """Yields the audit lines of a log. Other lines are skipped."""
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("logger") == LOGGER and {"at", "action"} <= line.keys():
            yield line


def read_since(text: str, *, now: datetime) -> datetime:
    """Parses a date, an RFC 3339 time, or a duration before now such as `365d`. Raises SeatpoolError."""
    try:
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SeatpoolError(
            f"--since {text}: write a date such as 2026-01-31, or a length of time such as 365d"
        ) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _at(line: Line) -> datetime:
    return datetime.fromisoformat(line["at"])


def _changes(lines: list[Line], *, since: datetime) -> tuple[list[ListChange], list[str]]:
    """Returns the lists in order, each with the decisions before it, and the remarks."""
    rules: dict[tuple[str, str], str] = {}
    changes: list[ListChange] = []
    remarks: list[str] = []
    last: str | None = None
    used: int | None = None
    for line in lines:
        action = line["action"]
        if action in (Action.GRANT, Action.RELEASE):
            rules.pop((Action.RELEASE if action == Action.GRANT else Action.GRANT, line["user"]), None)
            rules[action, line["user"]] = line["rule"]
            used = line.get("reassignmentsUsed", used)
        elif action == Action.APPLY:
            change = _change(line, rules, used)
            if change.at >= since:
                remarks += _contradictions(change, last)
                changes.append(change)
            last = change.hash_after
        elif action == Action.DRIFT and _at(line) >= since:
            remarks.append(
                f"{line['at']}: somebody else changed the list on the license server: added {_names(line['added'])}, removed "
                f"{_names(line['removed'])}."
            )
            last = None
    return changes, remarks


def _change(line: Line, rules: dict[tuple[str, str], str], used: int | None) -> ListChange:
    def people(action: Action, users: Iterable[str]) -> tuple[Person, ...]:
        return tuple(Person(user, rules.pop((action, user), None)) for user in users)

    return ListChange(
        at=_at(line),
        revision=line["revision"],
        command_id=line.get("ssmCommandId"),
        added=people(Action.GRANT, line["added"]),
        removed=people(Action.RELEASE, line["removed"]),
        people=line["people"],
        hash_before=line.get("hashBefore"),
        hash_after=line["hashAfter"],
        reassignments_used=used,
    )


def _contradictions(change: ListChange, last: str | None) -> Iterator[str]:
    where = f"Revision {change.revision}"
    if last is not None and change.hash_before is not None and change.hash_before != last:
        yield f"{where}: the list before it is not the last one that the trail has; lines are missing, or it was changed by hand."
    undecided = [person.user for person in (*change.added, *change.removed) if person.rule is None]
    if undecided:
        yield f"{where}: the trail has no decision about {_names(undecided)} (adopted, mended after a change by hand, or lost)."


def _names(users: Iterable[str]) -> str:
    return ", ".join(users) or "nobody"


def meaning(rule: str) -> str:
    """Returns a rule as a sentence. A rule that this version does not know is returned as it is."""
    try:
        return sentence(Reason(rule))
    except ValueError:
        return rule
