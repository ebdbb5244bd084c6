"""The desired state: from what is known to the answers of a server's pools. Pure but for `gather`.

The decision itself is `allocate`; `policy/plan.py` adds when no user may be released.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import Adoption as AdoptionMode
from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason
from seatpool.cache.store import Store
from seatpool.control.reconcile.ledger_store import LedgerStore
from seatpool.control.reconcile.pacing import Work
from seatpool.control.reconcile.server_state import ServerState, is_decided
from seatpool.control.reconcile.step_results import Adoption, Desired
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_state import ObservedList
from seatpool.domain.allocation import Allocation
from seatpool.domain.identity import PLACEHOLDER, InvalidUser, is_placeholder
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules
from seatpool.policy.plan import Question, adopted, plan
from seatpool.servers.commands import BadCommand, ListChange


@dataclass(frozen=True, slots=True)
class PoolInputs:
    """What one pool's answer follows from, beside the state."""

    rules: PoolRules
    needs: Mapping[str, Need]
    stored: PoolMemory | None
    """What the ledger says; None: the pool has no ledger yet."""
    ledger_problem: str | None = None
    """Why the ledger cannot be read; None: it can."""


def pools_due(state: ServerState, *, at: Moment) -> tuple[LicensePool, ...]:
    """Returns the pools whose answer may be another one now. A pool that failed waits for its next try."""
    return tuple(
        pool
        for pool in state.pools
        if is_decided(pool) and _is_due(state, pool, at.now) and not _is_paused(state, pool, at)
    )


def _is_paused(state: ServerState, pool: LicensePool, at: Moment) -> bool:
    failure = state.pool_state(pool).failure
    failed = failure is not None and failure.reason is ConditionReason.POOL_FAILED
    return failed and state.pace(pool.spec.product, Work.DECIDE).retry.remaining(at.monotonic) > 0


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
            ledger_problem=store.ledger_problem(pool.key),
        )
        for pool in pools
    }


def compute(state: ServerState, inputs: Mapping[str, PoolInputs], *, identity: IdentitySettings, at: Moment) -> Desired:
    """Answers every pool that has inputs, if its memory is known. A pool that cannot be answered stops no other."""
    questions: list[Question] = []
    adoptions: dict[str, Adoption] = {}
    unreadable: dict[str, tuple[str, ...]] = {}
    failed: dict[str, str] = {}
    for pool in state.pools:
        if pool.key not in inputs:
            continue
        found = inputs[pool.key]
        if found.ledger_problem is not None:
            failed[pool.key] = found.ledger_problem
            continue
        memory = state.pool_state(pool).memory or found.stored
        if memory is None:
            adoption = _first_contact(state, pool, identity=identity)
            if adoption is None:
                continue
            if adoption.problems and not _may_overwrite(state, pool):
                unreadable[pool.key] = adoption.problems
                continue
            adoptions[pool.key] = replace(adoption, lost_revision=_lost_revision(state, pool, found.rules))
            memory = adopted(adoption.users, now=at.now)
        rules = _with_unlistable(found.rules, state)
        questions.append(Question(pool=pool, rules=rules, needs=found.needs, memory=memory))
    made = plan(
        state.server,
        questions,
        others=dict(_others(state, questions)),
        may_release=not state.view.uninventoried,
        now=at.now,
    )
    failed |= {key: f"it cannot be computed ({type(error).__name__})" for key, error in made.failed.items()}
    for pool in state.pools:
        problem = _problem_of(pool, made.answers.get(pool.key))
        if problem is not None:
            failed[pool.key] = problem
    return Desired(
        answers={key: answer for key, answer in made.answers.items() if key not in failed},
        guard=made.guard,
        adoptions=adoptions,
        unreadable=unreadable,
        failed=failed,
        at=at,
    )


def _with_unlistable(rules: PoolRules, state: ServerState) -> PoolRules:
    """Returns the rules with the users whom the server's lists cannot have. Before it was asked, those of the status count."""
    known = state.view.unlistable
    if known is None or rules.unlistable == known.keys():
        return rules
    return replace(rules, unlistable=frozenset(known))


def _problem_of(pool: LicensePool, answer: Allocation | None) -> str | None:
    """Returns why an answer can be no list of a license server; None: it can."""
    if answer is None:
        return None
    try:
        ListChange(product=pool.spec.product, users=answer.users, seats=pool.spec.seats)
    except BadCommand as error:
        return str(error)
    return None


def _others(state: ServerState, questions: Iterable[Question]) -> Iterator[tuple[str, PoolMemory]]:
    """Yields the pools that are not answered now, with their memories."""
    asked = {one.pool.key for one in questions}
    for pool in state.pools:
        memory = state.pool_state(pool).memory
        if pool.key not in asked and memory is not None:
            yield pool.key, memory


def _first_contact(state: ServerState, pool: LicensePool, *, identity: IdentitySettings) -> Adoption | None:
    """Returns what becomes of the list at first contact. None: the list is not known, or not ours."""
    observed = state.pool_state(pool).observed
    if observed is None or state.is_foreign(observed):
        return None
    placeholder = state.server.spec.placeholder_user
    adoption = adopt(observed, identity=identity, placeholder=placeholder)
    if pool.spec.adoption is AdoptionMode.OVERWRITE:
        return replace(adoption, users=(), problems=adoption.problems if observed.users or observed.odd else ())
    return adoption


def _lost_revision(state: ServerState, pool: LicensePool, rules: PoolRules) -> int | None:
    observed = state.pool_state(pool).observed
    needs_memory = rules.minimum_hold or rules.seat_cool_down or rules.readmit_after or rules.max_reassignments
    return observed.revision if observed is not None and observed.revision and needs_memory else None


def _may_overwrite(state: ServerState, pool: LicensePool) -> bool:
    observed = state.pool_state(pool).observed
    return observed is not None and state.may_overwrite(pool.spec.product, observed)


def adopt(observed: ObservedList, *, identity: IdentitySettings, placeholder: str | None = PLACEHOLDER) -> Adoption:
    """Returns the users of a list, normalised. The placeholder is none. Entries that are no user ids are its problems.

    So are the lines of a list that no operator ever wrote and in which nothing is found: `listFormat` may be the wrong one.
    """
    users, problems = set(), [*observed.odd, *(() if observed.revision else observed.passed_over)]
    for entry in observed.users:
        if is_placeholder(entry) or (placeholder is not None and is_placeholder(entry, placeholder)):
            continue
        try:
            users.add(identity.user(entry))
        except InvalidUser as error:
            problems.append(str(error))
    return Adoption(
        users=tuple(sorted(users)),
        problems=tuple(problems),
        former=(*observed.users, *observed.odd, *observed.passed_over),
    )
