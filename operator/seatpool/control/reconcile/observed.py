"""What an earlier process or pass left open, and what the lists on the license server are.

Both come before any decision: whatever may still change a list, and whatever somebody else changed, has to be known first.
"""

from seatpool.api.annotations import VERIFY
from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason
from seatpool.control.reconcile import failures
from seatpool.control.reconcile.send_command import exchange, keep_distance
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.state.pool_state import ObservedList
from seatpool.servers.client import LicenseServerClient
from seatpool.servers.command_result import CommandResult, ProductResult, Result
from seatpool.servers.commands import ListCommand
from seatpool.servers.errors import TransportError
from seatpool.servers.nodes import SentCommand
from seatpool.tracing.spans import Role


async def settle_in_flight(desk: Desk) -> None:
    """Wait for a command whose id is known; answer one whose id is not by a new and higher revision."""
    left = desk.book.in_flight
    if left is None:
        return
    products = {state.product for state in left.products}
    if left.command_id is None or left.instance_id is None:
        if products - desk.forced:
            desk.log.info("an intent without a known command is answered by a new revision", revision=left.revision)
            desk.doubt(products)
        return
    desk.log.info("a command that was sent earlier is waited for", revision=left.revision)
    sent = SentCommand(command_id=left.command_id, instance_id=left.instance_id)
    try:
        report = await desk.around.link_to(desk.server).result(sent)
    except TransportError as error:
        if failures.is_unaskable(error):
            raise
        desk.doubt(products)
    else:
        wanted = {state.product: state.hash for state in left.products}
        for product, told in report.products.items():
            before, known = desk.view.known.get(product), desk.believe(product, told)
            if known is not None and told.result is Result.APPLIED and (pool := desk.find_pool(product)) is not None:
                desk.around.announcer.telling.applied(
                    pool, wanted.get(product, ""), before=before, now=known, command=left.command_id
                )
    desk.book.in_flight = None


async def read_lists(desk: Desk, *, everything: bool) -> None:
    """Read what is not known; or everything, to see whether somebody else changed it, or whether the server answers."""
    products = sorted({pool.spec.product for pool in desk.pools})
    wanted = [
        product
        for product in products
        if (everything or product not in desk.view.known) and not desk.backoffs.remaining(product)
    ]
    if not wanted:
        return
    link = desk.around.link_to(desk.server)
    whole = ListCommand(revision=desk.book.revision, owner=desk.around.installation, products=tuple(wanted))
    for command in link.split(whole):
        await keep_distance(desk)
        report = await exchange(desk, command, lambda command: _read(desk, link, command))
        for product in command.names:
            _take_reading(desk, desk.pool_of(product), report.products.get(product))
    if everything:
        desk.last_verified = desk.around.monotonic()
        desk.view.last_verified = desk.around.now()
        desk.verified_for = desk.server.metadata.annotations.get(VERIFY)


async def _read(desk: Desk, link: LicenseServerClient, command: ListCommand) -> CommandResult:
    with desk.around.traces.span("read lists", role=Role.CLIENT):
        sent = await link.send(command)
        desk.around.traces.note({"seatpool.command": sent.command_id})
        return await link.result(sent, command=command)


def _take_reading(desk: Desk, pool: LicensePool, told: ProductResult | None) -> None:
    product = pool.spec.product
    before = desk.view.known.get(product)
    if told is None or told.result is Result.FAILED or told.users is None:
        detail = "the answer does not mention it" if told is None else told.detail or "no list was printed"
        message = f"product {product!r} cannot be read: {detail}"
        failures.product_failed(desk, pool, ConditionReason.READ_FAILED, message)
        return
    known = desk.believe(product, told)
    assert known is not None  # noqa: S101
    if desk.is_foreign(known):
        failures.product_is_foreign(desk, pool, known.owner)
        return
    trouble = desk.standing(pool).trouble
    if trouble is not None and trouble.reason in (ConditionReason.READ_FAILED, ConditionReason.FOREIGN_OWNER):
        failures.product_recovered(desk, pool)
    if before is not None:
        _compare(desk, pool, before=before, now=known)


def _compare(desk: Desk, pool: LicensePool, *, before: ObservedList, now: ObservedList) -> None:
    if (before.users, before.odd) != (now.users, now.odd):
        desk.around.metrics.drift.labels(desk.key, pool.key).inc()
        desk.around.announcer.drift(pool, before=before, now=now)
    if now.revision < before.revision:
        desk.forced.add(pool.spec.product)
        desk.log.warning(
            "the license server went back to an older revision",
            product=pool.spec.product,
            was=before.revision,
            now=now.revision,
        )
