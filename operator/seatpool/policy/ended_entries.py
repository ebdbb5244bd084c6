"""What ended is written in the ledger together with the end itself, and stays there until the history has it in a file and
the receivers of notices have taken theirs.

An operator that is killed between freeing a seat and recording or telling it leaves no gap so, and whoever takes over knows
the instant. It costs no write of its own: what is known outside by then goes with the next change of the share.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.seatledger import LedgerEnded, SeatLedgerSpec
from seatpool.domain.allocation import Allocation

MOST_KEPT = 200
"""In one share, beside what ends at the moment: a history that cannot be written for long must not fill the ledger."""
NEED_ENDED = "NeedEnded"

IsRecorded = Callable[[str, LedgerEnded], bool]
"""Whether everybody who has to know has something that ended in a pool."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why seats and waits end in one answer, and when."""

    at: datetime
    seats: Mapping[str, str]
    waits: Mapping[str, str]

    @classmethod
    def of(cls, answer: Allocation, *, at: datetime) -> "Ending":
        waits = dict.fromkeys(answer.denied, "Denied") | {grant.user: "Granted" for grant in answer.granted}
        return cls(at, {gone.user: gone.reason.value for gone in answer.released}, waits)


def bare(spec: SeatLedgerSpec) -> SeatLedgerSpec:
    """The share without what ended: what decides whether it has to be written."""
    return spec.model_copy(update={"ended": ()}) if spec.ended else spec


def with_ended(
    before: Mapping[int, SeatLedgerSpec],
    after: Sequence[SeatLedgerSpec],
    *,
    changed: Collection[int],
    ending: Ending,
    is_recorded: Callable[[LedgerEnded], bool],
) -> tuple[SeatLedgerSpec, ...]:
    """The shares that changed with what ended since `before`, and what ended earlier and is not recorded."""
    if before and len(before) != len(after):  # divided otherwise: people may be in any share
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
    holders = {(grant.user, grant.since) for spec in after for grant in spec.assigned}
    waiting = {(place.user, place.since) for spec in after for place in spec.waiting}
    for spec in before:
        for grant in spec.assigned:
            if (grant.user, grant.since) not in holders:
                reason = ending.seats.get(grant.user, NEED_ENDED)
                yield LedgerEnded(user=grant.user, what="Seat", since=grant.since, at=ending.at, reason=reason)
        for place in spec.waiting:
            if (place.user, place.since) not in waiting:
                reason = ending.waits.get(place.user, NEED_ENDED)
                yield LedgerEnded(user=place.user, what="Wait", since=place.since, at=ending.at, reason=reason)
