"""Makes the same past with more or fewer users.

More users are drawn from the real ones, with replacement. A newcomer lives the days of the user it was drawn from,
shifted by up to 30 minutes. Without the shift both would start in the same second. The days stay the same, because
users have reasons to come together, such as a course or a deadline. The draw is random, so several draws are replayed
and the numbers are over all of them.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from random import Random

from seatpool.planner.past_demand import PastDemand, PastNeed, Period, past_demand

DRAWS = 5
MOST_SHIFT = timedelta(minutes=30)


def scale_users(demand: PastDemand, factor: float, *, seed: int) -> Sequence[PastDemand]:
    """Returns several draws of the past with `factor` times the users. With factor 1 it returns the past itself."""
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
        periods.append((f"{one}+{number}", list(_shifted(needs_of[one], demand, random))))
    return past_demand(demand.name, periods, since=demand.since, until=demand.until)


def _shifted(needs: Sequence[PastNeed], demand: PastDemand, random: Random) -> Iterable[Period]:
    shift = random.uniform(-1, 1) * MOST_SHIFT
    for need in needs:
        begin, end = max(need.begin + shift, demand.since), min(need.end + shift, demand.until)
        if begin < end:
            yield begin, end
