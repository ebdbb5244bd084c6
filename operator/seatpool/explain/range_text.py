"""Whether a likely range can be given to somebody who waits, which one, and if not, why not.

SeatDurations of seats tell when one comes free; whether it then goes to the next in line is the rules' to say. So a range is
given only where nothing but full seats keeps a person waiting, and no rule is known that would keep the freed seat from the line.
"""

from datetime import datetime

from seatpool.domain.allocation import InLine
from seatpool.domain.reasons import Reason
from seatpool.domain.seat_durations import SeatDurations
from seatpool.explain.messages import Said, Say, say
from seatpool.explain.rule_text import field_of
from seatpool.explain.simulation import Replay
from seatpool.explain.wait_estimate import FEWEST, Holder, Likely, likely
from seatpool.text import TimeFormat

Told = tuple[Likely | None, tuple[Said, ...]]


def told_range(replay: Replay, place: InLine, *, expected: datetime | None, times: TimeFormat) -> Told:
    """The range and its sentence; `expected` is the instant that is certain if nobody starts or stops before."""
    pool, now = replay.pool, replay.now
    if not replay.may_release:
        return None, ()  # what holds everybody back is told as an obstacle
    field = _what_else_decides(replay, place)
    if field is not None:
        told = say(Say.RULES_DECIDE_TOO, field=f"spec.{field}", pool=pool.key)
        return None, () if expected is not None else (told,)
    known = pool.status.seat_lengths
    if known is None or known.seats < FEWEST:
        count = 0 if known is None else known.seats
        return None, (say(Say.TOO_FEW_SEATS, fewest=str(FEWEST), pool=pool.key, count=str(count)),)
    found = likely(
        _holders(replay), position=place.position, lengths=SeatDurations(known.seats, known.seconds),
        blocked=pool.spec.seat_cool_down, now=now,
    )  # fmt: skip
    if found is None:
        return None, (say(Say.LONGER_THAN_BEFORE, seats=str(known.seats)),)
    if expected is not None:
        found = Likely(begin=min(found.begin, expected), end=min(found.end, expected), seats=found.seats)
        if found.begin == found.end:
            return None, ()
    begin, end = times.format_time(found.begin), times.format_time(found.end)
    return found, (say(Say.LIKELY_RANGE, begin=begin, end=end, seats=str(found.seats)),)


def _what_else_decides(replay: Replay, place: InLine) -> str | None:
    """The field of a rule that may keep a freed seat from the line."""
    spec = replay.pool.spec
    if place.reason is not Reason.POOL_FULL:
        return field_of(place.reason)
    if spec.reservations:
        return "reservations"
    budget = spec.max_reassignments
    if budget is not None and replay.answer.reassignments_used + place.position > budget.count:
        return "maxReassignments"
    return None


def _holders(replay: Replay) -> list[Holder]:
    """Whoever has a seat and does not keep it for ever."""
    answer, always = replay.answer, replay.rules.always
    return [
        Holder(since=grant.since, not_before=replay.end_if_stopped(grant), works=user in replay.needs)
        for user, grant in answer.memory.assigned.items()
        if user not in always
    ]
