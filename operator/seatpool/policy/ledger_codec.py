"""Converts a pool's memory to SeatLedger objects, and back.

One object holds at most 500 seats, so a large pool has several *shares*. The hash of a user's name decides the share. So one
grant rewrites one object, and no entry moves when other users come and go.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from seatpool.api.seatledger import (
    SEATS_PER_LEDGER,
    LedgerGrant,
    LedgerReadmit,
    LedgerVacated,
    LedgerWaiting,
    SeatLedgerSpec,
)
from seatpool.domain.instants import to_milliseconds
from seatpool.domain.memory import Grant, PoolMemory, Vacated, Waiting
from seatpool.domain.reasons import Reason

LONGEST_INDEX = 4
"""Digits of a share's index: a pool has at most 5,000 seats, and so a few shares."""
# Names do not spread evenly: shares are planned for fewer seats than they may hold.
_PLANNED = SEATS_PER_LEDGER * 4 // 5
_REASONS = {reason.value: reason for reason in Reason}


def share_count(seats: int) -> int:
    """Returns the number of objects of a pool with so many seats."""
    return 1 if seats <= SEATS_PER_LEDGER else -(-seats // _PLANNED)


def _share_of(user: str, shares: int) -> int:
    return int.from_bytes(hashlib.sha256(user.encode()).digest()[:4], "big") % shares


def ledger_name(pool: str, share: int) -> str:
    return f"{pool}-{share}"


def share_index(pool: str, name: str) -> int | None:
    """Returns which share of the pool has this name. None: no share has."""
    digits = name.removeprefix(f"{pool}-")
    is_index = digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_INDEX
    return int(digits) if is_index and name == ledger_name(pool, int(digits)) else None


def to_specs(memory: PoolMemory, *, pool: str, shares: int) -> tuple[SeatLedgerSpec, ...]:
    """Returns the shares of a memory, in order. Equal memories give equal shares."""
    grants: list[list[LedgerGrant]] = [[] for _ in range(shares)]
    waiting: list[list[LedgerWaiting]] = [[] for _ in range(shares)]
    vacated: list[list[LedgerVacated]] = [[] for _ in range(shares)]
    readmit: list[list[LedgerReadmit]] = [[] for _ in range(shares)]
    for user, grant in sorted(memory.assigned.items()):
        grants[_share_of(user, shares)].append(
            LedgerGrant(
                user=user,
                since=to_milliseconds(grant.since),
                idle_since=_milliseconds_or_none(grant.idle_since),
                reason=grant.reason,
            )
        )
    for user, wait in sorted(memory.waiting.items()):
        waiting[_share_of(user, shares)].append(LedgerWaiting(user=user, since=to_milliseconds(wait.since)))
    for seat in memory.vacated:
        vacated[_share_of(seat.user, shares)].append(LedgerVacated(user=seat.user, at=to_milliseconds(seat.at)))
    for user, until in sorted(memory.readmit.items()):
        readmit[_share_of(user, shares)].append(LedgerReadmit(user=user, until=to_milliseconds(until)))
    return tuple(
        SeatLedgerSpec(
            pool=pool,
            shares=shares,
            assigned=tuple(grants[index]),
            waiting=tuple(waiting[index]),
            vacated=tuple(vacated[index]),
            readmit=tuple(readmit[index]),
            reassignments=tuple(to_milliseconds(at) for at in memory.reassignments) if index == 0 else (),
        )
        for index in range(shares)
    )


def from_specs(specs: Iterable[SeatLedgerSpec]) -> PoolMemory:
    """Returns the memory that the shares hold together."""
    assigned: dict[str, Grant] = {}
    waiting: dict[str, Waiting] = {}
    vacated: list[Vacated] = []
    readmit: dict[str, datetime] = {}
    reassignments: list[datetime] = []  # two re-assignments of one answer have the same time, and both count
    for spec in specs:
        for grant in spec.assigned:
            assigned[grant.user] = Grant(
                user=grant.user, since=grant.since, idle_since=grant.idle_since, reason=_reason(grant.reason)
            )
        for wait in spec.waiting:
            waiting[wait.user] = Waiting(user=wait.user, since=wait.since)
        vacated.extend(Vacated(user=seat.user, at=seat.at) for seat in spec.vacated)
        for block in spec.readmit:
            readmit[block.user] = block.until
        reassignments.extend(spec.reassignments)
    return PoolMemory(
        assigned=assigned,
        waiting=waiting,
        vacated=tuple(sorted(vacated, key=lambda seat: (seat.at, seat.user))),
        readmit=readmit,
        reassignments=tuple(sorted(reassignments)),
    )


def _milliseconds_or_none(value: datetime | None) -> datetime | None:
    return None if value is None else to_milliseconds(value)


def _reason(text: str) -> Reason:
    return _REASONS.get(text, Reason.GRANTED)


def changed_shares(before: Mapping[int, SeatLedgerSpec], after: Iterable[SeatLedgerSpec]) -> list[int]:
    """Returns the numbers of the shares that differ from what was last written."""
    return [index for index, spec in enumerate(after) if before.get(index) != spec]
