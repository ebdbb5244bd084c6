"""What came of one product's new list. Only a list that was read back as it was written counts as applied."""

from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason
from seatpool.control.reconcile import failures
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.sinks.event_latency import Outcome
from seatpool.domain.listing import list_hash
from seatpool.servers.command_result import ProductResult, Result
from seatpool.servers.commands import ListChange


def take_result(desk: Desk, change: ListChange, told: ProductResult | None, *, command_id: str | None) -> None:
    """Note how one product fared; None when the answer did not mention it."""
    product, pool = change.product, desk.pool_of(change.product)
    before = desk.view.known.get(product)
    if told is None:
        desk.forget_lists([product])
        _failed(desk, pool, ConditionReason.APPLY_FAILED, "the answer does not mention it")
        return
    if told.result is Result.STALE:
        desk.book.raise_floor(told.fence)
        desk.doubt([product])
        desk.backoffs.failed(product)
        desk.log.warning("the license server has a newer revision than ours", product=product, fence=told.fence)
        return
    known = desk.believe(product, told)
    if told.result is Result.OWNER:
        if told.users is None:
            desk.backoffs.failed(product)
        failures.product_is_foreign(desk, pool, told.owner)
    elif told.result is Result.FAILED:
        _failed(desk, pool, ConditionReason.APPLY_FAILED, f"not taken: {told.detail or f'exit code {told.exit_code}'}")
    else:
        desk.forced.discard(product)
        if known is not None:
            wanted = list_hash(change.users)
            desk.around.announcer.telling.applied(pool, wanted, before=before, now=known, command=command_id)
        _compare(desk, pool, change, told)


def _compare(desk: Desk, pool: LicensePool, change: ListChange, told: ProductResult) -> None:
    if told.users is None:
        _failed(desk, pool, ConditionReason.READ_FAILED, "written, but it cannot be read back")
    elif not desk.standing(pool).in_sync:
        _failed(
            desk,
            pool,
            ConditionReason.LIST_DIFFERS,
            f"{len(change.users)} people were written, and the license server shows {len(told.users)} others; is its "
            "client right, and does anybody else write the list?",
        )
    else:
        _applied(desk, pool)


def _applied(desk: Desk, pool: LicensePool) -> None:
    standing = desk.standing(pool)
    failures.product_recovered(desk, pool)
    desk.view.last_applied = desk.around.now()
    if standing.changed_at is not None:
        waited = desk.around.clock() - standing.changed_at
        desk.around.metrics.to_list_seconds.labels(desk.key).observe(waited.total_seconds())
        standing.changed_at = None
        revision = standing.known.revision if standing.known is not None else 0
        desk.around.journeys.ended(pool.key, Outcome.LISTED, server=desk.key, revision=revision, mark=desk.mark)


def _failed(desk: Desk, pool: LicensePool, reason: ConditionReason, what: str) -> None:
    failures.product_failed(desk, pool, reason, f"product {pool.spec.product!r}: {what}")
