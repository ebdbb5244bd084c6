"""The same past with more people, or fewer.

More people are drawn from those there were, with replacement, and each lives the past of the one it was drawn from in
another week: whole weeks later, counted round, so that a Monday morning stays one, and up to half an hour earlier or later.
Otherwise every newcomer would start in the same second as a colleague. Which people are drawn is chance, so several draws
are replayed and the numbers are over all of them.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from random import Random

from seatpool.planner.past_demand import PastDemand, PastNeed, Period, past_demand

DRAWS = 5
DAY = timedelta(days=1)
DAYS_OF_A_WEEK = 7
MOST_SHIFT = timedelta(minutes=30)


def with_other_people(demand: PastDemand, factor: float, *, seed: int) -> Sequence[PastDemand]:
    """Several draws of the past with so many times the people; the past itself for a factor of 1."""
    if factor == 1 or not demand.needs:
        return [demand]
    return [_draw(demand, factor, Random(seed + number)) for number in range(DRAWS)]  # noqa: S311


def _draw(demand: PastDemand, factor: float, random: Random) -> PastDemand:
    needs_of: dict[str, list[PastNeed]] = {}
    for need in demand.needs:
        needs_of.setdefault(need.user, []).append(need)
    users = sorted(needs_of)
    wanted = max(1, round(len(users) * factor))
    stay = users if wanted >= len(users) else random.sample(users, wanted)
    periods: list[tuple[str, Iterable[Period]]] = [
        (user, [(need.begin, need.end) for need in needs_of[user]]) for user in stay
    ]
    for number in range(1, wanted - len(stay) + 1):
        one = random.choice(users)
        periods.append((f"{one}+{number}", _in_another_week(needs_of[one], demand, random)))
    return past_demand(demand.name, periods, since=demand.since, until=demand.until)


def _in_another_week(needs: Sequence[PastNeed], demand: PastDemand, random: Random) -> list[Period]:
    midnight = demand.since.replace(hour=0, minute=0, second=0, microsecond=0)
    days = (demand.until - midnight) // DAY + 1
    later = random.randrange(days)
    shift = random.uniform(-1, 1) * MOST_SHIFT
    shifted = []
    for need in needs:
        week, weekday = divmod((need.begin - midnight) // DAY, DAYS_OF_A_WEEK)
        weeks_with_that_day = (days - weekday - 1) // DAYS_OF_A_WEEK + 1
        moved = ((week + later) % weeks_with_that_day - week) * DAYS_OF_A_WEEK * DAY + shift
        begin, end = max(need.begin + moved, demand.since), min(need.end + moved, demand.until)
        if begin < end:
            shifted.append((begin, end))
    return shifted
