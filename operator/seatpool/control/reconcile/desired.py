"""The desired state: from what is known to the answers of a server's pools. Pure but for `gather`.

The decision itself is `allocate`; `policy/plan.py` adds when no user may be released.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import Adoption as AdoptionMode
from seatpool.api.licensepool import LicensePool
from seatpool.cache.store import Store
from seatpool.control.reconcile.ledger_store import LedgerStore
from seatpool.control.reconcile.server_state import ServerState, is_decided
from seatpool.control.reconcile.step_results import Adoption, Desired
from seatpool.control.state.pool_state import ObservedList
from seatpool.domain.identity import InvalidUser
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules
from seatpool.policy.plan import Question, adopted, plan


@dataclass(frozen=True, slots=True)
class PoolInputs:
    """What one pool's answer follows from, beside the state."""

    rules: PoolRules
    needs: Mapping[str, Need]
    stored: PoolMemory | None
    """What the ledger says; None: the pool has no ledger yet."""


def pools_due(state: ServerState, *, now: datetime) -> tuple[LicensePool, ...]:
    """Returns the pools whose answer may be another one now."""
    return tuple(pool for pool in state.pools if is_decided(pool) and _is_due(state, pool, now))


def _is_due(state: ServerState, pool: LicensePool, now: datetime) -> bool:
    """A change that is held back, or an account that is unknown, makes every answer depend on everything."""
    answer = state.pool_state(pool).answer
    if answer is None or pool.key in state.pending or state.view.held is not None or state.view.uninventoried:
        return True
    return answer.next_change is not None and answer.next_change <= now


def gather(
    state: ServerState, pools: tuple[LicensePool, ...], *, store: Store, ledgers: LedgerStore
) -> dict[str, PoolInputs]:
    """Reads from the cache what the answers of these pools follow from, by pool."""
    return {
        pool.key: PoolInputs(
            rules=store.rules[pool.key],
            needs=store.demand.needs(pool.key),
            stored=ledgers.load(pool) if state.pool_state(pool).memory is None else None,
        )
        for pool in pools
    }


def compute(
    state: ServerState, inputs: Mapping[str, PoolInputs], *, identity: IdentitySettings, now: datetime
) -> Desired:
    """Answers every pool that has inputs, if its memory is known."""
    questions: list[Question] = []
    adoptions: dict[str, Adoption] = {}
    for pool in state.pools:
        if pool.key not in inputs:
            continue
        found = inputs[pool.key]
        memory = state.pool_state(pool).memory or found.stored
        if memory is None:
            first = _first_memory(state, pool, identity=identity, now=now)
            if first is None:
                continue
            memory, adoptions[pool.key] = first
        questions.append(Question(pool=pool, rules=found.rules, needs=found.needs, memory=memory))
    made = plan(
        state.server,
        questions,
        others_present=sum(_present(state, inputs)),
        may_release=not state.view.uninventoried,
        now=now,
    )
    return Desired(answers=made.answers, held=made.held, approved=made.approved, adoptions=adoptions, at=now)


def _present(state: ServerState, inputs: Mapping[str, PoolInputs]) -> Iterator[int]:
    """Yields how many users are on the lists of the pools that are not answered now."""
    for pool in state.pools:
        pool_state = state.pool_state(pool)
        if not is_decided(pool):
            yield len(pool_state.memory.assigned) if pool_state.memory is not None else 0
        elif pool.key not in inputs:
            yield len(pool_state.answer.users) if pool_state.answer is not None else 0


def _first_memory(
    state: ServerState, pool: LicensePool, *, identity: IdentitySettings, now: datetime
) -> tuple[PoolMemory, Adoption] | None:
    """The memory of a pool at first contact: the users who are on the list. None: the list is not known, or not ours."""
    observed = state.pool_state(pool).observed
    if observed is None or state.is_foreign(observed):
        return None
    if pool.spec.adoption is AdoptionMode.OVERWRITE:
        return PoolMemory.empty(), Adoption(users=())
    adoption = adopt(observed, identity=identity)
    return adopted(adoption.users, now=now), adoption


def adopt(observed: ObservedList, *, identity: IdentitySettings) -> Adoption:
    """Returns the users of a list, normalised; an entry that is no user id is a problem of its own."""
    users, problems = set(), []
    for entry in observed.users:
        try:
            users.add(identity.user(entry))
        except InvalidUser as error:
            problems.append(str(error))
    return Adoption(users=tuple(sorted(users)), problems=tuple(problems))
