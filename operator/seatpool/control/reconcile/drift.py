"""A list that was read, compared with the one that was known before. Pure."""

from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason
from seatpool.control.reconcile.failures import product_failed, product_is_foreign, product_recovered
from seatpool.control.reconcile.server_state import WriteReason
from seatpool.control.reconcile.transition import Transition
from seatpool.control.sinks.facts import DriftDetected, OlderRevisionFound
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_state import ObservedList
from seatpool.servers.command_result import ProductResult, Result

_READABLE_AGAIN = (ConditionReason.READ_FAILED, ConditionReason.FOREIGN_OWNER)


def take_reading(to: Transition, pool: LicensePool, result: ProductResult | None, at: Moment) -> None:
    """Records one product's list as it was read back. None: the answer does not mention the product."""
    product = pool.spec.product
    before = to.observed(product)
    if result is None or result.result is Result.FAILED or result.users is None:
        detail = "the answer does not mention it" if result is None else result.detail or "no list was printed"
        message = f"product {product!r} cannot be read: {detail}"
        product_failed(to, pool, ConditionReason.READ_FAILED, message, at)
        return
    observed = to.record_list(product, result)
    assert observed is not None  # noqa: S101
    if to.state.is_foreign(observed):
        product_is_foreign(to, pool, observed.owner)
        return
    failure = to.pool_state(pool).failure
    if failure is not None and failure.reason in _READABLE_AGAIN:
        product_recovered(to, pool)
    if before is not None:
        _compare(to, pool, before=before, observed=observed)


def _compare(to: Transition, pool: LicensePool, *, before: ObservedList, observed: ObservedList) -> None:
    if (before.users, before.odd) != (observed.users, observed.odd):
        to.facts.append(DriftDetected(pool=pool, before=before, observed=observed))
    if observed.revision < before.revision:
        to.must_write(pool.spec.product, WriteReason.OLDER_REVISION)
        to.facts.append(OlderRevisionFound(pool=pool, before=before.revision, revision=observed.revision))
