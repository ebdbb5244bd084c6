"""The next state of a reconciler from the result of a step, and the facts that go with it. Pure.

This is the only function that makes a `ServerState`: whoever asks how a field came to its value finds the answer here and in
the three modules that it calls, `transition`, `failures` and `drift`.
"""

from typing import assert_never

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.reasons import ConditionReason, message
from seatpool.control.reconcile.diff import Write, has_writes
from seatpool.control.reconcile.drift import check_readable, take_reading, unreadable_text
from seatpool.control.reconcile.failures import (
    begin_anew,
    command_failed,
    end_what_is_over,
    list_is_partial,
    pass_failed,
    pass_succeeded,
    pool_failed,
    product_failed,
    product_hung,
    product_is_foreign,
    product_recovered,
    product_unreadable,
    server_answered,
    server_refused,
)
from seatpool.control.reconcile.pacing import Work, company_after
from seatpool.control.reconcile.server_state import ServerState, WriteReason, is_decided
from seatpool.control.reconcile.step_results import (
    AnswersStored,
    CacheRead,
    CommandApplied,
    CommandSettled,
    CommandTried,
    Desired,
    LeaseRefused,
    ListsInDoubt,
    ListsRead,
    ListsVerified,
    PassBegun,
    PassDone,
    PassFailed,
    PoolsRefreshed,
    ServerFailed,
    StepResult,
    UsersChecked,
)
from seatpool.control.reconcile.transition import Transition
from seatpool.control.sinks import facts
from seatpool.control.sinks.facts import Fact, LatencyOutcome
from seatpool.control.state.moment import Moment
from seatpool.domain.list_hash import list_hash
from seatpool.servers.command_result import Late, ProductResult, Result

MOST_NOT_ADOPTED = 20
"""Entries that are told one by one. All of them are in the former list."""


def advance(state: ServerState, step: StepResult) -> tuple[ServerState, tuple[Fact, ...]]:
    """Returns the state after a step, and what has to be told of it."""
    to = Transition(state)
    match step:
        case PassBegun():
            _begin(to, step)
        case PoolsRefreshed():
            _refresh(to, step)
        case ListsInDoubt():
            to.mark_in_doubt(sorted(step.products))
        case CommandSettled():
            _settle(to, step)
        case CommandTried():
            to.change(last_command=step.at.monotonic)
        case ListsRead():
            _read(to, step)
        case UsersChecked():
            to.users_checked(step.unlistable, step.at)
        case ListsVerified():
            _verify(to, step, is_all_written=not has_writes(state, at=step.at))
        case ServerFailed():
            command_failed(to, step.error, step.products, step.work, step.at)
        case CacheRead():
            _read_cache(to, step)
        case Desired():
            _decide(to, step)
        case AnswersStored():
            _store(to, step)
        case CommandApplied():
            _apply(to, step)
        case PassDone():
            _end(to, step)
        case PassFailed():
            pass_failed(to, step.problem)
        case LeaseRefused():
            to.change_view(lease_problem=step.problem)
        case _:
            assert_never(step)
    after, told = to.done()
    if isinstance(step, PassDone):
        told = (*told, facts.PassEnded(server=after.server, view=after.view))
    return after, told


# -- before a decision -----------------------------------------------------------------------------------------------------


def _begin(to: Transition, step: PassBegun) -> None:
    to.change(capabilities=step.capabilities)
    _refresh(to, step)
    if step.foreign:
        to.invalidate(to.state.products)
    server_refused(to, step.refused)
    asked = to.state.verification_asked
    if asked is not None and asked != to.state.retried_for:
        to.end_pauses()
        to.change(retried_for=asked)
    paused = to.state.server_pause(step.at) > 0
    to.change(held_off=paused and not step.server.spec.suspend)
    to.change_view(lease_problem=None)


def _refresh(to: Transition, step: PoolsRefreshed) -> None:
    before = to.state.last_server
    to.change(last_server=step.server)
    to.refresh(step.pools)
    to.change_view(duplicates=step.duplicates)
    if before is not None and _place(before) != _place(step.server):
        _forget_server(to)


def _place(server: LicenseServer) -> tuple[object, ...]:
    """Where and how the lists are read: if any of it changes, what was read before says nothing."""
    spec = server.spec
    return spec.settings, spec.names, spec.target, spec.region, spec.role_arn, spec.external_id, spec.document


def _forget_server(to: Transition) -> None:
    """Another server answers from now on, or in another way: nothing is known of its lists."""
    to.invalidate(to.state.products)
    begin_anew(to)
    to.change(node=None)
    to.facts.append(facts.ServerChanged(server=to.state.server))


def _answered_by(to: Transition, node: str) -> None:
    """Another node than before answered, as after a replacement: what was read from the other one says nothing."""
    if to.state.node is not None and to.state.node != node:
        to.invalidate(to.state.products)
        to.facts.append(facts.ServerChanged(server=to.state.server))
    to.change(node=node)


