"""Plans several pools at once, each in a process of its own. A single pool shares its numbers among the processes."""

from collections.abc import Sequence
from concurrent.futures import as_completed

from seatpool.domain.rules import PoolRules
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.plan import PlanRequest, SeatPlan, make_plan
from seatpool.planner.trials import WORTH_A_PROCESS, Told, cpu_count, process_pool

TRIALS = 20
"""About how many numbers of seats are tried for one pool."""


def make_plans(
    pools: Sequence[tuple[PastDemand, PoolRules]], request: PlanRequest, told: Told = lambda _words: None
) -> list[SeatPlan]:
    """Returns a plan for each pool, in the same order."""
    count = min(cpu_count(), len(pools))
    changes = TRIALS * sum(len(demand.needs) for demand, _ in pools)
    if count <= 1 or changes < WORTH_A_PROCESS:
        return [
            make_plan(demand, rules, request, processes=cpu_count(), pools=len(pools), told=told)
            for demand, rules in pools
        ]
    with process_pool(count) as pool:
        jobs = [
            pool.submit(make_plan, demand, rules, request, processes=1, pools=len(pools)) for demand, rules in pools
        ]
        for done, _ in enumerate(as_completed(jobs), start=1):
            told(f"pools planned: {done} of {len(jobs)}")
        return [job.result() for job in jobs]
