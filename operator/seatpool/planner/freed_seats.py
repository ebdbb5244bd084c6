"""Tracks the freed seats of a pool during a replay, and asks `allocate` who of the waiting users gets one.

`allocate` gets only what can change its answer. A seat that its holder keeps makes the pool smaller by one. So does a
seat that still cools down and was not one of a waiting user.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from seatpool.domain.allocate import allocate
from seatpool.domain.instants import after
from seatpool.domain.memory import Grant, PoolMemory, Reassignment, Vacated, Waiting
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules


@dataclass(frozen=True, slots=True)
class SeatAssignment:
    """Seats that are granted now, and when to ask again even if nothing happens."""

    granted: tuple[Grant, ...]
    next_change: datetime | None


class FreedSeats:
    """Seats of one pool that were freed and not granted since, as far as a rule depends on them."""

    def __init__(self, rules: PoolRules) -> None:
        self._rules = rules
        self._vacated: Sequence[Vacated] = ()
        self._reassignments: tuple[Reassignment, ...] = ()
        self._smaller_pool: dict[int, PoolRules] = {}

    def vacate(self, users: Iterable[str], at: datetime) -> None:
        """Records that these users gave their seats back."""
        if self._rules.remembers_seats:
            self._vacated = (*self._vacated, *(Vacated(user, at) for user in sorted(users)))

    def can_be_ignored(self, line: Iterable[Waiting], *, held: int, at: datetime) -> bool:
        """Tells whether every waiting user can have a seat whose past no rule depends on."""
        self._drop_cooled(at)
        waiting = {place.user for place in line}
        return (
            not self._rules.reservations
            and len(waiting) <= self._rules.seats - held - len(self._vacated)
            and not any(seat.user in waiting for seat in self._vacated)
        )

    def assign(self, line: Sequence[Waiting], holders: Mapping[str, Grant], at: datetime) -> SeatAssignment:
        """Has `allocate` grant seats to the line, and remembers what that changes."""
        self._drop_cooled(at)
        involved = self._holders_that_matter(holders)
        freed = self._seats_that_matter(line, at)
        needs = {place.user: Need(place.user, place.since) for place in line}
        needs |= {user: Need(user, grant.since) for user, grant in involved.items() if grant.idle_since is None}
        memory = PoolMemory(
            assigned=involved,
            waiting={place.user: place for place in line},
            vacated=tuple(freed),
            left={},
            reassignments=self._reassignments,
        )
        without = len(holders) - len(involved) + len(self._vacated) - len(freed)
        answer = allocate(self._pool_without(without), needs, memory, at)
        next_change = self._next_cooled(at) if answer.waiting else None
        if answer.next_change is not None and (next_change is None or answer.next_change < next_change):
            next_change = answer.next_change
        self._reassignments = answer.memory.reassignments
        if answer.granted and self._vacated:
            taken = set(freed).difference(answer.memory.vacated)
            self._vacated = [seat for seat in self._vacated if seat not in taken]
        return SeatAssignment(tuple(answer.memory.assigned[one.user] for one in answer.granted), next_change)

    def _drop_cooled(self, at: datetime) -> None:
        if self._vacated and self._rules.max_reassignments is None:
            cool_down = self._rules.seat_cool_down
            if after(self._vacated[0].at, cool_down) <= at:
                self._vacated = [seat for seat in self._vacated if after(seat.at, cool_down) > at]

    def _next_cooled(self, at: datetime) -> datetime | None:
        ends = (after(seat.at, self._rules.seat_cool_down) for seat in self._vacated)
        return next((end for end in ends if end > at), None)

    def _holders_that_matter(self, holders: Mapping[str, Grant]) -> dict[str, Grant]:
        """Returns the protected holders and those with a reservation.

        How many of them have a seat decides how many seats are kept free.
        """
        rules = self._rules
        if not rules.reservations:
            return {user: holders[user] for user in rules.always}
        return {
            user: grant
            for user, grant in holders.items()
            if user in rules.always or rules.reservation_of(user) is not None
        }

    def _seats_that_matter(self, line: Sequence[Waiting], at: datetime) -> Sequence[Vacated]:
        """Returns the freed seats of waiting users, and those that would be granted to others first."""
        if not self._vacated or self._rules.reservations:
            return self._vacated
        waiting = {place.user for place in line}
        cool_down = self._rules.seat_cool_down
        may_pass = islice((seat for seat in self._vacated if after(seat.at, cool_down) <= at), len(line))
        chosen = {*may_pass, *(seat for seat in self._vacated if seat.user in waiting)}
        return sorted(chosen, key=lambda seat: (seat.at, seat.user))

    def _pool_without(self, seats: int) -> PoolRules:
        rules = self._smaller_pool.get(seats)
        if rules is None:
            rules = self._smaller_pool[seats] = replace(self._rules, seats=self._rules.seats - seats)
        return rules
