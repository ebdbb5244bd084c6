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
    if before and len(before) != len(after):  # the number of shares changed: a user may be in any of them
        ended = [*_kept(before.values(), is_recorded), *_ended(before.values(), after, ending)]
        return (after[0].model_copy(update={"ended": tuple(ended)}), *after[1:])
    made = []
    for index, spec in enumerate(after):
        known = before.get(index)
        if known is None or index not in changed:
            made.append(spec)
        else:
            found = (*_kept([known], is_recorded), *_ended([known], [spec], ending))
            made.append(spec.model_copy(update={"ended": found}) if found else spec)
    return tuple(made)


def _kept(specs: Iterable[SeatLedgerSpec], is_recorded: Callable[[LedgerEnded], bool]) -> list[LedgerEnded]:
    return [one for spec in specs for one in spec.ended if not is_recorded(one)][-MOST_KEPT:]


def _ended(before: Iterable[SeatLedgerSpec], after: Iterable[SeatLedgerSpec], ending: Ending) -> Iterator[LedgerEnded]:
    after = tuple(after)
    # A time of the future counts as now: see `allocate`. Such an entry goes on and did not end.
    holders = {(grant.user, grant.since) for spec in after for grant in spec.assigned}
    waiting = {(place.user, place.since) for spec in after for place in spec.waiting}
    for spec in before:
        for grant in spec.assigned:
            if (grant.user, min(grant.since, ending.at)) not in holders:
                reason = ending.seats.get(grant.user, NEED_ENDED)
                yield LedgerEnded(user=grant.user, what="Seat", since=grant.since, at=ending.at, reason=reason)
        for place in spec.waiting:
            if (place.user, min(place.since, ending.at)) not in waiting:
                reason = ending.waits.get(place.user, NEED_ENDED)
                yield LedgerEnded(user=place.user, what="Wait", since=place.since, at=ending.at, reason=reason)
