"""Counts the free seats of a pool during a replay, and the seats among them that a rule does not let go to every user.

It counts as `domain.supply` does, and answers the checks of `domain.checks`. But it goes on from one instant to the next,
and does not count anew at each.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from seatpool.domain.instants import after, before
from seatpool.domain.memory import VACATED_KEPT
from seatpool.domain.rules import PoolRules


class FreedSeats:
    """Free seats of one pool. The instants of all calls must ascend."""

    def __init__(self, rules: PoolRules, *, held: int) -> None:
        self._seats = rules.seats
        self._remembers = rules.remembers_seats
        self._cool_down = rules.seat_cool_down
        self._budget = rules.max_reassignments
        self._held = held
        self._cooled: dict[str, datetime] = {}
        self._cooling: dict[str, datetime] = {}
        """By the user who vacated the seat, the longest vacated first. A user who returns takes this very seat."""
        self._reassigned: deque[datetime] = deque()
        """The re-assignments inside the budget's window."""

    def pass_time(self, at: datetime) -> bool:
        """Lets seats cool down, and re-assignments leave the window. Tells whether one did."""
        changed = False
        while self._cooling:
            user, vacated = next(iter(self._cooling.items()))
            if after(vacated, self._cool_down) > at:
                break
            self._cooled[user] = self._cooling.pop(user)
            changed = True
        if self._budget is not None and self._reassigned:
            outside = before(at, self._budget.window)
            while self._reassigned and self._reassigned[0] <= outside:
                self._reassigned.popleft()
                changed = True
        return changed

    @property
    def next_change(self) -> datetime | None:
        """When time alone makes a seat usable for other users. None: it does not."""
        cooled = after(next(iter(self._cooling.values())), self._cool_down) if self._cooling else None
        if self._budget is None or not self._reassigned or self._budget_left >= len(self._cooled):
            return cooled
        permitted = after(self._reassigned[0], self._budget.window)
        return permitted if cooled is None else min(cooled, permitted)

    @property
    def free(self) -> int:
        """All seats without a holder."""
        return self._seats - self._held

    @property
    def at_hand(self) -> int:
        """Free seats that do not cool down, whatever the budget says."""
        return self._seats - self._held - len(self._cooling)

    @property
    def usable(self) -> int:
        """Number of seats for users who did not vacate one themselves."""
        free = self._seats - self._held - len(self._cooling)
        if self._budget is None:
            return free
        cooled = len(self._cooled)
        return free - cooled + min(cooled, self._budget_left)

    def was_left_by(self, user: str) -> bool:
        """Tells whether this user vacated one of the seats."""
        return user in self._cooled or user in self._cooling

    def returns_to_cooling(self, user: str) -> bool:
        """Tells whether this user would return to an own seat that other users could not have now."""
        return user in self._cooling

    def vacate(self, users: Sequence[str], at: datetime) -> None:
        """Takes the seats of these users back."""
        self._held -= len(users)
        if self._remembers:
            for user in sorted(users):
                (self._cooling if self._cool_down else self._cooled)[user] = at
            self._forget_oldest()

    def take(self, user: str, at: datetime) -> None:
        """Gives a seat: the user's own, else a fresh one, else the longest vacated one, which is a re-assignment."""
        self._held += 1
        if user in self._cooled:
            del self._cooled[user]
        elif user in self._cooling:
            del self._cooling[user]
        elif self._seats - self._held < len(self._cooled) + len(self._cooling):
            del self._cooled[next(iter(self._cooled))]
            if self._budget is not None:
                self._reassigned.append(at)

    @property
    def _budget_left(self) -> int:
        return 0 if self._budget is None else max(0, self._budget.count - len(self._reassigned))

    def _forget_oldest(self) -> None:
        """Forgets the seats that the memory of a pool has no place for."""
        for _ in range(len(self._cooled) + len(self._cooling) - VACATED_KEPT):
            longest = self._cooled or self._cooling
            del longest[next(iter(longest))]
