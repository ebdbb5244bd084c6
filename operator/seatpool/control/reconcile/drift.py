"""A list that was read, compared with the one that was known before. Pure."""

from collections.abc import Sequence

from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason, message
from seatpool.control.reconcile.failures import (
    product_failed,
    product_hung,
    product_is_foreign,
    product_recovered,
    product_unreadable,
)
from seatpool.control.reconcile.pacing import Work, company_after
from seatpool.control.reconcile.server_state import WriteReason, unreadable_token
from seatpool.control.reconcile.transition import Transition
from seatpool.control.sinks.facts import DriftDetected, OlderRevisionFound
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_state import ObservedList
from seatpool.servers.command_result import Late, ProductResult, Result

_EXAMPLES = 3
_LONGEST_EXAMPLE = 60


def take_reading(to: Transition, pool: LicensePool, result: ProductResult | None, at: Moment, *, company: int) -> None:
    """Records one product's list as it was read back. None: the answer does not mention the product.

    `company` is the number of products that the command asked for. One that was late in company is read again.
    """
    product = pool.spec.product
    before = to.observed(product)
    if result is not None and result.late is not Late.NO and company > 1:
        to.product_late(product, Work.READ, company=company_after(result.late, company))
        return
    if result is None or result.result is Result.FAILED or result.users is None:
        detail = "the answer does not mention it" if result is None else result.detail or "no list was printed"
        text = f"product {product!r} cannot be read: {detail}"
        is_late = result is not None and result.late is not Late.NO
        fail = product_hung if is_late else product_failed
        fail(to, pool, ConditionReason.READ_FAILED, text, at)
        return
    to.product_in_time(product, Work.READ)
    to.product_succeeded(product, Work.READ)
    observed = to.record_list(product, result)
    assert observed is not None  # noqa: S101
    if to.state.is_foreign(observed):
        product_is_foreign(to, pool, observed.owner, observed.revision)
        return
    failure = to.pool_state(pool).failure
    if failure is None or failure.reason is not ConditionReason.UNREADABLE_ENTRIES:
        product_recovered(to, pool, Work.READ)
    if before is not None:
        _compare(to, pool, before=before, observed=observed)
    check_readable(to, pool)


def check_readable(to: Transition, pool: LicensePool) -> None:
    """Records that a list has entries that are no user ids, or that this is over. Such a list is not written."""
    state = to.pool_state(pool)
    observed, failure = state.observed, state.failure
    if observed is None or to.state.is_foreign(observed):
        return
    if observed.odd and not to.state.may_overwrite(pool.spec.product, observed):
        product_unreadable(to, pool, unreadable_text(pool, observed, observed.odd))
    elif failure is not None and failure.reason is ConditionReason.UNREADABLE_ENTRIES and state.answer is not None:
        product_recovered(to, pool, Work.READ)


def unreadable_text(pool: LicensePool, observed: ObservedList, entries: Sequence[str]) -> str:
    """Returns the message that shows some entries of a list, and the two ways out."""
    shown = ", ".join(repr(entry[:_LONGEST_EXAMPLE]) for entry in entries[:_EXAMPLES])
    return message(
        ConditionReason.UNREADABLE_ENTRIES, count=len(entries), total=max(len(entries), len(observed.users) + len(observed.odd)),
        product=pool.spec.product, examples=shown, server=pool.spec.server_ref.name, namespace=pool.metadata.namespace,
        token=unreadable_token(pool.spec.product, observed),
    )  # fmt: skip


def _compare(to: Transition, pool: LicensePool, *, before: ObservedList, observed: ObservedList) -> None:
    if (before.users, before.odd, before.surplus) != (observed.users, observed.odd, observed.surplus):
        to.facts.append(DriftDetected(pool=pool, before=before, observed=observed))
    if observed.revision < before.revision:
        to.must_write(pool.spec.product, WriteReason.OLDER_REVISION)
        to.facts.append(OlderRevisionFound(pool=pool, before=before.revision, revision=observed.revision))
