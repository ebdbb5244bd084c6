"""The smallest number of seats that meets a target, and the numbers around it for the curve.

With more seats nobody waits longer, as long as seats are only given in order and kept for a linger time: then bisection
finds the smallest number, and there is only one place where it can be. The vendor's rules and reservations break that: who
got a seat can be blocked afterwards, and who got none is not. Then every number is tried, or where these are too
many, a grid of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from seatpool.domain.rules import PoolRules
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials

CHEAP = 3_000_000
"""So many changes are replayed in seconds: then every number is tried, whatever the rules are."""
MOST_NUMBERS = 500
GRID = 48
SHOWN = 12
NEAR = 2
LOWEST_SHOWN = 0.7


class Method(StrEnum):
    """How the smallest number was found."""

    EVERY_NUMBER = "every number"
    BISECTION = "bisection"
    GRID = "grid"


@dataclass(frozen=True, slots=True)
class Found:
    """The answer; the curve is what the trials tried."""

    seats: int | None
    """None when no number is enough, or none was asked for."""
    top: int
    """More seats than this help nobody."""
    method: Method


def more_seats_never_hurt(rules: PoolRules) -> bool:
    """Whether nobody can wait longer because there are more seats."""
    return not (
        rules.remembers_seats or rules.minimum_hold or rules.readmit_after or rules.reservations or rules.protected
    )


def search(
    trials: Trials, rules: PoolRules, target: Target | None, *, lowest: int, enough: int, cheap: int = CHEAP
) -> Found:
    """Try numbers from `lowest` on; with `enough` seats nobody waits for want of a seat.

    So many changes as `cheap` may be replayed to know every number.
    """
    top = _where_more_seats_stop_helping(trials, rules, lowest=lowest, enough=enough)
    numbers = range(lowest, top + 1)
    exact = more_seats_never_hurt(rules)
    if len(numbers) * trials.changes <= cheap or (target and not exact and len(numbers) <= MOST_NUMBERS):
        trials.try_all(numbers)
        return Found(_first(numbers, trials, target), top, Method.EVERY_NUMBER)
    if exact:
        seats = None if target is None else _bisect(trials, target, lowest=lowest, top=top)
        trials.try_all(_around(seats, lowest=lowest, top=top))
        return Found(seats, top, Method.BISECTION)
    grid = sorted({*_evenly(lowest, top, GRID), top})
    trials.try_all(grid)
    near = _first(grid, trials, target)
    if near is None:
        return Found(None, top, Method.GRID)
    below = max((seats for seats in grid if seats < near), default=near - 1)
    trials.try_all(range(below + 1, near))
    return Found(_first(range(below + 1, near + 1), trials, target), top, Method.GRID)


def _where_more_seats_stop_helping(trials: Trials, rules: PoolRules, *, lowest: int, enough: int) -> int:
    """A number from which on as few wait as with any; the smallest one where more seats never hurt."""
    most = trials.waits(enough)
    if more_seats_never_hurt(rules):
        return max(lowest, most.most_held)
    low, high = lowest, max(lowest, enough)
    while low < high:
        middle = (low + high) // 2
        if trials.waits(middle).share_waiting <= most.share_waiting:
            high = middle
        else:
            low = middle + 1
    return high


def _bisect(trials: Trials, target: Target, *, lowest: int, top: int) -> int | None:
    low, high = lowest, top
    if not target.is_met_by(trials.waits(high).of(target)):
        return None
    while low < high:
        middle = (low + high) // 2
        if target.is_met_by(trials.waits(middle).of(target)):
            high = middle
        else:
            low = middle + 1
    return high


def _first(numbers: Iterable[int], trials: Trials, target: Target | None) -> int | None:
    if target is None:
        return None
    return next((seats for seats in numbers if target.is_met_by(trials.waits(seats).of(target))), None)


def _around(seats: int | None, *, lowest: int, top: int) -> set[int]:
    """What the curve shows: a grid from well below the answer, and every number near it."""
    answer = seats if seats is not None else top
    start = max(lowest, int(answer * LOWEST_SHOWN))
    near = {seats for seats in range(answer - NEAR, answer + NEAR + 1) if lowest <= seats <= top}
    return near | set(_evenly(start, top, SHOWN)) | {top}


def _evenly(start: int, end: int, count: int) -> Iterable[int]:
    return range(start, end + 1, max(1, -(-(end - start) // count)))
