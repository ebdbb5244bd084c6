"""Whether the license server's record is what the events, the seats and first come first served allow.

What is determined, and so demanded:

* No list is ever longer than the seats, and none was ever sent that the license server refused for its length.
* Nobody is on a list without needing it for longer than `SETTLE` (and the linger time) after the queue was seen empty.
  A queue that is empty has been read, and a message leaves it only after its object is written; what follows is a watch
  event of some milliseconds, the debounce of a quarter of a second, and at most one command that was already under way.
  `SETTLE` is ten times what that takes on a busy machine.
* In the end, if all who need a product fit, exactly they are on its list. If not, there are exactly as many people as
  seats, and each of them needs it.
* Nobody who needs a seat, and has needed it for so long, loses it.
* Nobody is given a seat while somebody waits whose need is older: older by the events' own time, waiting and settled in
  the sense above when the list was written, and older even if the other's breaks that nobody need have noticed do not
  count.

What is not determined is who is first among people whose events arrive within the same `SETTLE`: the queue promises no
order, and what is collected by one debounce is decided together.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from math import inf

from seatpool.sim.demo.known import Known, Spell
from seatpool.sim.demo.record import ListRecord, Records

__all__ = ["SETTLE", "QueueLooks", "final_faults", "violations"]

SETTLE = 15.0
EARLY = 2.0
"""The operator may have read a message before its sender knows that it was taken."""
TOLD = 100


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
        record, spells = records[product], known.spells(product)
        found += _too_long(product, record, seats=pool.seats)
        found += _without_need(product, record, spells, looks, linger=linger)
        found += _taken_away(product, record, spells, looks)
        found += _out_of_turn(product, record, spells, looks)
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
    product: str, record: ListRecord, spells: dict[str, tuple[Spell, ...]], looks: QueueLooks, *, linger: float
) -> Iterator[str]:
    for user in record.people():
        allowed = [
            (spell.began - EARLY, inf if spell.ended is None else looks.settled(spell.ended) + linger)
            for spell in spells.get(user, ())
        ]
        for came, went in record.stays(user):
            covered = came
            for start, end in allowed:
                if start <= covered < end:
                    covered = end
            if covered < went:
                until = "the end" if went == inf else _clock(went)
                yield f"{product}: {user} was on the list without a need from {_clock(covered)} to {until}"


def _taken_away(
    product: str, record: ListRecord, spells: dict[str, tuple[Spell, ...]], looks: QueueLooks
) -> Iterator[str]:
    for user in record.people():
        for _, went in record.stays(user):
            for spell in spells.get(user, ()):
                ended = inf if spell.ended is None else spell.ended - EARLY
                if looks.settled(spell.began) <= went < ended:
                    yield f"{product}: {user} lost the seat at {_clock(went)} while needing it"


def _out_of_turn(
    product: str, record: ListRecord, spells: dict[str, tuple[Spell, ...]], looks: QueueLooks
) -> Iterator[str]:
    """Grants to somebody while another waited whose need is older."""
    waits = [
        (user, looks.settled(spell.began), inf if spell.ended is None else spell.ended, _latest_claim(spell, looks))
        for user, of_user in spells.items()
        for spell in of_user
        if not record.was_on(user, looks.settled(spell.began))
    ]
    for (_, before), (at, users) in pairwise([(0.0, frozenset[str]()), *record.written]):
        claims = {user: _earliest_claim(spells.get(user, ()), at, looks) for user in users - before}
        given = {user: claim for user, claim in claims.items() if claim is not None}
        if not given:
            continue
        for user, settled, ended, claim in waits:
            if not (settled <= at < ended) or user in users or user in before:
                continue
            for luckier, other in given.items():
                if claim < other:
                    yield (
                        f"{product}: {luckier} (since {other.isoformat()}) was given a seat at {_clock(at)} while "
                        f"{user} waited since {claim.isoformat()}"
                    )


def _latest_claim(spell: Spell, looks: QueueLooks) -> datetime:
    """The weakest that a person's place in line may be; once in line it never gets worse."""
    settled = looks.settled(spell.began)
    return max(claim for since, claim in spell.claims if since <= settled)


def _earliest_claim(spells: Sequence[Spell], at: float, looks: QueueLooks) -> datetime | None:
    """The strongest that a person's place in line may be: breaks shorter than anybody need notice do not count."""
    claim: datetime | None = None
    later: Spell | None = None
    for spell in reversed([spell for spell in spells if spell.began - EARLY <= at]):
        if later is not None and spell.ended is not None and looks.settled(spell.ended) < later.began:
            break
        earliest = min(one for _, one in spell.claims)
        claim = earliest if claim is None else min(claim, earliest)
        later = spell
    return claim


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]
