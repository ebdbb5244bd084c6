"""Storing the answers: in the ledger first, and only then they count.

So what is sent to a license server can be explained after any crash.
"""

import asyncio

from seatpool.api.licensepool import LicensePool
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.server_state import ServerState
from seatpool.control.reconcile.step_results import AnswersStored, Desired
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import PoolMemory
from seatpool.kube.errors import Conflict, Forbidden, Invalid
from seatpool.policy.ended_entries import Ending


async def store_answers(
    state: ServerState, desired: Desired, deps: Dependencies
) -> tuple[AnswersStored, BaseException | None]:
    """Stores the memory of every answer, all at the same time.

    Returns what was stored, and the first error: the others of its pass are stored all the same. A ledger that the API
    server refuses is the problem of its pool, and no error.
    """
    pools = [pool for pool in state.pools if pool.key in desired.answers]
    results = await asyncio.gather(
        *(_store(pool, desired.answers[pool.key], desired, deps) for pool in pools), return_exceptions=True
    )
    stored: set[str] = set()
    reloaded: dict[str, PoolMemory | None] = {}
    refused: dict[str, str] = {}
    errors: list[BaseException] = []
    for pool, result in zip(pools, results, strict=True):
        if result is None:
            stored.add(pool.key)
        elif isinstance(result, Invalid | Forbidden):
            refused[pool.key] = str(result)
        elif isinstance(result, Conflict):
            errors.append(result)
            try:
                reloaded[pool.key] = await deps.ledgers.reload(pool)
            except Exception as error:  # noqa: BLE001
                errors.append(error)
        else:
            errors.append(result)
    step = AnswersStored(
        desired=desired, stored=frozenset(stored), reloaded=reloaded, refused=refused, at=deps.moment()
    )
    return step, errors[0] if errors else None


async def _store(pool: LicensePool, answer: Allocation, desired: Desired, deps: Dependencies) -> None:
    await deps.ledgers.save(pool, answer.memory, ending=Ending.of(answer, at=desired.at.now))
