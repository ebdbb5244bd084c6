"""Counts the seats that are kept free: for reservations that are not full, and for protected users without a seat."""

from collections.abc import Iterable

from seatpool.domain.rules import PoolRules


class ReservedSeats:
    """Tells how many free seats have to remain when a user takes one.

    A protected user may also belong to a reservation. Then one seat is kept for both claims and counts once.
    """

    def __init__(self, *, rules: PoolRules, holders: Iterable[str]) -> None:
        self._reservation_of = rules.reservation_of
        self._always = rules.always
        self._open = [item.seats for item in rules.reservations]
        self._missing = set(rules.always)
        self._missing_in = [0] * len(rules.reservations)
        self._missing_elsewhere = 0
        self._all_claims: int | None = None
        for user in self._missing:
            self._count_missing(user, 1)
        if self._open or self._missing:
            for user in holders:
                self.add_holder(user)

    @property
    def are_missed(self) -> bool:
        """Tells whether a protected user has no seat."""
        return bool(self._missing)

    def needed_for_others(self, user: str) -> int:
        """Returns how many seats must remain for other users if this user takes one.

        Protected users come first. Members of a reservation that is not full come next. All other users come after all
        claims.
        """
        if user in self._always:
            return 0
        index = self._reservation_of(user)
        if index is not None and self._open[index] > 0:
            return len(self._missing)
        if self._all_claims is None:
            claims = zip(self._open, self._missing_in, strict=True)
            self._all_claims = self._missing_elsewhere + sum(max(0, seats, missing) for seats, missing in claims)
        return self._all_claims

    def add_holder(self, user: str) -> None:
        """Counts a user who has a seat now."""
        self._all_claims = None
        index = self._reservation_of(user)
        if index is not None:
            self._open[index] -= 1
        if user in self._missing:
            self._missing.remove(user)
            self._count_missing(user, -1)

    def _count_missing(self, user: str, change: int) -> None:
        index = self._reservation_of(user)
        if index is None:
            self._missing_elsewhere += change
        else:
            self._missing_in[index] += change
