"""Computes the plan of one pool: how many seats, how sure that is, and what other numbers of seats give."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from seatpool.domain.identity import is_placeholder
from seatpool.domain.rules import PoolRules
from seatpool.planner.error_bars import ErrorBars, error_bars
from seatpool.planner.growth import scale_users
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.search import CHEAP, Method, search, smallest_tried
from seatpool.planner.target import Target
from seatpool.planner.trials import Told, Trials
from seatpool.planner.waits import Waits
from seatpool.policy.pool_rules import format_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Options of a run. They are the same for all its pools."""

    target: Target | None = None
    growth: float = 1.0
    numbers: range | None = None
    """Numbers of seats for the curve. None: those that show something."""
    price: float | None = None
    """Price of one seat."""
    resamples: int = 200
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Result of one number of seats. Waits are in seconds, and infinite for a need that is never served."""

    seats: int
    share_served: float | None
    """Share of the needs that are served as well as the target asks of each. None: no target was given."""
    share_waiting: float
    share_unserved: float
    unserved: int
    """Number of needs that are never served."""
    wait_p50_s: float
    wait_p95_s: float
    wait_p95_low_s: float | None
    wait_p95_high_s: float | None
    wait_max_s: float
    """Longest time that a need waits, for a seat or in vain. Always finite."""
    utilisation: float
    cost: float | None
    meets_target: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPlan:
    """Result for one pool."""

    name: str
    target: str | None
    seats: int | None
    """The smallest number that meets the target. None: there is none, or no target."""
    seats_low: int | None
    seats_high: int | None
    """In 90 % of the resampled pasts the target needs `seats_low` to `seats_high` seats."""
    range_note: str | None
    """Why there is no such range, or why it says too little. None: it holds, or no target was given."""
    seats_now: int | None
    method: Method | None
    """How the number was found. None: no target was given."""
    nobody_waits_for_a_seat: int
    """With more seats than this no user waits less."""
    needs: int
    users: int
    most_at_once: int
    since: datetime
    until: datetime
    growth: float
    rules: Mapping[str, str]
    cost: float | None
    curve: Sequence[Point]

    @property
    def answer(self) -> Point | None:
        return next((point for point in self.curve if point.seats == self.seats), None)

    @property
    def is_reachable(self) -> bool:
        """Tells whether there is a number that meets the target, or no target."""
        return self.target is None or self.seats is not None


def make_plan(
    demand: PastDemand,
    rules: PoolRules,
    request: PlanRequest,
    *,
    processes: int,
    pools: int = 1,
    told: Told = lambda _words: None,
) -> SeatPlan:
    """Tries numbers of seats until the plan is known. `pools` is the number of pools that share the time of a run."""
    counted = _without_denied(demand, rules)
    if not counted.needs:
        return _nothing_needed(counted, rules, request)
    draws = scale_users(counted, request.growth, seed=request.seed)
    trials = Trials(draws, rules, processes=processes, told=told)
    reserved = sum(item.seats for item in rules.reservations)
    lowest = max(1, reserved, len(rules.always))
    people = len(frozenset().union(*(draw.users for draw in draws)) | rules.always)
    found = search(
        trials, rules, request.target, lowest=lowest, enough=max(lowest, people + reserved), cheap=CHEAP // pools
    )
    if request.numbers is not None:
        trials.run(request.numbers)
    bars = error_bars(
        trials, request.target, lowest=lowest, top=found.top, resamples=request.resamples, seed=request.seed
    )
    seats = found.seats if request.target is None else smallest_tried(trials, request.target, lowest=lowest)
    wanted = request.numbers or ()
    curve = [waits for waits in trials.tried if waits.seats <= found.top or waits.seats in wanted]
    shown = curve if request.numbers is None else [trials.waits(seats) for seats in request.numbers]
    band = bars.seats if bars.seats is not None and seats is not None else (None, None)
    return SeatPlan(
        name=demand.name,
        target=None if request.target is None else request.target.text,
        seats=seats,
        seats_low=band[0],
        seats_high=band[1],
        range_note=None if seats is None else bars.note,
        seats_now=rules.seats or None,
        method=None if request.target is None else found.method,
        nobody_waits_for_a_seat=found.top,
        needs=round(sum(len(draw.needs) for draw in draws) / len(draws)),
        users=max(len(draw.users) for draw in draws),
        most_at_once=max(draw.most_at_once for draw in draws),
        since=demand.since,
        until=demand.until,
        growth=request.growth,
        rules=_format_rules(rules),
        cost=_cost(seats, request.price),
        curve=[_point(waits, request, bars, draws=len(draws)) for waits in shown],
    )


def _without_denied(demand: PastDemand, rules: PoolRules) -> PastDemand:
    """Returns the demand that counts. A denied user never gets a seat and takes none from others."""
    if not rules.denied:
        return demand
    return replace(demand, needs=[need for need in demand.needs if need.user not in rules.denied])


def _nothing_needed(demand: PastDemand, rules: PoolRules, request: PlanRequest) -> SeatPlan:
    seats = None if request.target is None else 0
    return SeatPlan(
        name=demand.name,
        target=None if request.target is None else request.target.text,
        seats=seats,
        seats_low=None,
        seats_high=None,
        range_note=None,
        seats_now=rules.seats or None,
        method=None,
        nobody_waits_for_a_seat=0,
        needs=0,
        users=0,
        most_at_once=0,
        since=demand.since,
        until=demand.until,
        growth=request.growth,
        rules=_format_rules(rules),
        cost=_cost(seats, request.price),
        curve=[],
    )


def _point(waits: Waits, request: PlanRequest, bars: ErrorBars, *, draws: int) -> Point:
    p95 = bars.p95.get(waits.seats)
    target = request.target
    return Point(
        seats=waits.seats,
        share_served=None if target is None else waits.share_served(target),
        share_waiting=waits.share_waiting,
        share_unserved=waits.share_unserved,
        unserved=round(waits.unserved / draws),
        wait_p50_s=waits.percentile(50),
        wait_p95_s=waits.percentile(95),
        wait_p95_low_s=p95.low if p95 else None,
        wait_p95_high_s=p95.high if p95 else None,
        wait_max_s=waits.longest,
        utilisation=waits.utilisation,
        cost=_cost(waits.seats, request.price),
        meets_target=None if target is None else waits.meets(target),
    )


def _cost(seats: int | None, price: float | None) -> float | None:
    return None if seats is None or price is None else seats * price


def _format_rules(rules: PoolRules) -> dict[str, str]:
    """Returns the rules that are set, by the names of a pool's spec."""
    texts = format_rules(rules, budget="{count}/{window}")
    texts |= _counted("reservations", (f"{item.name} {item.seats}" for item in rules.reservations))
    texts |= _counted("priorities", (f"{item.pattern} {item.weight}" for item in rules.priorities))
    denied = sorted(user for user in rules.denied if not is_placeholder(user))
    texts |= _counted("protectedUsers", rules.protected) | _counted("deniedUsers", denied)
    return texts


def _counted(name: str, items: Iterable[str]) -> dict[str, str]:
    text = ", ".join(items)
    return {name: text} if text else {}
