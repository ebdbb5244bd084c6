"""Computes the plan of one pool: how many seats, how sure that is, and what other numbers of seats give."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seatpool.domain.rules import PoolRules
from seatpool.planner.error_bars import ErrorBars, error_bars
from seatpool.planner.growth import scale_users
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.search import CHEAP, Method, search
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials
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
    """Result of one number of seats. Waits are in seconds."""

    seats: int
    share_waiting: float
    share_unserved: float
    wait_p50_s: float
    wait_p95_s: float
    wait_p95_low_s: float | None
    wait_p95_high_s: float | None
    wait_max_s: float
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


def make_plan(
    demand: PastDemand, rules: PoolRules, request: PlanRequest, *, processes: int, pools: int = 1
) -> SeatPlan:
    """Tries numbers of seats until the plan is known. `pools` is the number of pools that share the time of a run."""
    draws = scale_users(demand, request.growth, seed=request.seed)
    trials = Trials(draws, rules, processes=processes)
    lowest = max(1, sum(item.seats for item in rules.reservations), len(rules.always))
    people = len(frozenset().union(*(draw.users for draw in draws)) | rules.always)
    enough = max(lowest, people + sum(item.seats for item in rules.reservations))
    found = search(trials, rules, request.target, lowest=lowest, enough=enough, cheap=CHEAP // pools)
    if request.numbers is not None:
        trials.run(request.numbers)
    wanted = request.numbers or ()
    curve = [waits for waits in trials.tried if waits.seats <= found.top or waits.seats in wanted]
    bars = error_bars(curve, request.target, resamples=request.resamples, seed=request.seed)
    band = bars.seats if bars is not None and bars.seats is not None and found.seats is not None else (None, None)
    shown = curve if request.numbers is None else [trials.waits(seats) for seats in request.numbers]
    return SeatPlan(
        name=demand.name,
        target=None if request.target is None else request.target.text,
        seats=found.seats,
        seats_low=band[0],
        seats_high=band[1],
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
        cost=_cost(found.seats, request.price),
        curve=[_point(waits, request, bars) for waits in shown],
    )


def _point(waits: Waits, request: PlanRequest, bars: ErrorBars | None) -> Point:
    p95 = bars.p95.get(waits.seats) if bars is not None else None
    target = request.target
    return Point(
        seats=waits.seats,
        share_waiting=waits.share_waiting,
        share_unserved=waits.share_unserved,
        wait_p50_s=waits.percentile(50),
        wait_p95_s=waits.percentile(95),
        wait_p95_low_s=p95.low if p95 else None,
        wait_p95_high_s=p95.high if p95 else None,
        wait_max_s=waits.longest,
        utilisation=waits.utilisation,
        cost=_cost(waits.seats, request.price),
        meets_target=None if target is None else target.is_met_by(waits.value(target)),
    )


def _cost(seats: int | None, price: float | None) -> float | None:
    return None if seats is None or price is None else seats * price


def _format_rules(rules: PoolRules) -> dict[str, str]:
    """Returns the rules that are set, by the names of a pool's spec."""
    texts = format_rules(rules, budget="{count}/{window}")
    texts |= _counted("reservations", (f"{item.name} {item.seats}" for item in rules.reservations))
    texts |= _counted("priorities", (f"{item.pattern} {item.weight}" for item in rules.priorities))
    texts |= _counted("protectedUsers", rules.protected) | _counted("deniedUsers", sorted(rules.denied))
    return texts


def _counted(name: str, items: Iterable[str]) -> dict[str, str]:
    text = ", ".join(items)
    return {name: text} if text else {}
