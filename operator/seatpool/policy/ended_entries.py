"""Keeps what ended in the ledger until the history has it in a file and every receiver has its notification.

An end is written in the same update that ends the seat or the wait. So an operator that is killed between freeing a seat and
recording it leaves no gap, and the next leader knows the time. It costs no write of its own: an entry that is recorded
outside is dropped with the next change of its share.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.seatledger import LedgerEnded, SeatLedgerSpec
from seatpool.domain.allocation import Allocation
from seatpool.domain.instants import to_milliseconds

MOST_KEPT = 200
"""Older entries of one share, at most. A history that cannot be written for long must not fill the ledger."""
NEED_ENDED = "NeedEnded"

IsRecorded = Callable[[str, LedgerEnded], bool]
"""Tells whether the history and all receivers have an ended entry of a pool."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The time of one allocation, and the reasons why seats and waits end in it, by user."""

    at: datetime
    seats: Mapping[str, str]
    waits: Mapping[str, str]

    @classmethod
    def of(cls, answer: Allocation, *, at: datetime) -> "Ending":
        waits = dict.fromkeys(answer.denied, "Denied") | {grant.user: "Granted" for grant in answer.granted}
        return cls(at, {gone.user: gone.reason.value for gone in answer.released}, waits)


def bare(spec: SeatLedgerSpec) -> SeatLedgerSpec:
    """Returns the share without its ended entries. Only this part decides whether the share is written."""
    return spec.model_copy(update={"ended": ()}) if spec.ended else spec


def with_ended(
    before: Mapping[int, SeatLedgerSpec],
    after: Sequence[SeatLedgerSpec],
    *,
    changed: Collection[int],
    ending: Ending,
    is_recorded: Callable[[LedgerEnded], bool],
) -> tuple[SeatLedgerSpec, ...]:
    """Returns the shares. Changed ones get the entries that ended now, and the older ones that are not recorded."""
    going_on = _GoingOn(after, ending.at)
    if before and len(before) != len(after):  # the number of shares changed: a user may be in any of them
        ended = [*_kept(before.values(), is_recorded), *_ended(before.values(), going_on, ending)]
        return (after[0].model_copy(update={"ended": tuple(ended)}), *after[1:])
    made = []
    for index, spec in enumerate(after):
        known = before.get(index)
        if known is None or index not in changed:
            made.append(spec)
        else:
            found = (*_kept([known], is_recorded), *_ended([known], going_on, ending))
            made.append(spec.model_copy(update={"ended": found}) if found else spec)
    return tuple(made)


def _kept(specs: Iterable[SeatLedgerSpec], is_recorded: Callable[[LedgerEnded], bool]) -> list[LedgerEnded]:
    return [one for spec in specs for one in spec.ended if not is_recorded(one)][-MOST_KEPT:]


def _ended(before: Iterable[SeatLedgerSpec], going_on: "_GoingOn", ending: Ending) -> Iterator[LedgerEnded]:
    for spec in before:
        for grant in spec.assigned:
            if (grant.user, going_on.since(grant.since)) not in going_on.seats:
                reason = ending.seats.get(grant.user, NEED_ENDED)
                yield LedgerEnded(user=grant.user, what="Seat", since=grant.since, at=ending.at, reason=reason)
        for place in spec.waiting:
            if (place.user, going_on.since(place.since)) not in going_on.waits:
                reason = ending.waits.get(place.user, NEED_ENDED)
                yield LedgerEnded(user=place.user, what="Wait", since=place.since, at=ending.at, reason=reason)


class _GoingOn:
    """The seats and waits that go on, in whichever share they are now.

    An interrupted change of the number of shares leaves an entry in two of them. It did not end when one of them drops it.
    """

    def __init__(self, after: Iterable[SeatLedgerSpec], now: datetime) -> None:
        specs = tuple(after)
        self._now = to_milliseconds(now)
        self.seats = {(grant.user, grant.since) for spec in specs for grant in spec.assigned}
        self.waits = {(place.user, place.since) for spec in specs for place in spec.waiting}

    def since(self, stored: datetime) -> datetime:
        """Returns a stored time as `allocate` writes it again: one of the future counts as now."""
        return min(stored, self._now)
