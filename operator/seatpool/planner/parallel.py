"""Plans several pools at once, each in a process of its own. A single pool shares its numbers among the processes."""

from collections.abc import Sequence

from seatpool.domain.rules import PoolRules
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.plan import PlanRequest, SeatPlan, make_plan
from seatpool.planner.trials import WORTH_A_PROCESS, cpu_count, process_pool

TRIALS = 20
"""About how many numbers of seats are tried for one pool."""


def make_plans(pools: Sequence[tuple[PastDemand, PoolRules]], request: PlanRequest) -> list[SeatPlan]:
    """Returns a plan for each pool, in the same order."""
    count = min(cpu_count(), len(pools))
    changes = TRIALS * sum(len(demand.needs) for demand, _ in pools)
    if count <= 1 or changes < WORTH_A_PROCESS:
        return [make_plan(demand, rules, request, processes=cpu_count(), pools=len(pools)) for demand, rules in pools]
    with process_pool(count) as pool:
        jobs = [
            pool.submit(make_plan, demand, rules, request, processes=1, pools=len(pools)) for demand, rules in pools
        ]
        return [job.result() for job in jobs]
