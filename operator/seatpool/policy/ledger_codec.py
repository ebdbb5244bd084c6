"""Converts a pool's memory to SeatLedger objects, and back.

The objects belong to the product on its license server, and their names follow from these two. The vendor's rules are about
them too. So a pool that is deleted and created under another name goes on with the same memory.

A large memory has several *shares*. The hash of a user's name decides the share, so one grant rewrites one object, and no
entry moves when other users come and go. The number of shares follows the pool's seats and what is stored. If it changes, a
consistent hash moves entries only into the new shares, or only out of those that go.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import (
    SEATS_PER_LEDGER,
    LedgerGrant,
    LedgerLeft,
    LedgerReassignment,
    LedgerVacated,
    LedgerWaiting,
    SeatLedgerSpec,
)
from seatpool.domain.instants import to_milliseconds
from seatpool.domain.memory import Grant, Left, PoolMemory, Reassignment, Vacated, Waiting
from seatpool.domain.reasons import Reason

LONGEST_INDEX = 4
"""Digits of a share's index: a pool has at most 5,000 seats, and so a few shares."""
# Names do not spread evenly: shares are planned for fewer seats than they may hold.
_PLANNED = SEATS_PER_LEDGER * 4 // 5
ENTRIES_PER_LEDGER = 2_500
"""Entries for which a share is planned. With names of 128 characters they have about 600 KB."""
_DIGITS = 10
_NO_NAME = re.compile(r"[^a-z0-9]+")
_REASONS = {reason.value: reason for reason in Reason}


def share_count(seats: int, *, entries: int = 0, present: int = 0) -> int:
    """Returns the number of objects of a pool with so many seats and so many stored entries.

    `present` are the objects that it has now. They become fewer only if half of them are enough, so that a memory of about
    the size of a limit is not divided anew again and again.
    """
    for_seats = 1 if seats <= SEATS_PER_LEDGER else -(-seats // _PLANNED)
    needed = max(for_seats, -(-entries // ENTRIES_PER_LEDGER))
    return needed if needed >= present or needed * 2 <= present else present


def entry_count(memory: PoolMemory) -> int:
    """Returns the number of entries that a memory has in its shares."""
    parts = (memory.assigned, memory.waiting, memory.vacated, memory.left, memory.reassignments)
    return sum(map(len, parts))


def share_of(user: str, shares: int) -> int:
    """Returns the share of a user: the jump consistent hash of Lamping and Veach."""
    if shares == 1:
        return 0
    key = int.from_bytes(hashlib.sha256(user.encode()).digest()[:8], "big")
    share, jump = 0, 0
    while jump < shares:
        share = jump
        key = (key * 2862933555777941757 + 1) & 0xFFFFFFFFFFFFFFFF
        jump = ((share + 1) << 31) // ((key >> 33) + 1)
    return share


def ledger_key(server: str, product: str) -> str:
    """Returns what stands for the memory of a product. `server` is the key of its LicenseServer."""
    return f"{server}/{product}"


def ledger_name(server: str, product: str, share: int) -> str:
    """Returns the name of a share. Names of products are no names of objects, so a hash tells similar ones apart."""
    digest = hashlib.sha256(f"{server}/{product}".encode()).hexdigest()[:_DIGITS]
    return f"{_NO_NAME.sub('-', product.lower()).strip('-')}-{digest}-{share}"


def share_index(server: str, product: str, name: str) -> int | None:
    """Returns which share of the product's memory has this name. None: no share has."""
    digits = name.rpartition("-")[2]
    is_index = digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_INDEX
    return int(digits) if is_index and name == ledger_name(server, product, int(digits)) else None


def to_specs(memory: PoolMemory, *, pool: LicensePool, shares: int) -> tuple[SeatLedgerSpec, ...]:
    """Returns the shares of a memory, in order. Equal memories of a pool give equal shares."""
    grants: list[list[LedgerGrant]] = [[] for _ in range(shares)]
    waiting: list[list[LedgerWaiting]] = [[] for _ in range(shares)]
    vacated: list[list[LedgerVacated]] = [[] for _ in range(shares)]
    left: list[list[LedgerLeft]] = [[] for _ in range(shares)]
    reassignments: list[list[LedgerReassignment]] = [[] for _ in range(shares)]
    for user, grant in sorted(memory.assigned.items()):
        grants[share_of(user, shares)].append(
            LedgerGrant(
                user=user,
                since=to_milliseconds(grant.since),
                idle_since=_milliseconds_or_none(grant.idle_since),
                reason=grant.reason,
            )
        )
    for user, wait in sorted(memory.waiting.items()):
        waiting[share_of(user, shares)].append(LedgerWaiting(user=user, since=to_milliseconds(wait.since)))
    for seat in memory.vacated:
        vacated[share_of(seat.user, shares)].append(LedgerVacated(user=seat.user, at=to_milliseconds(seat.at)))
    for user, gone in sorted(memory.left.items()):
        left[share_of(user, shares)].append(LedgerLeft(user=user, at=to_milliseconds(gone.at), reason=gone.reason))
    for change in memory.reassignments:
        passed = LedgerReassignment(user=change.user, at=to_milliseconds(change.at))
        reassignments[share_of(change.user, shares)].append(passed)
    return tuple(
        SeatLedgerSpec(
            server=pool.spec.server_ref.name,
            product=pool.spec.product,
            pool=pool.metadata.name,
            shares=shares,
            holders=len(grants[index]),
            waiters=len(waiting[index]),
            assigned=tuple(grants[index]),
            waiting=tuple(waiting[index]),
            vacated=tuple(vacated[index]),
            left=tuple(left[index]),
            reassignments=tuple(reassignments[index]),
        )
        for index in range(shares)
    )


def from_specs(specs: Iterable[SeatLedgerSpec]) -> PoolMemory:
    """Returns the memory that the shares hold together.

    An entry may be in two shares, if a change of their number was interrupted. It counts once.
    """
    assigned: dict[str, Grant] = {}
    waiting: dict[str, Waiting] = {}
    vacated: set[Vacated] = set()
    left: dict[str, Left] = {}
    reassignments: set[Reassignment] = set()
    for spec in specs:
        for grant in spec.assigned:
            assigned[grant.user] = Grant(
                user=grant.user, since=grant.since, idle_since=grant.idle_since, reason=_reason(grant.reason)
            )
        for wait in spec.waiting:
            waiting[wait.user] = Waiting(user=wait.user, since=wait.since)
        vacated.update(Vacated(user=seat.user, at=seat.at) for seat in spec.vacated)
        for gone in spec.left:
            known = left.get(gone.user)
            if known is None or gone.at > known.at:
                left[gone.user] = Left(gone.at, _REASONS.get(gone.reason or ""))
        reassignments.update(Reassignment(change.at, change.user) for change in spec.reassignments)
    return PoolMemory(
        assigned=assigned,
        waiting=waiting,
        vacated=tuple(sorted(vacated, key=lambda seat: (seat.at, seat.user))),
        left=left,
        reassignments=tuple(sorted(reassignments)),
    )


def _milliseconds_or_none(value: datetime | None) -> datetime | None:
    return None if value is None else to_milliseconds(value)


def _reason(text: str) -> Reason:
    return _REASONS.get(text, Reason.GRANTED)


def changed_shares(before: Mapping[int, SeatLedgerSpec], after: Iterable[SeatLedgerSpec]) -> list[int]:
    """Returns the numbers of the shares that differ from what was last written."""
    return [index for index, spec in enumerate(after) if before.get(index) != spec]