def _settle(to: Transition, step: CommandSettled) -> None:
    for product, result in step.result.products.items():
        before = to.observed(product)
        observed = to.record_list(product, result)
        pool = to.state.find_pool(product)
        if observed is not None and result.result is Result.APPLIED and pool is not None:
            to.facts.append(
                facts.ListApplied(
                    pool=pool,
                    desired_hash=step.hashes.get(product, ""),
                    before=before,
                    observed=observed,
                    command_id=step.command_id,
                )
            )


def _read(to: Transition, step: ListsRead) -> None:
    server_answered(to, Work.READ)
    _answered_by(to, step.node)
    for product in step.products:
        pool = to.state.find_pool(product)
        if pool is not None:
            take_reading(to, pool, step.result.products.get(product), step.at, company=len(step.products))


def _verify(to: Transition, step: ListsVerified, *, is_all_written: bool) -> None:
    """Takes note that all lists were read. If none has to be written, that ends a failure to write any."""
    if is_all_written:
        server_answered(to, Work.WRITE)
    to.change(last_verified=step.at.monotonic, verified_for=step.asked)
    to.change_view(last_verified=step.at.now)


def _read_cache(to: Transition, step: CacheRead) -> None:
    to.change_view(uninventoried=step.uninventoried, common=step.common)
    for pool in to.state.pools:
        if pool.key in step.changed:
            to.pending.setdefault(pool.key, step.changed[pool.key])
        if not is_decided(pool):
            to.pending.pop(pool.key, None)


# -- the decision ----------------------------------------------------------------------------------------------------------


def _decide(to: Transition, step: Desired) -> None:
    held, known = step.guard.held, to.state.view.held
    if held is not None and (known is None or held.token.number != known.token.number):
        to.facts.append(facts.ChangeHeld(server=to.state.server, change=held))
    # An approval counts as used when the ledgers have what it releases: before that, the next pass needs it again.
    to.change_view(held=held, guard=step.guard.status if step.guard.approved is None else to.state.server.status.guard)
    for pool in to.state.pools:
        observed = to.pool_state(pool).observed
        if pool.key in step.unreadable and observed is not None:
            product_unreadable(to, pool, unreadable_text(pool, observed, step.unreadable[pool.key]))
        if pool.key in step.failed:
            pool_failed(to, pool, step.failed[pool.key], step.at)


def _store(to: Transition, step: AnswersStored) -> None:
    """The answers count from now on; a pool whose ledger was another one is answered anew."""
    approved = step.desired.guard.approved
    for pool in to.state.pools:
        if pool.key in step.stored:
            _commit(to, pool, step)
        elif pool.key in step.reloaded:
            to.replace_pool(pool, memory=step.reloaded[pool.key])
            to.pending.setdefault(pool.key, step.at.now)
        elif pool.key in step.refused:
            pool_failed(to, pool, f"its ledger is refused: {step.refused[pool.key]}", step.at)
            to.pending.setdefault(pool.key, step.at.now)
    if approved is not None and any(pool in step.stored for pool, _ in approved.leaving):
        to.facts.append(facts.ChangeApproved(server=to.state.server, change=approved))
    if approved is not None and all(pool in step.stored for pool, _ in approved.leaving):
        to.change_view(guard=step.desired.guard.status)


def _commit(to: Transition, pool: LicensePool, step: AnswersStored) -> None:
    before, answer = to.pool_state(pool), step.desired.answers[pool.key]
    marked = to.pending.pop(pool.key, None)
    to.replace_pool(
        pool,
        memory=answer.memory,
        answer=answer,
        granted=(*before.granted, *answer.granted),
        released=(*before.released, *answer.released),
        durations=before.durations.after(answer.released, said=pool.status.seat_lengths),
    )
    if to.pool_state(pool).in_sync:
        to.change_pool(pool, changed_at=None)
    elif before.changed_at is None:
        to.change_pool(pool, changed_at=marked or step.at.now)
    failure = to.pool_state(pool).failure
    if failure is not None and failure.reason is ConditionReason.POOL_FAILED:
        product_recovered(to, pool, Work.DECIDE)
    adoption = step.desired.adoptions.get(pool.key)
    if adoption is not None:
        if adoption.lost_revision is not None:
            to.facts.append(facts.LedgerLost(pool=pool, revision=adoption.lost_revision))
        to.facts += [facts.EntryNotAdopted(pool=pool, problem=one) for one in adoption.problems[:MOST_NOT_ADOPTED]]
        if adoption.former:
            to.facts.append(facts.UsersAdopted(pool=pool, users=adoption.users, former=adoption.former))
    to.facts.append(facts.AnswerStored(pool=pool, before=before.answer, answer=answer))


# -- the lists -------------------------------------------------------------------------------------------------------------


def _apply(to: Transition, step: CommandApplied) -> None:
    server_answered(to, Work.WRITE)
    _answered_by(to, step.node)
    for write in step.writes:
        pool = to.state.find_pool(write.change.product)
        if pool is not None:
            _take_result(to, pool, write, step.result.products.get(write.change.product), step)


