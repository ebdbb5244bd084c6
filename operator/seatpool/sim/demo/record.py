"""Turns the license server's journal into a record that tells which user was on which list when."""

from bisect import bisect_right
from collections import defaultdict
from math import inf

from seatpool.sim.license_host import JournalEntry

__all__ = ["Change", "ListRecord", "Records"]

Change = tuple[float, str, str, bool]
"""Time, product, user, and whether the user came on."""


class ListRecord:
    """List of one product over time."""

    def __init__(self) -> None:
        self.users: tuple[str, ...] = ()
        """Users on the list now."""
        self.peak = 0
        self.grants = 0
        self.releases = 0
        self.rejected: list[tuple[float, int]] = []
        """When an overwrite was refused, and how many users it named."""
        self.written: list[tuple[float, frozenset[str]]] = []
        self._presence: dict[str, list[float]] = defaultdict(list)
        """When a user came on and went off, in turn."""

    def add(self, entry: JournalEntry) -> tuple[frozenset[str], frozenset[str]]:
        """Adds an overwrite, later than all before. Returns the users who came on and those who went off."""
        at = entry.at.timestamp()
        if not entry.accepted:
            self.rejected.append((at, len(entry.users)))
            return frozenset(), frozenset()
        before, now = frozenset(self.users), frozenset(entry.users)
        self.users = entry.users
        self.peak = max(self.peak, len(entry.users))
        self.written.append((at, now))
        came, went = now - before, before - now
        self.grants += len(came)
        self.releases += len(went)
        for user in came | went:
            self._presence[user].append(at)
        return came, went

    def people(self) -> tuple[str, ...]:
        """Returns every user who ever was on the list."""
        return tuple(self._presence)

    def was_on(self, user: str, at: float) -> bool:
        """Tells whether a user was on the list at an instant."""
        return bisect_right(self._presence.get(user, ()), at) % 2 == 1

    def intervals_of(self, user: str) -> list[tuple[float, float]]:
        """Returns from when to when a user was on the list. Infinity: the user still is."""
        turns = [*self._presence.get(user, ())]
        if len(turns) % 2:
            turns.append(inf)
        return list(zip(turns[::2], turns[1::2], strict=True))

    def next_turn(self, user: str, at: float, *, on: bool) -> float | None:
        """Returns when a user next came on, or went off, after an instant."""
        turns = self._presence.get(user, [])
        index = bisect_right(turns, at)
        if (index % 2 == 0) != on:
            index += 1
        return turns[index] if index < len(turns) else None

    def was_full_without(self, user: str, *, seats: int, after: float, before: float) -> bool:
        """Tells whether a list in between was as full as possible, but without this user."""
        start = bisect_right(self.written, after, key=lambda one: one[0])
        for at, users in self.written[start:]:
            if at >= before:
                return False
            if len(users) >= seats and user not in users:
                return True
        return False


class Records:
    """Lists of all products."""

    def __init__(self) -> None:
        self._lists: dict[str, ListRecord] = defaultdict(ListRecord)

    def __getitem__(self, product: str) -> ListRecord:
        return self._lists[product]

    def add(self, entry: JournalEntry) -> list[Change]:
        """Adds an overwrite and returns the changes by it."""
        came, went = self._lists[entry.product].add(entry)
        at = entry.at.timestamp()
        return [(at, entry.product, user, True) for user in sorted(came)] + [
            (at, entry.product, user, False) for user in sorted(went)
        ]

    @property
    def grants(self) -> int:
        return sum(record.grants for record in self._lists.values())

    @property
    def releases(self) -> int:
        return sum(record.releases for record in self._lists.values())
