"""Keeps count of the free seats of a pool, and of the users that each of them may go to.

- *Fresh*: a seat that was never used, or whose past no rule asks about.
- *Cooling*: a vacated seat before its cool-down is over.
- *Cooled*: a vacated seat after that. With a budget it stays cooled, because passing it on costs one re-assignment.

A user who left a seat may return to it at any time and at no cost, because nothing is re-assigned.
"""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from seatpool.domain.instants import after
from seatpool.domain.memory import Vacated
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
        reassignments: Iterable[datetime],
        now: datetime,
    ) -> None:
        self._rules = rules
        self._now = now
        self._held = held
        self._cooled: dict[Vacated, None] = {}
        self._cooling: dict[Vacated, None] = {}
        self._left_by: dict[str, list[Vacated]] = defaultdict(list)
        self.reassignments = sorted(filter(self._counts, reassignments))
        """Re-assignments that the budget still counts, the oldest first."""
        remembered = vacated if rules.remembers_seats else ()
        for seat in sorted(remembered, key=lambda seat: (seat.at, seat.user)):
            self._remember(seat)

    @property
    def fresh(self) -> int:
        """Free seats without a past. Every user may have one at no cost."""
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
    def budget_left(self) -> int:
        """Number of seats that may still pass from one user to another."""
        budget = self._rules.max_reassignments
        return _UNLIMITED if budget is None else max(0, budget.count - len(self.reassignments))

    @property
    def usable(self) -> int:
        """Number of seats for users who did not vacate one themselves."""
        return self.fresh + min(len(self._cooled), self.budget_left)

    @property
    def vacated(self) -> tuple[Vacated, ...]:
        """The vacated seats that a rule still needs, the longest vacated first."""
        return tuple(sorted((*self._cooled, *self._cooling), key=lambda seat: (seat.at, seat.user)))

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
        decisive = self.reassignments[max(0, len(self.reassignments) - budget.count) :]
        return after(decisive[0], budget.window) if decisive else None

    def was_left_by(self, user: str) -> bool:
        """Tells whether this user vacated one of the seats."""
        return user in self._left_by

    def left_for_others(self, user: str) -> int:
        """Returns how many seats remain for other users if this user takes one. Negative: there is none to take.

        A user may return to an own seat that other users could not have now. Then seats that they will have later count
        too.
        """
        if user not in self._left_by:
            return self.usable - 1
        own = self._left_by[user][-1]
        return self.usable - 1 if own in self._cooled and len(self._cooled) <= self.budget_left else self.free - 1

    def take(self, user: str) -> None:
        """Gives a seat: the user's own, else a fresh one, else the longest vacated one, which costs a re-assignment."""
        self._held += 1
        if user in self._left_by:
            self._forget(self._left_by[user][-1])
        elif self.fresh < 0:
            self._forget(next(iter(self._cooled)))
            if self._counts(self._now):
                insort(self.reassignments, self._now)

    def vacate(self, user: str) -> None:
        """Takes a seat back."""
        self._held -= 1
        self._remember(Vacated(user, self._now))

    def drop_excess(self) -> None:
        """Drops vacated seats that no longer exist after the pool has shrunk, the oldest first."""
        excess = self._held + len(self._cooled) + len(self._cooling) - self._rules.seats
        for seat in self.vacated[:excess] if excess > 0 else ():
            self._forget(seat)

    def _counts(self, reassigned_at: datetime) -> bool:
        budget = self._rules.max_reassignments
        return budget is not None and after(reassigned_at, budget.window) > self._now

    def _remember(self, seat: Vacated) -> None:
        if seat in self._cooled or seat in self._cooling:
            return
        if after(seat.at, self._rules.seat_cool_down) > self._now:
            self._cooling[seat] = None
        elif self._rules.max_reassignments is not None:
            self._cooled[seat] = None
        else:
            return
        self._left_by[seat.user].append(seat)

    def _forget(self, seat: Vacated) -> None:
        self._cooled.pop(seat, None)
        self._cooling.pop(seat, None)
        own = self._left_by[seat.user]
        own.remove(seat)
        if not own:
            del self._left_by[seat.user]
