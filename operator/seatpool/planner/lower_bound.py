"""Computes a number of seats below which no rules and no order meet a target, without a replay.

A need that is served well enough has a seat from the end of the longest wait that the target permits until the need ends.
For the linger time and the cool-down after that, the seat can go to no other user. So of the needs whose times overlap
at one instant, at most as many as there are seats are served well enough. The most needs that can be chosen so are found
by going through time, and dropping the need that lasts longest whenever there are too many.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence

from seatpool.domain.rules import PoolRules
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.target import Target

Core = tuple[float, float]
"""Time in which a need that is served well enough has a seat for itself, in seconds: begin and end."""


def fewest_seats(draws: Sequence[PastDemand], rules: PoolRules, target: Target) -> int:
    """Returns a number of seats such that every smaller one fails the target on this past."""
    counted = sum(need.user not in rules.denied for draw in draws for need in draw.needs)
    permitted = target.most_permitted(counted)
    cores = [sorted(_cores(draw, rules, target)) for draw in draws]
    low, high = 0, max((len(draw.users) for draw in draws), default=0)
    while low < high:
        middle = (low + high) // 2
        if sum(_fewest_dropped(of_draw, middle) for of_draw in cores) <= permitted:
            high = middle
        else:
            low = middle + 1
    return low + len(rules.always) if low else 0


def _cores(draw: PastDemand, rules: PoolRules, target: Target) -> Iterator[Core]:
    next_begin: dict[str, float] = {}
    kept = (rules.linger + rules.seat_cool_down).total_seconds()
    for need in reversed(draw.needs):
        if need.user in rules.denied or need.user in rules.always:
            continue
        begin, end = need.begin.timestamp(), need.end.timestamp()
        served = begin + target.longest_good_wait
        if served < end:  # else a seat at its very end is enough
            yield served, min(end + kept, next_begin.get(need.user, end + kept))
        next_begin[need.user] = begin


def _fewest_dropped(cores: Sequence[Core], seats: int) -> int:
    """Returns the smallest number of needs without which no instant is in more cores than there are seats."""
    dropped = 0
    ends: list[float] = []
    for begin, end in cores:
        del ends[: bisect_right(ends, begin)]
        insort(ends, end)
        if len(ends) > seats:
            ends.pop()
            dropped += 1
    return dropped
