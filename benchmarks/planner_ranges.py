"""Counts how often the range that `seatpool plan` promises has the true number of seats in it.

    python -m benchmarks.planner_ranges --sites 500 --processes 1

The past of each site is drawn from a process that is known. The true number is what the target needs on a very long past
of the same process. Of each site pasts of several lengths are planned, and the range is that of the planner's own code.
Nights are empty, so the shorter pasts are the beginning of the longest one and are not replayed again.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from seatpool.domain.rules import PoolRules
from seatpool.planner.error_bars import ResampledPasts, range_of_seats
from seatpool.planner.past_demand import PastDemand, past_demand
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials
from seatpool.planner.waits import Waits

START = datetime(2026, 3, 2, tzinfo=UTC)
TRUTH_DAYS = 2800
USERS_A_DAY = 40
TARGETS = tuple(map(Target.read, ("p95 wait < 10m", "share waiting < 5%")))
KINDS = {
    "days alike": "all days are drawn alike",
    "a course": "one day in ten a course of 32 comes at 14:00",
    "weekdays": "Mondays are busier by half, weekends nearly empty",
    "weeks": "busy and quiet weeks besides, a factor of 1.3 either way",
}
LENGTHS = {kind: (14, 28, 42, 84, 182) if kind == "weeks" else (14, 28, 42, 84) for kind in KINDS}
Need = tuple[str, int, int]


class CutTrials(Trials):
    """The trials of a longer past, cut after some days."""

    def __init__(self, whole: Trials, days: int) -> None:
        super().__init__(whole.draws, PoolRules(seats=0), processes=1)
        self._whole = whole
        self._last = START.toordinal() + days

    def _replayed(self, numbers: Sequence[int]) -> Iterator[Waits]:
        for waits in self._whole.run(numbers):
            yield replace(
                waits,
                longest_first=[one for one in waits.longest_first if one[1][1] < self._last],
                needs_of_day=Counter({day: n for day, n in waits.needs_of_day.items() if day[1] < self._last}),
            )


def poisson(random: Random, mean: float) -> int:
    """Returns how many users come when so many do on average."""
    count, product, least = 0, random.random(), math.exp(-mean)
    while product > least:
        count, product = count + 1, product * random.random()
    return count


def needs_of_day(random: Random, mean: float, course: int) -> list[Need]:
    """Returns the needs of one day, in its seconds. All end before midnight."""
    needs = []
    for number in range(poisson(random, mean)):
        begin = min(max(random.gauss(10.5, 2), 6), 17) * 3600
        end = min(begin + random.lognormvariate(8.4, 0.8), 23 * 3600)
        needs.append((f"u{number}", int(begin), int(end) + 1))
    for number in range(course):
        begin = 14 * 3600 + random.uniform(0, 600)
        needs.append((f"c{number}", int(begin), int(begin + random.gauss(7200, 300))))
    return needs


def past(kind: str, random: Random, days: int) -> PastDemand:
    """Returns a past of so many days, from a Monday on."""
    periods: dict[str, list[tuple[datetime, datetime]]] = {}
    busy = 1.0
    for day in range(days):
        mean, course = float(USERS_A_DAY), 0
        if kind == "a course":
            course = 32 if random.random() < 0.1 else 0
        elif kind != "days alike":
            if kind == "weeks" and day % 7 == 0:
                busy = random.lognormvariate(0, math.log(1.3))
            mean *= busy * {0: 1.5, 5: 0.1, 6: 0.05}.get(day % 7, 1)
        midnight = START + timedelta(days=day)
        for user, begin, end in needs_of_day(random, mean, course):
            periods.setdefault(user, []).append(
                (midnight + timedelta(seconds=begin), midnight + timedelta(seconds=end))
            )
    return past_demand(kind, periods.items(), since=START, until=START + timedelta(days=days))


@cache
def truth(kind: str, target: Target) -> int:
    """Returns the number of seats that the process needs."""
    trials = Trials([past(kind, Random(f"truth of {kind}"), TRUTH_DAYS)], PoolRules(seats=0), processes=1)
    low, high = 1, 4 * USERS_A_DAY
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if trials.waits(middle).meets(target) else (middle + 1, high)
    return low


@dataclass(frozen=True)
class Outcome:
    """Whether the true number is in a range, and whether the planner says that the past is too short for it."""

    missed: int
    """0: it is in the range. -1: it is smaller than the range. 1: it is larger."""
    marked: bool
    width: int | None
    """Numbers of seats in the range. None: it has no upper end."""
    end: int
    """-1: the true number is the lowest of the range. 1: it is the highest. 0: it is neither, or the only one."""


def site(kind: str, number: int, truths: Sequence[int]) -> dict[tuple[Target, int], Outcome]:
    """Returns the outcome of each target and length."""
    whole = Trials([past(kind, Random(f"{kind} {number}"), max(LENGTHS[kind]))], PoolRules(seats=0), processes=1)
    found = {}
    for days in LENGTHS[kind]:
        trials = CutTrials(whole, days)
        pasts = None
        for target, true in zip(TARGETS, truths, strict=True):
            trials.run((true * 2 // 3, true, true * 3 // 2))
            pasts = pasts or ResampledPasts(trials.tried[0], resamples=200, seed=number)
            band, note = range_of_seats(trials, target, pasts, lowest=1, top=4 * USERS_A_DAY)
            low, high = band or (0, None)
            missed = -1 if true < low else int(high is not None and true > high)
            width = None if high is None else high - low + 1
            end = 0 if width == 1 else int(true == high) - int(true == low)
            found[target, days] = Outcome(missed, marked=note is not None, width=width, end=end)
    return found


def cell(outcomes: Sequence[Outcome]) -> str:
    """Returns the share of ranges with the true number: of those that are not marked, and of those that are (`?`)."""
    parts = []
    for marked in (False, True):
        missed = [one.missed for one in outcomes if one.marked is marked]
        if missed:
            of = "" if len(missed) == len(outcomes) else f" of {len(missed)}"
            parts.append(f"{100 * missed.count(0) / len(missed):.0f} %{'?' if marked else ''}{of}")
    return ", ".join(parts)


def rows(kind: str, truths: Sequence[int], every: Sequence[Mapping[tuple[Target, int], Outcome]]) -> Iterator[str]:
    """Yields the rows of the table for one kind of site: how many ranges have the true number."""
    seats = ", ".join(map(str, truths))
    for days in LENGTHS[kind]:
        cells = [cell([one[target, days] for one in every]) for target in TARGETS]
        yield f"| {KINDS[kind]} ({seats}) | {days} | {' | '.join(cells)} |"


def narrower(kind: str, every: Sequence[Mapping[tuple[Target, int], Outcome]]) -> Iterator[str]:
    """Yields how often unmarked ranges would hold if each had one seat less at its low or at its high end."""
    for days in LENGTHS[kind]:
        cells = []
        for target in TARGETS:
            found = [one[target, days] for one in every if not one[target, days].marked]
            if found:
                held = [one for one in found if one.missed == 0]
                less = (sum(one.end != end for one in held) for end in (-1, 1))
                widths = sorted(one.width for one in found if one.width is not None)
                shares = " or ".join(f"{100 * number / len(found):.0f} %" for number in less)
                cells.append(f"{100 * len(held) / len(found):.1f} %, {shares}, {widths[len(widths) // 2]} seats")
            else:
                cells.append("all marked")
        yield f"| {KINDS[kind]} | {days} | {' | '.join(cells)} |"


def main() -> None:
    """Prints the table of docs/planner.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--narrower", action="store_true", help="how often ranges hold with a seat less at either end")
    options = parser.parse_args()
    print(f"| past (true seats) | days | {' | '.join(target.text for target in TARGETS)} |", flush=True)
    print(f"| --- | --- | {' | '.join('---' for _ in TARGETS)} |", flush=True)
    with ProcessPoolExecutor(options.processes) as pool:
        for kind in options.kind or KINDS:
            truths = [truth(kind, target) for target in TARGETS]
            sites = range(options.sites)
            every = list(pool.map(site, [kind] * len(sites), sites, [truths] * len(sites), chunksize=5))
            print("\n".join(narrower(kind, every) if options.narrower else rows(kind, truths, every)), flush=True)


if __name__ == "__main__":
    main()
