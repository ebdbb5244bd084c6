"""Whether the license server's record is what the events, the seats and first come first served allow.

What is determined, and so demanded:

* No list is ever longer than the seats, and none was ever sent that the license server refused for its length.
* Nobody is on a list without needing it. An event that ends a need has to be heeded by `SETTLE` (and the linger time)
  after the queue was seen empty. A queue that is empty has been read, and a message leaves it only after its object is
  written; what follows is a watch event of some milliseconds, the debounce of a quarter of a second, and at most one
  command that was already under way. `SETTLE` is ten times what that takes on a busy machine.
* Nobody who needs a seat, and has needed it for so long, loses it.
* Nobody is given a seat while somebody waits whose need is older: older by the events' own time, and so long in the
  queue that it must be known, even if the other's breaks that nobody need have noticed do not count.
* In the end, if all who need a product fit, exactly they are on its list. If not, there are exactly as many people as
  seats, and each of them needs it.

What is not determined is who is first among people whose events arrive within the same `SETTLE`: the queue promises no
order, and what is collected by one debounce is decided together. Nor is what happens while some events of an instance
have been read and others that arrived before them have not.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import inf

from seatpool.sim.demo.known import Chance, Known
from seatpool.sim.demo.record import ListRecord, Records

__all__ = ["SETTLE", "QueueLooks", "final_faults", "violations"]

SETTLE = 15.0
EARLY = 2.0
"""The operator may have read a message before its sender knows that it was taken."""
TOLD = 100
Chances = Mapping[str, Sequence[Chance]]


class QueueLooks:
    """At which instants the queue was seen empty."""

    def __init__(self) -> None:
        self._empty: list[float] = []

    def saw_empty(self, at: float) -> None:
        """The question was asked at `at`, and the answer was: nothing visible and nothing in anybody's hands."""
        self._empty.append(at)

    def empty_since(self, at: float) -> bool:
        """Whether it was seen empty after that instant."""
        return bool(self._empty) and self._empty[-1] >= at

    def settled(self, arrived: float) -> float:
        """When the effect of what arrived then must be on the lists; infinity while that cannot be said."""
        index = bisect_left(self._empty, arrived)
        return self._empty[index] + SETTLE if index < len(self._empty) else inf


def violations(
    known: Known, records: Records, looks: QueueLooks, *, linger: float = 0.0, products: Collection[str] | None = None
) -> list[str]:
    """What was wrong, the first hundred of it; empty when nothing was. `products` are those that are judged, or all."""
    found: list[str] = []
    for product, pool in known.pools.items():
        if products is not None and product not in products:
            continue
        record, chances = records[product], known.chances(product)
        found += _too_long(product, record, seats=pool.seats)
        found += _without_need(product, record, chances, looks, linger=linger)
        found += _taken_away(product, record, chances, looks)
        found += _out_of_turn(product, record, chances, looks)
        found += final_faults(product, record.users, known.needs(product), seats=pool.seats)
    return found[:TOLD] + ([f"and {len(found) - TOLD} more"] if len(found) > TOLD else [])


def final_faults(product: str, listed: Sequence[str], needs: frozenset[str], *, seats: int) -> list[str]:
    """What is wrong with a list when everything has come to rest."""
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
    product: str, record: ListRecord, chances: Chances, looks: QueueLooks, *, linger: float
) -> Iterator[str]:
    for user in record.people():
        allowed = [_possible(chance, looks, linger=linger) for chance in chances.get(user, ())]
        for came, went in record.stays(user):
            covered = _covered(came, allowed)
            if covered < went:
                until = "the end" if went == inf else _clock(went)
                yield f"{product}: {user} was on the list without a need from {_clock(covered)} to {until}"


def _taken_away(product: str, record: ListRecord, chances: Chances, looks: QueueLooks) -> Iterator[str]:
    for user in record.people():
        for _, went in record.stays(user):
            if any(start <= went < end for start, end in (_sure(one, looks) for one in chances.get(user, ()))):
                yield f"{product}: {user} lost the seat at {_clock(went)} while needing it"


def _out_of_turn(product: str, record: ListRecord, chances: Chances, looks: QueueLooks) -> Iterator[str]:
    """Grants to somebody while another waited whose need is older."""
    waits = [
        (user, start, end, chance.claim)
        for user, of_user in chances.items()
        for chance in of_user
        for start, end in [_sure(chance, looks)]
        if start < end and not record.was_on(user, start)
    ]
    for (_, before), (at, users) in pairwise([(0.0, frozenset[str]()), *record.written]):
        waiting = [
            (user, claim)
            for user, start, end, claim in waits
            if start <= at < end and user not in users and user not in before
        ]
        for luckier in sorted(users - before) if waiting else ():
            other = _earliest_claim(chances.get(luckier, ()), at, looks)
            for user, claim in waiting:
                if other is not None and claim < other:
                    yield (
                        f"{product}: {luckier} (since {other.isoformat()}) was given a seat at {_clock(at)} while "
                        f"{user} waited since {claim.isoformat()}"
                    )


def _earliest_claim(chances: Sequence[Chance], at: float, looks: QueueLooks) -> datetime | None:
    """The best that a person's place in line may be: from the first event on since when no break had to be noticed."""
    claim: datetime | None = None
    begun = at
    for chance in sorted(chances, key=lambda one: one.arrived, reverse=True):
        start, end = _possible(chance, looks)
        if start <= at and end >= begun:
            begun = min(begun, start)
            claim = chance.claim if claim is None else min(claim, chance.claim)
    return claim


def _possible(chance: Chance, looks: QueueLooks, *, linger: float = 0.0) -> tuple[float, float]:
    """From when to when an event may have somebody on a list."""
    return chance.arrived - EARLY, looks.settled(chance.superseded) + linger


def _sure(chance: Chance, looks: QueueLooks) -> tuple[float, float]:
    """From when to when the operator must know of the need; empty when the end is not after the start."""
    return looks.settled(chance.arrived), chance.doubted - EARLY


def _covered(start: float, intervals: Iterable[tuple[float, float]]) -> float:
    """Up to when the intervals reach without a gap, from `start` on."""
    for began, end in sorted(intervals):
        if began > start:
            break
        start = max(start, end)
    return start


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]
