"""Which lists have to be written, and why. Pure.

A list that was not read is never written, and neither is one with entries that cannot be read, unless an admin said so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import Mode
from seatpool.control.reconcile.server_state import ServerState, WriteReason
from seatpool.control.state.moment import Moment
from seatpool.domain.allocation import Allocation
from seatpool.servers.commands import ListChange


@dataclass(frozen=True, slots=True)
class Write:
    """A list that has to be written."""

    change: ListChange
    reason: WriteReason


def diff(state: ServerState, answers: Mapping[str, Allocation], *, at: Moment) -> tuple[Write, ...]:
    """Returns the lists to write now, if these answers (by pool) replace the present ones."""
    found = []
    for pool in state.pools:
        pool_state, answer = state.pool_state(pool), answers.get(pool.key)
        users = pool_state.desired if answer is None or pool_state.clearing else answer.users
        if users is None:
            continue
        reason = _why_written(state, pool, users, at)
        if reason is not None:
            change = ListChange(
                product=pool.spec.product,
                users=users,
                seats=pool.spec.seats,
                keep_placeholder=pool_state.keep_placeholder,
            )
            found.append(Write(change, reason))
    return tuple(found)


def has_writes(state: ServerState, *, at: Moment) -> bool:
    """Whether a list could be written now by the present answers."""
    return any(
        (users := state.pool_state(pool).desired) is not None and _why_written(state, pool, users, at) is not None
        for pool in state.pools
    )


def has_commands(state: ServerState, *, at: Moment) -> bool:
    """Whether a list could be read or written now."""
    unread = [product for product in state.products if product not in state.view.observed]
    return any(not state.product_pause(product, at) for product in unread) or has_writes(state, at=at)


def _why_written(state: ServerState, pool: LicensePool, users: tuple[str, ...], at: Moment) -> WriteReason | None:
    pool_state, product = state.pool_state(pool), pool.spec.product
    observed = pool_state.observed
    if observed is None or not _may_be_written(state, pool, at) or state.is_foreign(observed):
        return None
    if observed.odd and not state.may_overwrite(product, observed):
        return None  # what cannot be read may be a user: drift.check_readable says so
    if product in state.in_doubt:
        return state.in_doubt[product]
    if not state.is_ours(observed):
        return WriteReason.OWNER_CHANGED
    if pool_state.shows(users):
        return None
    if observed.users != users or observed.odd:
        return WriteReason.DIFFERS
    return WriteReason.SURPLUS if observed.surplus else WriteReason.PLACEHOLDER


def _may_be_written(state: ServerState, pool: LicensePool, at: Moment) -> bool:
    if Mode.DRY_RUN in (pool.spec.mode, state.server.spec.mode) or pool.spec.suspend:
        return False
    dying = pool.metadata.deletion_timestamp is not None
    return (not dying or state.pool_state(pool).clearing) and not state.product_pause(pool.spec.product, at)
