"""Orders the writes of a pool's shares, so that a crash between two of them loses nothing.

One decision may change several shares: a seat passes from a user of one share to a user of another, or the number of shares
changes. Each write is atomic, and all together are not. So what is new is written first, and what is gone is removed
afterwards. After a crash between the two an entry is stored in both places, which does no harm: it counts once, and a seat
that was passed on counts as used. The other way round a user would be lost, or a used seat would look like a new one.

A user's grant and the re-assignment that it cost are in one share, so one write stores both.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seatpool.api.seatledger import SeatLedgerSpec

_LISTS = ("assigned", "waiting", "vacated", "left", "reassignments")
_SEATS = ("assigned", "vacated")
"""Entries that take a seat. Removing one of them frees it."""
_BY_TIME = frozenset({"vacated", "reassignments"})
"""Lists in which a user may be several times."""


@dataclass(frozen=True, slots=True)
class LedgerWrites:
    """The writes of one decision. All of a step are stored before the next step begins."""

    first: Mapping[int, SeatLedgerSpec]
    """Shares that gain entries. They also keep what they lose later."""
    then: Mapping[int, SeatLedgerSpec]
    """Shares that only lose entries, and those that were written with more in the first step."""
    last: tuple[int, ...]
    """Shares that are deleted."""


def order_writes(
    before: Mapping[int, SeatLedgerSpec], after: Sequence[SeatLedgerSpec], *, changed: Collection[int]
) -> LedgerWrites:
    """Returns the writes that lead from the stored shares to the new ones."""
    gone = tuple(sorted(index for index in before if index >= len(after)))
    if len(changed) <= 1 and not gone:
        return LedgerWrites(first={index: after[index] for index in changed}, then={}, last=())
    divided_anew = len(before) != len(after) or any(spec.shares != len(after) for spec in before.values())
    lists = _LISTS if divided_anew else _SEATS
    first: dict[int, SeatLedgerSpec] = {}
    then: dict[int, SeatLedgerSpec] = {}
    for index in sorted(changed):
        old, new = before.get(index), after[index]
        if old is None or not _lost(old, new, lists):
            first[index] = new
        elif not _lost(new, old, lists):
            then[index] = new
        else:
            first[index], then[index] = _with_lost(old, new, lists), new
    return LedgerWrites(first=first, then=then, last=gone)


def _entries(spec: SeatLedgerSpec, name: str) -> dict[Any, Any]:
    found: tuple[Any, ...] = getattr(spec, name)
    return {(entry.user, entry.at) if name in _BY_TIME else entry.user: entry for entry in found}


def _lost(old: SeatLedgerSpec, new: SeatLedgerSpec, lists: Sequence[str]) -> bool:
    return any(_entries(old, name).keys() - _entries(new, name).keys() for name in lists)


def _with_lost(old: SeatLedgerSpec, new: SeatLedgerSpec, lists: Sequence[str]) -> SeatLedgerSpec:
    """Returns the new share with the entries that it loses."""
    both = {name: tuple((_entries(old, name) | _entries(new, name)).values()) for name in lists}
    merged = new.model_copy(update=both)
    return merged.model_copy(update={"holders": len(merged.assigned), "waiters": len(merged.waiting)})