def _take_result(
    to: Transition, pool: LicensePool, write: Write, result: ProductResult | None, step: CommandApplied
) -> None:
    """Only a list that was read back as it was written counts as applied. None: the answer does not mention it.

    A product that was late in company has not failed: it is sent again with fewer others.
    """
    product, at = write.change.product, step.at
    before = to.observed(product)
    if result is None:
        to.invalidate([product])
        _list_failed(to, pool, ConditionReason.APPLY_FAILED, "the answer does not mention it", at)
        return
    company = len(step.writes)
    is_late_in_company = result.late is not Late.NO and company > 1
    if is_late_in_company:
        to.product_late(product, Work.WRITE, company=company_after(result.late, company))
        if result.late is Late.UNBEGUN:
            return
    elif result.late is Late.NO:
        to.product_in_time(product, Work.WRITE)
    if result.result is Result.STALE:
        to.raise_floor(result.fence)
        to.mark_in_doubt([product])
        to.product_failed(product, Work.WRITE, at)
        to.facts.append(facts.NewerRevisionFound(pool=pool, fence=result.fence))
        return
    observed = to.record_list(product, result)
    if result.unlistable:
        to.users_checked({**(to.state.view.unlistable or {}), **result.unlistable}, at)
    if result.result is Result.OWNER:
        if observed is None:
            to.product_failed(product, Work.WRITE, at)
        product_is_foreign(to, pool, result.owner, result.fence)
    elif result.result is Result.FAILED:
        if not is_late_in_company:
            detail = result.detail or f"exit code {result.exit_code}"
            _list_failed(to, pool, ConditionReason.APPLY_FAILED, f"not taken: {detail}", at, late=result.late)
    elif result.result is Result.CHANGED:
        to.must_write(
            product, WriteReason.DIFFERS
        )  # nothing was written: the list was read anew, and goes again at once
    elif result.result is Result.PARTIAL:
        to.written(product)
        list_is_partial(to, pool, message(ConditionReason.PARTLY_APPLIED, product=product, detail=result.detail))
    else:
        to.written(product)
        if observed is not None:
            to.facts.append(
                facts.ListApplied(
                    pool=pool,
                    desired_hash=list_hash(write.change.users),
                    before=before,
                    observed=observed,
                    command_id=step.command_id,
                )
            )
        if observed is None and is_late_in_company:
            to.product_late(product, Work.READ, company=1)
        else:
            _compare_with_written(to, pool, write, result, at)


def _compare_with_written(to: Transition, pool: LicensePool, write: Write, result: ProductResult, at: Moment) -> None:
    if result.users is None:
        why = result.detail or "no list was printed"
        what = f"written, but it cannot be read back: {why}"
        _list_failed(to, pool, ConditionReason.READ_FAILED, what, at, late=result.late)
    elif result.unlistable:
        product_recovered(to, pool, Work.READ, Work.WRITE)  # the others are written, and these are decided anew
    elif not to.pool_state(pool).in_sync:
        what = result.detail or (
            f"{len(write.change.users)} people were written, and the license server shows {len(result.users)} others"
        )
        advice = "is its client right, and does anybody else write the list?"
        _list_failed(to, pool, ConditionReason.LIST_DIFFERS, f"{what}; {advice}", at)
    else:
        product_recovered(to, pool, Work.READ, Work.WRITE)
        to.change_view(last_applied=at.now)


def _list_failed(
    to: Transition, pool: LicensePool, reason: ConditionReason, what: str, at: Moment, *, late: Late = Late.NO
) -> None:
    fail = product_failed if late is Late.NO else product_hung
    fail(to, pool, reason, message(reason, product=pool.spec.product, detail=what), at)


# -- the end ---------------------------------------------------------------------------------------------------------------


def _end(to: Transition, step: PassDone) -> None:
    pass_succeeded(to)
    for pool in to.state.pools:
        end_what_is_over(to, pool)
        check_readable(to, pool)
        _serve_events(to, pool, step)
        state = to.pool_state(pool)
        if state.in_sync:
            to.facts.append(facts.ListConfirmed(pool=pool, state=state))
            to.change_pool(pool, changed_at=None, granted=(), released=())
    in_sync = all(state.in_sync for state in to.pool_states())
    if in_sync and not to.state.was_in_sync:
        to.change(was_in_sync=True)
        to.facts.append(facts.InSyncFirst(server=to.state.server, pools=len(to.state.pools)))


def _serve_events(to: Transition, pool: LicensePool, step: PassDone) -> None:
    """Ends the messages that the pool's answer was made from, once the list is right or will not be written."""
    state, server = to.pool_state(pool), to.state.server
    waited = None
    if state.in_sync and state.changed_at is None:
        outcome = LatencyOutcome.UNCHANGED
    elif state.in_sync and state.changed_at is not None:
        outcome = LatencyOutcome.LISTED
        waited = max(0.0, (step.at.now - state.changed_at).total_seconds())
    elif Mode.DRY_RUN in (pool.spec.mode, server.spec.mode) or to.state.is_left_alone:
        outcome = LatencyOutcome.NOT_WRITTEN
    else:
        return
    to.facts.append(
        facts.EventsServed(pool=pool, outcome=outcome, revision=state.revision, mark=step.mark, waited=waited)
    )
