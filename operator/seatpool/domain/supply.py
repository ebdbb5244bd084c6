"""Keeps count of the free seats of a pool, and of the users that each of them may go to.

- *Fresh*: a seat that was never used.
- *Cooling*: a vacated seat before its cool-down is over.
- *Cooled*: a vacated seat after that. If the pool has a budget, passing it on costs one re-assignment.
- *Set aside*: a vacated seat that the pool has no room for, because its seats became fewer. It is back when they become
  more. While the pool is smaller, its seats are those that were vacated last.

A user who left a seat may return to it at any time and at no cost, because nothing is re-assigned.

Every vacated seat and every re-assignment is remembered, whatever the rules of the moment ask for. See `memory`.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from seatpool.domain.instants import after, before
from seatpool.domain.memory import REASSIGNMENTS_KEPT, VACATED_KEPT, Reassignment, Vacated
from seatpool.domain.rules import PoolRules

_UNLIMITED = 1 << 62


class Supply:
    """The free seats of one pool during one allocation."""

    def __init__(
        self,
        *,
        rules: PoolRules,
        held: int,
        vacated: Iterable[Vacated],
        reassignments: Iterable[Reassignment],
        now: datetime,
    ) -> None:
        self._rules = rules
        self._now = now
        self._held = held
        self._cooled: dict[Vacated, None] = {}
        self._cooling: dict[Vacated, None] = {}
        self._set_aside: list[Vacated] = []
        self._left_by: dict[str, list[Vacated]] = defaultdict(list)
        self._reassignments = sorted(reassignments)
        if self._reassignments and self._reassignments[-1].at > now:  # no time of the future is believed
            self._reassignments = sorted(Reassignment(min(one.at, now), one.user) for one in self._reassignments)
        self._drop_old_reassignments()
        known = (seat if seat.at <= now else Vacated(seat.user, now) for seat in vacated)
        for seat in sorted(known, key=lambda seat: (seat.at, seat.user)):
            self._remember(seat)

    @property
    def fresh(self) -> int:
        """Free seats that were never used. Every user may have one at no cost."""
        return self._rules.seats - self._held - len(self._cooled) - len(self._cooling)

    @property
    def free(self) -> int:
        """All seats without a holder."""
        return self._rules.seats - self._held

    @property
    def cooled(self) -> int:
        """Vacated seats that only the budget keeps from other users."""
        return len(self._cooled)

    @property
    def at_hand(self) -> int:
        """Free seats that do not cool down, whatever the budget says."""
        return self.fresh + len(self._cooled)

    @property
    def budget_left(self) -> int:
        """Number of seats that may still pass from one user to another."""
        budget = self._rules.max_reassignments
        return _UNLIMITED if budget is None else max(0, budget.count - self.reassignments_used)

    @property
    def usable(self) -> int:
        """Number of seats for users who did not vacate one themselves."""
        return self.fresh + min(len(self._cooled), self.budget_left)

    @property
    def vacated(self) -> tuple[Vacated, ...]:
        """The vacated seats, the longest vacated first."""
        known = (*self._set_aside, *self._cooled, *self._cooling)
        return tuple(sorted(known, key=lambda seat: (seat.at, seat.user))[-VACATED_KEPT:])

    @property
    def reassignments(self) -> tuple[Reassignment, ...]:
        """The re-assignments that are remembered, the oldest first."""
        return tuple(self._reassignments)

    @property
    def reassignments_used(self) -> int:
        """Number of re-assignments in the budget's window that ends now. Without a budget: 0."""
        budget = self._rules.max_reassignments
        if budget is None:
            return 0
        outside = before(self._now, budget.window)
        return len(self._reassignments) - bisect_right(self._reassignments, outside, key=lambda one: one.at)

    @property
    def next_cooled(self) -> datetime | None:
        """End of the next cool-down. None: no seat is cooling."""
        return min((after(seat.at, self._rules.seat_cool_down) for seat in self._cooling), default=None)

    @property
    def next_budget(self) -> datetime | None:
        """When the budget next has one more left. If the budget was lowered, several have to leave the window first."""
        budget = self._rules.max_reassignments
        if budget is None:
            return None
        decisive = min(self.reassignments_used, budget.count)
        return after(self._reassignments[-decisive].at, budget.window) if decisive else None

    def was_left_by(self, user: str) -> bool:
        """Tells whether this user vacated one of the seats."""
        return user in self._left_by

    @property
    def has_vacated(self) -> bool:
        """Tells whether one of the free seats had a holder."""
        return bool(self._cooled or self._cooling)

    def returns_to_cooling(self, user: str) -> bool:
        """Tells whether this user would return to an own seat that other users could not have now."""
        return user in self._left_by and self._left_by[user][-1] in self._cooling

    def take(self, user: str) -> None:
        """Gives a seat: the user's own, else a fresh one, else the longest vacated one, which is a re-assignment."""
        self._held += 1
        if user in self._left_by:
            self._forget(self._left_by[user][-1])
        elif self.fresh < 0:
            self._forget(next(iter(self._cooled)))
            insort(self._reassignments, Reassignment(self._now, user))
            self._drop_old_reassignments()

    def vacate(self, user: str) -> None:
        """Takes a seat back."""
        self._held -= 1
        self._remember(Vacated(user, self._now))

    def set_excess_aside(self) -> None:
        """Sets vacated seats aside that the pool has no room for, the oldest first."""
        excess = self._held + len(self._cooled) + len(self._cooling) - self._rules.seats
        if excess > 0:
            self._set_aside = sorted((*self._cooled, *self._cooling), key=lambda seat: (seat.at, seat.user))[:excess]
            for seat in self._set_aside:
                self._forget(seat)

    def _drop_old_reassignments(self) -> None:
        budget = self._rules.max_reassignments
        most = max(REASSIGNMENTS_KEPT, 0 if budget is None else budget.count)
        del self._reassignments[:-most]

    def _remember(self, seat: Vacated) -> None:
        if seat in self._cooled or seat in self._cooling:
            return
        cooling = after(seat.at, self._rules.seat_cool_down) > self._now
        (self._cooling if cooling else self._cooled)[seat] = None
        self._left_by[seat.user].append(seat)

    def _forget(self, seat: Vacated) -> None:
        self._cooled.pop(seat, None)
        self._cooling.pop(seat, None)
        own = self._left_by[seat.user]
        own.remove(seat)
        if not own:
            del self._left_by[seat.user]
