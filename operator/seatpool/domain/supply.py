"""The seats that nobody has, and whom each of them may go to.

A seat that was never used, or whose past no rule asks about, is *fresh*. A vacated one is *cooling* until its
cool-down is over and *cooled* from then on; with a budget it stays cooled, because to pass it on costs one
re-assignment. Whoever left a seat may return to it at any time and at no cost: nothing is re-assigned.
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
    """The free seats of one pool while one answer is worked out."""

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
        """Those that the budget still counts, the oldest first."""
        remembered = vacated if rules.remembers_seats else ()
        for seat in sorted(remembered, key=lambda seat: (seat.at, seat.user)):
            self._remember(seat)

    @property
    def fresh(self) -> int:
        """Seats that anybody may have, without a cost."""
        return self._rules.seats - self._held - len(self._cooled) - len(self._cooling)

    @property
    def free(self) -> int:
        """All seats that nobody has."""
        return self._rules.seats - self._held

    @property
    def cooled(self) -> int:
        """Vacated seats that only the budget keeps from somebody else."""
        return len(self._cooled)

    @property
    def budget_left(self) -> int:
        """How many seats may still pass from one person to another."""
        budget = self._rules.max_reassignments
        return _UNLIMITED if budget is None else max(0, budget.count - len(self.reassignments))

    @property
    def usable(self) -> int:
        """How many seats people without an own vacated one could get now."""
        return self.fresh + min(len(self._cooled), self.budget_left)

    @property
    def vacated(self) -> tuple[Vacated, ...]:
        """The vacated seats that are still remembered, the longest vacated first."""
        return tuple(sorted((*self._cooled, *self._cooling), key=lambda seat: (seat.at, seat.user)))

    @property
    def next_cooled(self) -> datetime | None:
        """When the next cool-down ends."""
        return min((after(seat.at, self._rules.seat_cool_down) for seat in self._cooling), default=None)

    @property
    def next_budget(self) -> datetime | None:
        """When the budget next has one more left; after a budget was lowered several have to leave the window first."""
        budget = self._rules.max_reassignments
        if budget is None:
            return None
        decisive = self.reassignments[max(0, len(self.reassignments) - budget.count) :]
        return after(decisive[0], budget.window) if decisive else None

    def was_left_by(self, user: str) -> bool:
        """Whether a vacated seat is this person's own."""
        return user in self._left_by

    def left_for_others(self, user: str) -> int:
        """How many seats others could count on if this person took one; negative when there is none to take.

        Somebody who returns to a seat that is of no use to others now takes nothing that they could have at once; then
        it is enough that seats remain which they will have in time.
        """
        if user not in self._left_by:
            return self.usable - 1
        own = self._left_by[user][-1]
        return self.usable - 1 if own in self._cooled and len(self._cooled) <= self.budget_left else self.free - 1

    def take(self, user: str) -> None:
        """Give one: the own before a fresh one, and that before the longest vacated, which costs a re-assignment."""
        self._held += 1
        if user in self._left_by:
            self._forget(self._left_by[user][-1])
        elif self.fresh < 0:
            self._forget(next(iter(self._cooled)))
            if self._counts(self._now):
                insort(self.reassignments, self._now)

    def vacate(self, user: str) -> None:
        """Take one back."""
        self._held -= 1
        self._remember(Vacated(user, self._now))

    def drop_what_exceeds_the_seats(self) -> None:
        """After a pool has shrunk: seats that no longer exist are not remembered, the oldest first."""
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
