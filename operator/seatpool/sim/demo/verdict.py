"""Judges whether the license server's record is one that the events, the seats and first come, first served allow.

Rules of the judge:

* No list is ever longer than the seats. The license server never refused a list for its length.
* No user is on a list without needing it. An event that ends a need must have its effect by `SETTLE`, and the linger
  time, after the queue was seen empty. An empty queue has been read, and a message leaves it only after its object is
  written. A watch event of some milliseconds follows, the debounce of 250 ms, and at most one command that was in
  flight already. `SETTLE` is ten times what that takes on a busy machine.
* No user who needs a seat, and has needed it for so long, loses it.
* No user gets a seat while another user with an older need waits. Older means by the events' own time. The older need
  must also be so long in the queue that the operator must know it, even without breaks that it need not have noticed.
* In the end, if all users who need a product fit, exactly they are on its list. If not, there are as many users as
  seats, and each of them needs it.

Two things are not determined. Users whose events arrive within the same `SETTLE` may come in any order, because the
queue promises none and one debounce decides them together. The same holds while some events of an instance have been
read and others that arrived before them have not.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import inf

from seatpool.sim.demo.expected_needs import ExpectedNeeds, PossibleNeed
from seatpool.sim.demo.record import ListRecord, Records

__all__ = ["SETTLE", "QueueChecks", "final_faults", "violations"]

SETTLE = 15.0
EARLY = 2.0
"""The operator may have read a message before its sender knows that it was taken."""
TOLD = 100
Chances = Mapping[str, Sequence[PossibleNeed]]


class QueueChecks:
    """Instants at which the queue was seen empty."""

    def __init__(self) -> None:
        self._empty: list[float] = []

    def record_empty(self, at: float) -> None:
        """Records that a request at `at` found no message, neither visible nor in flight."""
        self._empty.append(at)

    def empty_since(self, at: float) -> bool:
        """Tells whether the queue was seen empty after that instant."""
        return bool(self._empty) and self._empty[-1] >= at

    def effective_by(self, arrived: float) -> float:
        """Returns when the effect of what arrived then must be on the lists. Infinity: not known yet."""
        index = bisect_left(self._empty, arrived)
        return self._empty[index] + SETTLE if index < len(self._empty) else inf


def violations(
    expected: ExpectedNeeds,
    records: Records,
    checks: QueueChecks,
    *,
    linger: float = 0.0,
    products: Collection[str] | None = None,
) -> list[str]:
    """Returns the first hundred violations. Empty: there were none. `products` are those to judge. None: all."""
    found: list[str] = []
    for product, pool in expected.pools.items():
        if products is not None and product not in products:
            continue
        record, possible_needs = records[product], expected.possible_needs(product)
        found += _too_long(product, record, seats=pool.seats)
        found += _without_need(product, record, possible_needs, checks, linger=linger)
        found += _taken_away(product, record, possible_needs, checks)
        found += _out_of_turn(product, record, possible_needs, checks)
        found += final_faults(product, record.users, expected.needs(product), seats=pool.seats)
    return found[:TOLD] + ([f"and {len(found) - TOLD} more"] if len(found) > TOLD else [])


def final_faults(product: str, listed: Sequence[str], needs: frozenset[str], *, seats: int) -> list[str]:
    """Returns the faults of a list after everything has come to rest."""
    faults = []
    on = set(listed)
    if len(on) != len(listed):
        faults.append(f"{product}: somebody is on the list twice")
    if strangers := sorted(on - needs):
        faults.append(f"{product}: on the list in the end without a need: {', '.join(strangers)}")
    if len(needs) <= seats:
        if missing := sorted(needs - on):
            faults.append(f"{product}: not on the list in the end, although there is room: {', '.join(missing)}")
    elif len(on) != seats:
        faults.append(f"{product}: {len(on)} people on the list in the end, not {seats}, though {len(needs)} need it")
    return faults


def _too_long(product: str, record: ListRecord, *, seats: int) -> Iterator[str]:
    for at, count in record.rejected:
        yield f"{product}: a list of {count} was rejected by the license server at {_clock(at)}"
    for at, users in record.written:
        if len(users) > seats:
            yield f"{product}: {len(users)} people on the list at {_clock(at)}, and only {seats} seats"


def _without_need(
    product: str, record: ListRecord, possible_needs: Chances, checks: QueueChecks, *, linger: float
) -> Iterator[str]:
    for user in record.people():
        allowed = [_possible(possible, checks, linger=linger) for possible in possible_needs.get(user, ())]
        for came, went in record.intervals_of(user):
            covered = _covered(came, allowed)
            if covered < went:
                until = "the end" if went == inf else _clock(went)
                yield f"{product}: {user} was on the list without a need from {_clock(covered)} to {until}"


def _taken_away(product: str, record: ListRecord, possible_needs: Chances, checks: QueueChecks) -> Iterator[str]:
    for user in record.people():
        for _, went in record.intervals_of(user):
            if any(start <= went < end for start, end in (_sure(one, checks) for one in possible_needs.get(user, ()))):
                yield f"{product}: {user} lost the seat at {_clock(went)} while needing it"


def _out_of_turn(product: str, record: ListRecord, possible_needs: Chances, checks: QueueChecks) -> Iterator[str]:
    """Yields grants to a user while another one with an older need waited."""
    waits = [
        (user, start, end, possible.claim)
        for user, of_user in possible_needs.items()
        for possible in of_user
        for start, end in [_sure(possible, checks)]
        if start < end and not record.was_on(user, start)
    ]
    for (_, before), (at, users) in pairwise([(0.0, frozenset[str]()), *record.written]):
        waiting = [
            (user, claim)
            for user, start, end, claim in waits
            if start <= at < end and user not in users and user not in before
        ]
        for luckier in sorted(users - before) if waiting else ():
            other = _earliest_claim(possible_needs.get(luckier, ()), at, checks)
            for user, claim in waiting:
                if other is not None and claim < other:
                    yield (
                        f"{product}: {luckier} (since {other.isoformat()}) was given a seat at {_clock(at)} while "
                        f"{user} waited since {claim.isoformat()}"
                    )


def _earliest_claim(possible_needs: Sequence[PossibleNeed], at: float, checks: QueueChecks) -> datetime | None:
    """Returns the best possible place in line: the first event since which no break had to be noticed."""
    claim: datetime | None = None
    begun = at
    for possible in sorted(possible_needs, key=lambda one: one.arrived, reverse=True):
        start, end = _possible(possible, checks)
        if start <= at and end >= begun:
            begun = min(begun, start)
            claim = possible.claim if claim is None else min(claim, possible.claim)
    return claim


def _possible(possible: PossibleNeed, checks: QueueChecks, *, linger: float = 0.0) -> tuple[float, float]:
    """Returns from when to when an event may keep a user on a list."""
    return possible.arrived - EARLY, checks.effective_by(possible.superseded) + linger


def _sure(possible: PossibleNeed, checks: QueueChecks) -> tuple[float, float]:
    """Returns from when to when the operator must know of the need. Empty: the end is not after the start."""
    return checks.effective_by(possible.arrived), possible.doubted - EARLY


def _covered(start: float, intervals: Iterable[tuple[float, float]]) -> float:
    """Returns up to when the intervals reach without a gap, from `start` on."""
    for began, end in sorted(intervals):
        if began > start:
            break
        start = max(start, end)
    return start


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]
