"""Finds the smallest number of seats that meets a target, and the numbers around it for the curve.

If seats are only given in order and kept for a linger time, no user waits longer with more seats. Then bisection finds
the smallest number. The vendor's rules and reservations break that: a user who got a seat can be blocked afterwards.
Then every number is tried that can meet the target (`lower_bound`) and is smaller than one that does. If these are too
many, a grid of them is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from seatpool.domain.rules import PoolRules
from seatpool.planner.lower_bound import fewest_seats
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials

CHEAP = 1_000_000
"""So many changes are replayed in seconds. Up to it every number is tried for the curve."""
AFFORDABLE = 4_000_000
"""So many changes are replayed to be sure of the answer where more seats can be worse."""
GRID = 12
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
    trials: Trials,
    rules: PoolRules,
    target: Target | None,
    *,
    lowest: int,
    enough: int,
    cheap: int = CHEAP,
    affordable: int = AFFORDABLE,
) -> SearchResult:
    """Tries numbers from `lowest` on. With `enough` seats no user waits for want of a seat.

    Up to `cheap` changes may be replayed to know every number, and up to `affordable` ones to be sure of the answer.
    """
    top = _saturation_point(trials, rules, target, lowest=lowest, enough=enough)
    exact = is_monotonic(rules)
    if (top + 1 - lowest) * trials.changes <= cheap:
        numbers = range(lowest, top + 1)
        trials.run(numbers)
        return SearchResult(_first(numbers, trials, target), top, Method.EVERY_NUMBER)
    grid = _grid(lowest, top)
    if target is None:
        trials.run(grid)
        return SearchResult(None, top, Method.BISECTION if exact else Method.GRID)
    fewest = min(top, max(lowest, fewest_seats(trials.draws, rules, target)))
    if exact:
        trials.run(grid)
        seats = _bisect(trials, target, grid, lowest=fewest)
        trials.run(_around(seats, grid, lowest=lowest, top=top))
        return SearchResult(seats, top, Method.BISECTION)
    found = _search_grid(trials, target, fewest=fewest, top=top, affordable=affordable // max(1, trials.changes))
    seats = found.seats
    while seats is not None:
        trials.run(_around(seats, grid, lowest=lowest, top=top))
        smaller = smallest_tried(trials, target, lowest=lowest)
        if smaller == seats:
            break
        seats = smaller
    return replace(found, seats=seats)


def smallest_tried(trials: Trials, target: Target, *, lowest: int) -> int | None:
    """Returns the smallest number that was tried and meets the target. None: there is none."""
    return next((waits.seats for waits in trials.tried if waits.seats >= lowest and waits.meets(target)), None)


def _search_grid(trials: Trials, target: Target, *, fewest: int, top: int, affordable: int) -> SearchResult:
    """Returns the smallest number where more seats can be worse. `affordable` is how many numbers may be tried."""
    grid = sorted({*_evenly(fewest, top, GRID), top})
    near = _first_of(grid, trials, target)
    smaller = range(fewest, top + 1 if near is None else near)
    if len(smaller) <= affordable:
        seats = _first_of(smaller, trials, target)
        return SearchResult(near if seats is None else seats, top, Method.EVERY_NUMBER)
    if near is None:
        return SearchResult(None, top, Method.GRID)
    below = max((seats for seats in grid if seats < near), default=near - 1)
    between = range(below + 1, near + 1)
    if len(between) <= affordable:
        return SearchResult(_first_of(between, trials, target), top, Method.GRID)
    return SearchResult(_bisect(trials, target, [below, near], lowest=below), top, Method.GRID)


def _saturation_point(trials: Trials, rules: PoolRules, target: Target | None, *, lowest: int, enough: int) -> int:
    """Returns a number with which no more users wait than with any other, and no longer.

    It is the smallest such number if `is_monotonic`.
    """
    most = trials.waits(enough)
    if is_monotonic(rules):
        return max(lowest, most.most_held)
    exceeding = None if target is None else most.exceeding(target).total()
    low, high = lowest, max(lowest, enough)
    while low < high:
        middle = (low + high) // 2
        waits = trials.waits(middle)
        as_good = target is None or exceeding is None or waits.exceeding(target).total() <= exceeding
        if as_good and waits.share_waiting <= most.share_waiting and waits.unserved <= most.unserved:
            high = middle
        else:
            low = middle + 1
    return high


def _bisect(trials: Trials, target: Target, grid: Sequence[int], *, lowest: int) -> int | None:
    """Returns the smallest number, searched between two neighbours of the grid."""
    high = _first(grid, trials, target)
    if high is None:
        return None
    low = min(high, max([lowest, *(seats + 1 for seats in grid if seats < high)]))
    while low < high:
        middle = (low + high) // 2
        if trials.waits(middle).meets(target):
            high = middle
        else:
            low = middle + 1
    return high


def _first(numbers: Sequence[int], trials: Trials, target: Target | None) -> int | None:
    """Returns the first number that meets the target, after all of them were tried."""
    if target is None:
        return None
    return next((waits.seats for waits in trials.run(numbers) if waits.meets(target)), None)


def _first_of(numbers: Sequence[int], trials: Trials, target: Target) -> int | None:
    """Returns the first number that meets the target. Those above it are not tried, but a few."""
    for start in range(0, len(numbers), trials.at_once):
        seats = _first(numbers[start : start + trials.at_once], trials, target)
        if seats is not None:
            return seats
    return None


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
