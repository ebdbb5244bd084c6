"""Keeps the lists of one license server equal to what they should be.

One task for each LicenseServer, and so one command in flight for each. A pass reads the status, settles what an earlier
process or pass left open, reads lists that nobody knows, computes the answers, and sends the lists that differ. A pass
that fails anywhere can simply be made again: everything that matters was written before it was acted on.

The steps have names, because crashes between them are what the tests are about.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import format_duration
from seatpool.api.licensepool import Adoption, EmptyList, LicensePool, OnDelete
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.control.announcing import Announcer
from seatpool.control.condition_reasons import ConditionReason
from seatpool.control.finalizing import Finalizer
from seatpool.control.ledger import to_milliseconds
from seatpool.control.ledger_book import LedgerBook
from seatpool.control.metrics import ControlMetrics
from seatpool.control.planning import Plan, Question, adopted, plan
from seatpool.control.retrying import Backoff
from seatpool.control.server_book import ServerBook, Superseded
from seatpool.control.server_status import ServerView
from seatpool.control.standing import Known, Standing, Trouble
from seatpool.control.store import Store
from seatpool.domain.allocation import Allocation
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import InvalidUser
from seatpool.domain.memory import Memory
from seatpool.kube.errors import Conflict, KubeError
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.faults import CommandFault, TransportError
from seatpool.servers.link import ServerLink
from seatpool.servers.places import Sent
from seatpool.servers.report import ProductReport, Report, Result

TAKE_OVER = "seatpool.io/take-over"
LONGEST_SLEEP = 3600.0
UNASKABLE = frozenset(
    {CommandFault.THROTTLED, CommandFault.ACCESS_DENIED, CommandFault.NO_CREDENTIALS, CommandFault.UNREACHABLE}
)
"""Faults of asking: the command itself may be well, and is asked for again."""


class Step(StrEnum):
    """Where a pass is. A crash after any of these is answered by the next process."""

    BEFORE_INTENT = "before-intent"
    AFTER_INTENT = "after-intent"
    AFTER_SEND = "after-send"
    AFTER_APPLY = "after-apply"
    BEFORE_STATUS = "before-status"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all reconcilers of one operator share."""

    store: Store
    ledgers: LedgerBook
    finalizer: Finalizer
    announcer: Announcer
    standings: dict[str, Standing]
    """Of every pool, by key."""
    installation: str
    link_to: Callable[[LicenseServer], ServerLink]
    uninventoried: Callable[[], tuple[str, ...]]
    """Accounts that may hide workbenches: while there are any, nobody is released."""
    metrics: ControlMetrics
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)
    on_step: Callable[[str, Step], None] = lambda _server, _step: None

    def now(self) -> datetime:
        """The instant as the API server can keep it."""
        return to_milliseconds(self.clock())


