"""Finds the smallest number of seats that meets a target, and the numbers around it for the curve.

If seats are only given in order and kept for a linger time, no user waits longer with more seats. Then bisection finds
the smallest number. The vendor's rules and reservations break that: a user who got a seat can be blocked afterwards.
Then every number is tried, or a grid if there are too many.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from seatpool.domain.rules import PoolRules
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials

CHEAP = 3_000_000
"""So many changes are replayed in seconds. Up to it every number is tried, whatever the rules are."""
MOST_NUMBERS = 500
GRID = 48
SHOWN = 9
NEAR = 2
LOWEST_SHOWN = 0.65


class Method(StrEnum):
    """Ways to find the smallest number."""

    EVERY_NUMBER = "every number"
    BISECTION = "bisection"
    GRID = "grid"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Result of a search. The curve is in the trials."""

    seats: int | None
    """None: no number is enough, or there is no target."""
    top: int
    """With more seats than this no user waits less."""
    method: Method


def is_monotonic(rules: PoolRules) -> bool:
    """Tells whether no user can wait longer because there are more seats."""
    return not (
        rules.remembers_seats or rules.minimum_hold or rules.readmit_after or rules.reservations or rules.protected
    )


def search(
    trials: Trials, rules: PoolRules, target: Target | None, *, lowest: int, enough: int, cheap: int = CHEAP
) -> SearchResult:
    """Tries numbers from `lowest` on. With `enough` seats no user waits for want of a seat.

    Up to `cheap` changes may be replayed to know every number.
    """
    top = _saturation_point(trials, rules, target, lowest=lowest, enough=enough)
    numbers = range(lowest, top + 1)
    exact = is_monotonic(rules)
    if len(numbers) * trials.changes <= cheap or (target and not exact and len(numbers) <= MOST_NUMBERS):
        trials.run(numbers)
        return SearchResult(_first(numbers, trials, target), top, Method.EVERY_NUMBER)
    if exact:
        grid = _grid(lowest, top)
        trials.run(grid)
        seats = None if target is None else _bisect(trials, target, grid, lowest=lowest)
        trials.run(_around(seats, grid, lowest=lowest, top=top))
        return SearchResult(seats, top, Method.BISECTION)
    grid = sorted({*_evenly(lowest, top, GRID), top})
    trials.run(grid)
    near = _first(grid, trials, target)
    if near is None:
        return SearchResult(None, top, Method.GRID)
    below = max((seats for seats in grid if seats < near), default=near - 1)
    trials.run(range(below + 1, near))
    return SearchResult(_first(range(below + 1, near + 1), trials, target), top, Method.GRID)


def _saturation_point(trials: Trials, rules: PoolRules, target: Target | None, *, lowest: int, enough: int) -> int:
    """Returns a number with which no more users wait than with any other, and no longer.

    It is the smallest such number if `is_monotonic`.
    """
    most = trials.waits(enough)
    if is_monotonic(rules):
        return max(lowest, most.most_held)
    low, high = lowest, max(lowest, enough)
    while low < high:
        middle = (low + high) // 2
        waits = trials.waits(middle)
        as_short = target is None or waits.value(target) <= most.value(target)
        if as_short and waits.share_waiting <= most.share_waiting:
            high = middle
        else:
            low = middle + 1
    return high


def _bisect(trials: Trials, target: Target, grid: Sequence[int], *, lowest: int) -> int | None:
    """Returns the smallest number, searched between two neighbours of the grid."""
    high = _first(grid, trials, target)
    if high is None:
        return None
    low = max((seats + 1 for seats in grid if seats < high), default=lowest)
    while low < high:
        middle = (low + high) // 2
        if target.is_met_by(trials.waits(middle).value(target)):
            high = middle
        else:
            low = middle + 1
    return high


def _first(numbers: Iterable[int], trials: Trials, target: Target | None) -> int | None:
    if target is None:
        return None
    return next((seats for seats in numbers if target.is_met_by(trials.waits(seats).value(target))), None)


def _around(seats: int | None, grid: Sequence[int], *, lowest: int, top: int) -> set[int]:
    """Returns the numbers of the curve beside the grid: all near the answer, and a grid that begins below it."""
    if seats is None:
        return set()
    near = {number for number in range(seats - NEAR, seats + NEAR + 1) if lowest <= number <= top}
    return near if seats > grid[0] else near | set(_grid(max(lowest, int(seats * LOWEST_SHOWN)), top))


def _grid(lowest: int, top: int) -> list[int]:
    """Returns some numbers up to `top`, from where waits usually begin to be short."""
    return sorted({*_evenly(max(lowest, int(top * LOWEST_SHOWN)), top, SHOWN), top})


def _evenly(start: int, end: int, count: int) -> Iterable[int]:
    return range(start, end + 1, max(1, -(-(end - start) // count)))
