"""Which lists have to be written, by what is known of them. A list that nobody has read is never written."""

from collections.abc import Mapping

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import Mode
from seatpool.control.reconcile.server_state import Desk
from seatpool.domain.allocation import Allocation
from seatpool.servers.commands import ListChange


def to_write(desk: Desk, answers: Mapping[str, Allocation]) -> tuple[ListChange, ...]:
    """The lists to write now, when these answers replace the present ones."""
    found = []
    for pool in desk.pools:
        standing, answer = desk.standing(pool), answers.get(pool.key)
        users = standing.wanted if answer is None or standing.clearing else answer.users
        if users is not None and _is_to_be_written(desk, pool, users):
            change = ListChange(
                product=pool.spec.product,
                users=users,
                seats=pool.spec.seats,
                keep_placeholder=standing.keep_placeholder,
            )
            found.append(change)
    return tuple(found)


def are_left(desk: Desk) -> bool:
    """Whether a list could be written now by the answers that there are."""
    wanted = ((pool, desk.standing(pool).wanted) for pool in desk.pools)
    return any(users is not None and _is_to_be_written(desk, pool, users) for pool, users in wanted)


def _is_to_be_written(desk: Desk, pool: LicensePool, users: tuple[str, ...]) -> bool:
    standing = desk.standing(pool)
    known, product = standing.known, pool.spec.product
    if known is None or not _may_be_written(desk, pool) or desk.is_foreign(known):
        return False
    return product in desk.forced or not standing.shows(users) or not desk.is_ours(known)


def _may_be_written(desk: Desk, pool: LicensePool) -> bool:
    if Mode.DRY_RUN in (pool.spec.mode, desk.server.spec.mode) or pool.spec.suspend:
        return False
    dying = pool.metadata.deletion_timestamp is not None
    return (not dying or desk.standing(pool).clearing) and not desk.backoffs.remaining(pool.spec.product)