class ServerReconciler:
    """The reconciler of one LicenseServer."""

    def __init__(self, key: str, book: ServerBook, around: Surroundings) -> None:
        self.key = key
        self._book = book
        self._around = around
        self._store = around.store
        self._log = around.log.bind(server=key)
        self._view = ServerView()
        self._wake = asyncio.Event()
        self._todo: dict[str, datetime] = {}
        self._forced: set[str] = set()
        """Products whose list must be written again whatever was read: an earlier command may still arrive."""
        self._server_backoff = Backoff(around.rng, monotonic=around.monotonic)
        self._product_backoff: dict[str, Backoff] = {}
        self._last_command = float("-inf")
        self._last_verified: float | None = None
        self._server: LicenseServer | None = None

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. No failure outside ends it."""
        troubles = Backoff(self._around.rng, monotonic=self._around.monotonic, first=0.2, longest=30.0)
        while True:
            began = self._around.monotonic()
            try:
                again = await self._pass()
                troubles.succeeded()
                self._around.metrics.passes.labels("ok").inc()
            except (Conflict, Superseded) as error:
                again = True
                troubles.failed()
                self._around.metrics.passes.labels("conflict").inc()
                self._log.info("pass begun anew", reason=type(error).__name__, error=str(error))
            except KubeError as error:
                again = True
                troubles.failed()
                self._around.metrics.passes.labels("kubernetes").inc()
                if troubles.failures in (1, 10, 100):
                    self._log.warning("kubernetes does not answer as needed", error=str(error))
            except Exception:  # noqa: BLE001
                again = True
                troubles.failed()
                self._around.metrics.passes.labels("fault").inc()
                self._around.metrics.restarts.labels("reconciler").inc()
                self._log.error("pass failed by a fault of ours", exc_info=True)
            self._around.metrics.pass_seconds.observe(self._around.monotonic() - began)
            await asyncio.sleep(troubles.remaining())
            await self._rest(again=again)

    async def _rest(self, *, again: bool) -> None:
        if not again and not self._has_work():
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=self._seconds_to_next())
            except TimeoutError:
                return
        server = self._server
        if server is not None and self._has_work():
            await asyncio.sleep(server.spec.debounce.total_seconds())
            since = self._around.monotonic() - self._last_command
            await asyncio.sleep(max(0.0, server.spec.min_interval.total_seconds() - since))

    def _has_work(self) -> bool:
        return any(
            key in self._store.pools and self._store.server_of(key) == self.key for key in self._store.dirty_pools
        )

    def _seconds_to_next(self) -> float:
        """How long nothing has to be looked at, if nothing happens."""
        now, server = self._around.clock(), self._server
        waits = [LONGEST_SLEEP]
        answers = [standing.answer for standing in self._view.standings.values() if standing.answer is not None]
        waits.extend((answer.next_change - now).total_seconds() for answer in answers if answer.next_change is not None)
        waits.extend(backoff.remaining() for backoff in self._product_backoff.values() if backoff.failures)
        if self._server_backoff.failures:
            waits.append(self._server_backoff.remaining())
        if server is not None and self._last_verified is not None and not server.spec.suspend:
            due = self._last_verified + server.spec.verify_interval.total_seconds()
            waits.append(due - self._around.monotonic())
        return max(0.02, min(waits))

    async def _pass(self) -> bool:
        """One pass; whether another one should follow at once."""
        self._wake.clear()
        opened = await self._book.open()
        if opened is None:
            return False
        server, foreign = opened
        self._server = server
        pools = self._pools()
        if foreign:
            self._log.info("another process wrote a revision; lists are read anew", revision=self._book.revision)
            self._forget_lists(self._view.known)
        self._view.uninventoried = self._around.uninventoried()
        reachable = not server.spec.suspend and not self._server_backoff.remaining()
        if reachable:
            try:
                await self._settle_in_flight(server)
                await self._read_lists(server, pools)
            except SeatpoolError as error:
                if isinstance(error, KubeError | Superseded):
                    raise
                self._failed(server, error)
                reachable = False
        planned = self._plan(server, pools)
        changes = self._changes(server, pools, planned) if reachable else ()
        if changes:
            await self._apply(server, pools, planned, changes)
        else:
            await self._save(pools, planned)
        self._around.on_step(self.key, Step.BEFORE_STATUS)
        await self._close(pools)
        return self._more_to_do(server, pools)

    def _pools(self) -> list[LicensePool]:
        """The pools that are applied here; what is known of others is dropped."""
        everyone = list(self._store.pools_of_server(self.key))
        ours = [pool for pool in everyone if self._store.claimant(pool.key) == pool.key]
        keys = {pool.key for pool in ours}
        for pool in everyone:
            if pool.key not in keys and self._around.standings.pop(pool.key, None) is not None:
                self._around.announcer.pool(pool.key)
            if pool.key not in keys:
                self._store.dirty_pools.pop(pool.key, None)
        for key in [key for key in self._view.standings if key not in keys]:
            self._around.standings.pop(key, None)
            self._todo.pop(key, None)
        standings = {pool.key: self._around.standings.setdefault(pool.key, Standing()) for pool in ours}
        for pool in ours:
            standing = standings[pool.key]
            standing.known = self._view.known.get(pool.spec.product)
            standing.keep_placeholder = pool.spec.empty_list is EmptyList.KEEP_PLACEHOLDER
            standing.clearing = pool.metadata.deletion_timestamp is not None and pool.spec.on_delete is OnDelete.CLEAR
        self._view.standings = standings
        products = {pool.spec.product for pool in ours}
        self._view.known = {product: known for product, known in self._view.known.items() if product in products}
        self._forced &= products
        return ours

    # -- what an earlier process or pass left open ------------------------------------------------------------------

    async def _settle_in_flight(self, server: LicenseServer) -> None:
        """Wait for a command whose id is known; answer one whose id is not by a new and higher revision."""
        left = self._book.in_flight
        if left is None:
            return
        products = {state.product for state in left.products}
        if left.command_id is None or left.instance_id is None:
            if products - self._forced:
                self._log.info(
                    "an intent without a known command is answered by a new revision", revision=left.revision
                )
                self._doubt(products)
            return
        self._log.info("a command that was sent earlier is waited for", revision=left.revision)
        sent = Sent(command_id=left.command_id, instance_id=left.instance_id)
        try:
            report = await self._around.link_to(server).result(sent)
        except TransportError as error:
            if error.reason in UNASKABLE:
                raise
            self._doubt(products)
        else:
            for product, told in report.products.items():
                self._take_known(product, told)
        self._book.in_flight = None

    def _doubt(self, products: Iterable[str]) -> None:
        """A command may have changed these lists, or may do so yet: read first, then write a higher revision."""
        self._forced |= set(products)
        self._forget_lists(products)

    # -- reading ------------------------------------------------------------------------------------------------

    async def _read_lists(self, server: LicenseServer, pools: list[LicensePool]) -> None:
        """Read what is not known, and everything when it is time to look whether somebody else changed it."""
        products = sorted({pool.spec.product for pool in pools})
        due = self._last_verified is None or (
            self._around.monotonic() - self._last_verified >= server.spec.verify_interval.total_seconds()
        )
        wanted = [
            product
            for product in products
            if (due or product not in self._view.known) and not self._is_backing_off(product)
        ]
        if not wanted:
            return
        link = self._around.link_to(server)
        whole = ListCommand(revision=self._book.revision, owner=self._around.installation, products=tuple(wanted))
        for command in link.split(whole):
            report = await self._exchange(command, lambda command: self._read_one(link, command))
            for product in command.names:
                self._take_reading(server, pools, product, report.products.get(product))
        if due:
            self._last_verified = self._around.monotonic()
            self._view.last_verified = self._around.now()

    async def _read_one(self, link: ServerLink, command: ListCommand) -> Report:
        return await link.result(await link.send(command), command=command)

    def _take_reading(
        self, server: LicenseServer, pools: list[LicensePool], product: str, told: ProductReport | None
    ) -> None:
        pool = next(pool for pool in pools if pool.spec.product == product)
        standing = self._view.standings[pool.key]
        before = self._view.known.get(product)
        if told is None or told.result is Result.FAILED or told.users is None:
            detail = "the answer does not mention it" if told is None else told.detail or "no list was printed"
            self._trouble(pool, ConditionReason.READ_FAILED, f"product {product!r} cannot be read: {detail}")
            return
        known = self._take_known(product, told)
        if self._is_foreign(server, known):
            self._foreign(pool, told.owner)
            return
        if standing.trouble is not None and standing.trouble.reason in (
            ConditionReason.READ_FAILED,
            ConditionReason.FOREIGN_OWNER,
        ):
            self._recovered(pool)
        if before is not None and (before.users, before.odd) != (known.users, known.odd):
            self._around.metrics.drift.labels(self.key).inc()
            self._around.announcer.drift(pool, before=before, now=known)
        if before is not None and known.revision < before.revision:
            self._forced.add(product)
            self._log.warning(
                "the license server went back to an older revision",
                product=product,
                was=before.revision,
                now=known.revision,
            )

    def _take_known(self, product: str, told: ProductReport) -> Known:
        """Believe what was read of a product's list."""
        known = Known(
            users=told.users or (), revision=told.fence, owner=told.owner, odd=told.odd, placeholder=told.placeholder
        )
        if told.users is None:
            self._forget_lists([product])
            return known
        before = self._view.known.get(product)
        self._view.known = {**self._view.known, product: known}
        for key, standing in self._view.standings.items():
            if self._store.pools[key].spec.product == product if key in self._store.pools else False:
                standing.known = known
                changed = set(known.users) ^ set(before.users if before is not None else ())
                self._around.announcer.people(key, changed)
        if told.owner == self._around.installation:
            self._book.raise_floor(told.fence)
        return known

    def _forget_lists(self, products: Iterable[str]) -> None:
        gone = set(products)
        self._view.known = {product: known for product, known in self._view.known.items() if product not in gone}
        for key, standing in self._view.standings.items():
            pool = self._store.pools.get(key)
            if pool is not None and pool.spec.product in gone:
                standing.known = None

    # -- deciding -----------------------------------------------------------------------------------------------

    def _plan(self, server: LicenseServer, pools: list[LicensePool]) -> Plan:
        now = self._around.now()
        questions: list[Question] = []
        others = 0
        for pool in pools:
            standing = self._view.standings[pool.key]
            marked = self._store.dirty_pools.pop(pool.key, None)
            if marked is not None:
                self._todo.setdefault(pool.key, marked)
            if pool.spec.suspend or pool.metadata.deletion_timestamp is not None:
                self._todo.pop(pool.key, None)
                others += len(standing.memory.assigned) if standing.memory is not None else 0
                continue
            answer = standing.answer
            due = answer is None or (answer.next_change is not None and answer.next_change <= now)
            held = self._view.held is not None or bool(self._view.uninventoried)
            if not due and not held and pool.key not in self._todo:
                others += len(answer.users) if answer is not None else 0
                continue
            memory = self._memory_of(server, pool, standing, now)
            if memory is None:
                continue
            questions.append(
                Question(
                    pool=pool,
                    rules=self._store.rules[pool.key],
                    needs=self._store.demand.needs(pool.key),
                    memory=memory,
                )
            )
        made = plan(server, questions, others_present=others, may_release=not self._view.uninventoried, now=now)
        if made.held is not None and made.held != self._view.held:
            self._around.announcer.held(server, made.held)
        self._view.held = made.held
        return made

    def _memory_of(
        self, server: LicenseServer, pool: LicensePool, standing: Standing, now: datetime
    ) -> Memory | None:
        """What the pool remembers; at first contact the people on the list, once they are known."""
        if standing.memory is not None:
            return standing.memory
        remembered = self._around.ledgers.recall(pool)
        if remembered is not None:
            return remembered
        known = standing.known
        if known is None or self._is_foreign(server, known):
            return None
        if pool.spec.adoption is Adoption.OVERWRITE:
            return Memory.empty()
        people = set()
        for user in known.users:
            try:
                people.add(self._store.identity.user(user))
            except InvalidUser as error:
                self._log.warning("an entry of the list is not adopted", pool=pool.key, error=str(error))
        if people:
            self._around.announcer.adopted(pool, people)
        return adopted(sorted(people), now=now)

    async def _save(self, pools: list[LicensePool], planned: Plan) -> None:
        """Make the memory of every answer durable, and only then take the answer for true."""
        answered = [pool for pool in pools if pool.key in planned.answers]
        results = await asyncio.gather(
            *(self._around.ledgers.save(pool, planned.answers[pool.key].memory) for pool in answered),
            return_exceptions=True,
        )
        for pool, result in zip(answered, results, strict=True):
            if isinstance(result, Conflict):
                self._view.standings[pool.key].memory = await self._around.ledgers.refresh(pool)
                self._todo.setdefault(pool.key, self._around.now())
            elif not isinstance(result, BaseException):
                self._commit(pool, planned.answers[pool.key])
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _commit(self, pool: LicensePool, answer: Allocation) -> None:
        standing = self._view.standings[pool.key]
        before = standing.answer
        standing.memory, standing.answer = answer.memory, answer
        marked = self._todo.pop(pool.key, None)
        if standing.in_sync:
            standing.changed_at = None
        elif standing.changed_at is None:
            standing.changed_at = marked or self._around.now()
        standing.granted.extend(answer.granted)
        standing.released.extend(answer.released)
        self._around.announcer.decided(pool, before=before, answer=answer)

    # -- sending ------------------------------------------------------------------------------------------------

    def _changes(self, server: LicenseServer, pools: list[LicensePool], planned: Plan) -> tuple[ListChange, ...]:
        """The lists that have to be written, by what is known of them."""
        if server.spec.mode is Mode.DRY_RUN:
            return ()
        changes = []
        for pool in pools:
            standing = self._view.standings[pool.key]
            product = pool.spec.product
            answer = planned.answers.get(pool.key)
            users = () if standing.clearing else (answer.users if answer is not None else standing.wanted)
            if users is None or not self._is_written(server, pool, standing):
                continue
            assert standing.known is not None  # noqa: S101
            same = (
                standing.known.users == users
                and not standing.known.odd
                and (bool(users) or standing.known.placeholder == standing.keep_placeholder)
            )
            if not same or product in self._forced:
                changes.append(
                    ListChange(
                        product=product,
                        users=users,
                        seats=pool.spec.seats,
                        keep_placeholder=standing.keep_placeholder,
                    )
                )
        return tuple(changes)

    def _is_written(self, server: LicenseServer, pool: LicensePool, standing: Standing) -> bool:
        """Whether the pool's list may be written now."""
        known = standing.known
        if pool.spec.suspend or pool.spec.mode is Mode.DRY_RUN or known is None:
            return False
        if pool.metadata.deletion_timestamp is not None and not standing.clearing:
            return False
        if self._is_foreign(server, known):
            return False
        return not self._is_backing_off(pool.spec.product)

    async def _apply(
        self, server: LicenseServer, pools: list[LicensePool], planned: Plan, changes: tuple[ListChange, ...]
    ) -> None:
        link = self._around.link_to(server)
        step = self._around.on_step
        command = link.split(
            ListCommand(
                revision=self._book.next_revision,
                owner=self._around.installation,
                takeover=server.metadata.annotations.get(TAKE_OVER),
                changes=changes,
            )
        )[0]
        step(self.key, Step.BEFORE_INTENT)
        saved, intended = await asyncio.gather(
            self._save(pools, planned),
            self._book.intend(command, self._view, doubted=self._forced),
            return_exceptions=True,
        )
        for outcome in (saved, intended):
            if isinstance(outcome, BaseException):
                raise outcome
        step(self.key, Step.AFTER_INTENT)
        try:
            report = await self._exchange(command, lambda command: self._send(link, command))
        except SeatpoolError as error:
            if isinstance(error, KubeError | Superseded):
                raise
            flying = self._book.in_flight
            unanswered = isinstance(error, TransportError) and error.reason in UNASKABLE
            if flying is None or flying.command_id is None or not unanswered:
                self._book.in_flight = None
                if not isinstance(error, TransportError) or error.maybe_applied:
                    self._doubt(command.names)
            self._failed(server, error)
            return
        self._book.in_flight = None
        step(self.key, Step.AFTER_APPLY)
        self._last_command = self._around.monotonic()
        by_product = {pool.spec.product: pool for pool in pools}
        for change in command.changes:
            self._take_result(by_product[change.product], change, report.products.get(change.product))

    async def _send(self, link: ServerLink, command: ListCommand) -> Report:
        sent = await link.send(command)
        self._around.on_step(self.key, Step.AFTER_SEND)
        await self._book.sent(sent.command_id, sent.instance_id, self._view)
        return await link.result(sent, command=command)

    async def _exchange(self, command: ListCommand, talk: Callable[[ListCommand], Awaitable[Report]]) -> Report:
        """Send, measure, and note whether the server was reached."""
        metrics, began = self._around.metrics, self._around.monotonic()
        try:
            report = await talk(command)
        except SeatpoolError as error:
            reason = error.reason.value if isinstance(error, TransportError) else type(error).__name__
            metrics.commands.labels(command.action.value, reason).inc()
            raise
        metrics.commands.labels(command.action.value, "ok").inc()
        metrics.command_seconds.observe(self._around.monotonic() - began)
        if self._view.reached is False and self._server is not None:
            self._around.announcer.server_recovered(self._server)
            self._log.info("the license server answers again")
        self._view.reached, self._view.fault = True, None
        self._server_backoff.succeeded()
        return report

    def _take_result(self, pool: LicensePool, change: ListChange, told: ProductReport | None) -> None:
        product = change.product
        standing = self._view.standings[pool.key]
        if told is None:
            self._forget_lists([product])
            self._trouble(pool, ConditionReason.APPLY_FAILED, f"product {product!r}: the answer does not mention it")
            return
        if told.result is Result.OWNER:
            if told.users is not None:
                self._take_known(product, told)
            self._foreign(pool, told.owner)
            return
        if told.result is Result.STALE:
            self._book.raise_floor(told.fence)
            self._doubt([product])
            self._backoff_of(product).failed()
            self._log.warning("the license server has a newer revision than ours", product=product, fence=told.fence)
            return
        self._take_known(product, told)
        if told.result is Result.FAILED:
            detail = told.detail or f"exit code {told.exit_code}"
            self._trouble(pool, ConditionReason.APPLY_FAILED, f"product {product!r} was not taken: {detail}")
            return
        self._forced.discard(product)
        if told.users is None:
            self._trouble(pool, ConditionReason.READ_FAILED, f"product {product!r} was written but cannot be read back")
            return
        if not standing.in_sync:
            known = standing.known
            present = len(known.users) if known is not None else 0
            self._trouble(
                pool,
                ConditionReason.LIST_DIFFERS,
                f"product {product!r}: {len(change.users)} people were written, and the license server shows {present} "
                "others; is its client right, and does anybody else write the list?",
            )
            return
        self._recovered(pool)
        self._view.last_applied = self._around.now()
        if standing.changed_at is not None:
            self._around.metrics.to_list_seconds.observe((self._around.clock() - standing.changed_at).total_seconds())
            standing.changed_at = None

    # -- what goes wrong ------------------------------------------------------------------------------------------

    def _failed(self, server: LicenseServer, error: SeatpoolError) -> None:
        """The command as a whole failed."""
        self._server_backoff.failed()
        reason = error.reason if isinstance(error, TransportError) else CommandFault.BAD_OUTPUT
        pause = format_duration(timedelta(seconds=round(self._server_backoff.remaining())))
        message = f"{error}; next try in {pause}"
        if self._view.reached is not False:
            self._around.announcer.server_unreachable(server, reason.value, str(error))
            self._log.warning("the license server cannot be reached", reason=reason, error=str(error))
        self._view.reached = False
        self._view.fault = Trouble(ConditionReason.SERVER_UNREACHABLE, f"{reason.value}: {message}")
        for key, standing in self._view.standings.items():
            if standing.trouble is None:
                standing.trouble = Trouble(ConditionReason.SERVER_UNREACHABLE, f"{reason.value}: {error}")
                self._around.announcer.pool(key)

    def _trouble(self, pool: LicensePool, reason: ConditionReason, message: str) -> None:
        """One product failed; the others go on."""
        standing = self._view.standings[pool.key]
        self._backoff_of(pool.spec.product).failed()
        if standing.trouble is None or standing.trouble.reason is not reason:
            self._around.announcer.apply_failed(pool, message)
            self._log.warning("a list is not as it should be", pool=pool.key, reason=reason, message=message)
        standing.trouble = Trouble(reason, message)
        self._around.announcer.pool(pool.key)

    def _foreign(self, pool: LicensePool, owner: str) -> None:
        standing = self._view.standings[pool.key]
        message = (
            f"the list of product {pool.spec.product!r} on the license server belongs to installation {owner}, ours is "
            f"{self._around.installation}; nothing is written. To take it over: kubectl annotate --overwrite "
            f"licenseserver/{pool.spec.server_ref.name} -n {pool.metadata.namespace} {TAKE_OVER}={owner}"
        )
        if standing.trouble is None or standing.trouble.reason is not ConditionReason.FOREIGN_OWNER:
            self._around.announcer.foreign_owner(pool, message)
        standing.trouble = Trouble(ConditionReason.FOREIGN_OWNER, message)
        self._around.announcer.pool(pool.key)

    def _recovered(self, pool: LicensePool) -> None:
        standing = self._view.standings[pool.key]
        self._product_backoff.pop(pool.spec.product, None)
        if standing.trouble is not None and standing.trouble.reason is not ConditionReason.SERVER_UNREACHABLE:
            self._around.announcer.list_recovered(pool)
        standing.trouble = None
        self._around.announcer.pool(pool.key)

    def _is_foreign(self, server: LicenseServer, known: Known) -> bool:
        """Whether another installation owns the list, and nobody said that it may be taken over."""
        return known.owner not in ("", self._around.installation, server.metadata.annotations.get(TAKE_OVER))

    def _backoff_of(self, product: str) -> Backoff:
        return self._product_backoff.setdefault(product, Backoff(self._around.rng, monotonic=self._around.monotonic))

    def _is_backing_off(self, product: str) -> bool:
        backoff = self._product_backoff.get(product)
        return backoff is not None and backoff.remaining() > 0

    # -- the end of a pass ----------------------------------------------------------------------------------------

    async def _close(self, pools: list[LicensePool]) -> None:
        for pool in pools:
            standing = self._view.standings[pool.key]
            if (
                self._view.reached
                and standing.trouble
                and standing.trouble.reason is ConditionReason.SERVER_UNREACHABLE
            ):
                standing.trouble = None
                self._around.announcer.pool(pool.key)
            if standing.in_sync:
                standing.changed_at = None
                self._around.announcer.confirmed(pool, standing)
            await self._around.finalizer.look_at(pool, cleared=standing.clearing and standing.in_sync)
        metrics = self._around.metrics
        metrics.in_sync.labels(self.key).set(all(standing.in_sync for standing in self._view.standings.values()))
        metrics.reachable.labels(self.key).set(self._view.reached is not False)
        metrics.guarded.labels(self.key).set(self._view.held is not None)
        await self._book.settle(self._view, doubted=self._forced)

    def _more_to_do(self, server: LicenseServer, pools: list[LicensePool]) -> bool:
        """Whether lists that could be written or read now were left: they did not fit, or have to be looked at again."""
        if server.spec.suspend or self._server_backoff.failures:
            return False
        unread = any(
            pool.spec.product not in self._view.known and not self._is_backing_off(pool.spec.product) for pool in pools
        )
        return unread or bool(self._changes(server, pools, Plan({}, None)))
