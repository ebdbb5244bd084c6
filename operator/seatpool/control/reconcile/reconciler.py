"""Keeps the lists of one license server equal to what they should be.

One task for each LicenseServer, and so one command in flight for each. A pass reads the status, settles what an earlier
process or pass left open, reads lists that nobody knows, computes the answers, and sends the lists that differ. A pass
that fails anywhere can simply be made again: everything that matters was written before it was acted on.
"""

import asyncio

from structlog.contextvars import bound_contextvars, unbind_contextvars

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import Mode
from seatpool.backoff import Backoff
from seatpool.control.leader.leadership import NotLeading
from seatpool.control.reconcile import diff, failures
from seatpool.control.reconcile.apply import apply
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.desired import decide, save
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.reconcile.observed import read_lists, settle_in_flight
from seatpool.control.reconcile.requeue import LONGEST, seconds_to_collect, seconds_to_rest
from seatpool.control.reconcile.send_command import keep_distance
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.reconcile.wait_for_lease import wait_until_leading
from seatpool.control.reconcile.write_ahead_log import Superseded, WriteAheadLog
from seatpool.control.sinks.event_latency import Outcome
from seatpool.control.state.pool_state import PoolState
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.errors import Conflict, KubeError
from seatpool.tracing.spans import Fact, Role


class ServerReconciler:
    """The reconciler of one LicenseServer."""

    def __init__(self, key: str, book: WriteAheadLog, around: Dependencies) -> None:
        self.key = key
        self._book = book
        self._around = around
        self._desk = Desk(key, book, around)
        self._log = around.log.bind(server=key)
        self._wake = asyncio.Event()
        self._found = False
        self._was_in_sync = False

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. No failure outside ends it."""
        metrics, monotonic = self._around.metrics, self._around.monotonic
        metrics.begin_server(self.key)
        patience = Backoff(self._around.rng, monotonic=monotonic, first=0.2, longest=30.0)
        while True:
            await wait_until_leading(self._desk)
            began = monotonic()
            again = True
            try:
                again = await self._traced_pass()
                patience.succeeded()
                metrics.passes.labels(self.key, "ok").inc()
            except (Conflict, Superseded, NotLeading) as error:
                patience.failed()
                metrics.passes.labels(self.key, "conflict").inc()
                self._log.info("pass begun anew", reason=type(error).__name__, error=str(error))
            except KubeError as error:
                patience.failed()
                metrics.passes.labels(self.key, "kubernetes").inc()
                if patience.failures in (1, 10, 100):
                    self._log.warning("kubernetes does not answer as needed", error=str(error))
            except Exception:  # noqa: BLE001
                patience.failed()
                metrics.passes.labels(self.key, "fault").inc()
                metrics.restarts.labels("reconciler").inc()
                self._log.error("pass failed by a fault of ours", exc_info=True)
            metrics.pass_seconds.labels(self.key).observe(monotonic() - began)
            await asyncio.sleep(patience.remaining())
            await self._rest(again=again)

    # -- between passes --------------------------------------------------------------------------------------------

    async def _rest(self, *, again: bool) -> None:
        if not again and not self._has_work():
            try:
                async with asyncio.timeout(seconds_to_rest(self._desk) if self._found else LONGEST):
                    await self._wake.wait()
            except TimeoutError:
                return
        if self._found:
            if self._has_work():
                await asyncio.sleep(seconds_to_collect(self._desk))
            await keep_distance(self._desk)

    def _has_work(self) -> bool:
        store = self._around.store
        return self._found and any(key in store.pools and store.server_of(key) == self.key for key in store.dirty_pools)

    def _has_more_to_do(self) -> bool:
        """Whether lists that could be written or read now were left: they did not fit, or have to be looked at again."""
        desk = self._desk
        if desk.server.spec.suspend or desk.backoffs.server.failures:
            return False
        products = [pool.spec.product for pool in desk.pools if pool.spec.product not in desk.view.known]
        return any(not desk.backoffs.remaining(product) for product in products) or diff.are_left(desk)

    # -- a pass ----------------------------------------------------------------------------------------------------

    async def _traced_pass(self) -> bool:
        """A pass as a part of the eldest message's trace that it answers, joined to those of the others."""
        around = self._around
        marks = around.journeys.marks(pool.key for pool in around.store.pools_of_server(self.key))
        self._desk.marks = set(marks)
        facts: dict[str, Fact] = {"seatpool.server": self.key, "seatpool.messages": len(marks)}
        try:
            with (
                bound_contextvars(server=self.key),
                around.traces.span(
                    "reconcile", parent=marks[0] if marks else None, links=marks[1:], facts=facts
                ) as self._desk.mark,
            ):
                return await self._pass()
        finally:
            unbind_contextvars("revision", "command")

    async def _pass(self) -> bool:
        """One pass; whether another one should follow at once."""
        self._wake.clear()
        opened = await self._book.open()
        if opened is None:
            self._found = False
            return False
        desk, (server, foreign) = self._desk, opened
        desk.look_round(server)
        self._found = True
        if foreign:
            self._log.info("another process wrote a revision; lists are read anew", revision=self._book.revision)
            desk.forget_lists(desk.view.known)
        reached = await self._reach()
        await self._around.may_write.wait()
        desk.view.uninventoried = self._around.uninventoried()
        desk.view.mirror = self._around.mirror_parts()
        # Reading took a while: what is decided is decided about the pools that exist now.
        desk.look_round(server)
        with self._around.traces.span("allocate"):
            planned = decide(desk)
        changed = diff.to_write(desk, planned.answers) if reached else ()
        if changed:
            await apply(desk, planned, changed)
        else:
            await save(desk, planned)
        self._around.on_failpoint(self.key, Failpoint.BEFORE_STATUS)
        with self._around.traces.span("write status", role=Role.CLIENT):
            await self._close()
        return self._has_more_to_do()

    async def _reach(self) -> bool:
        """Learn what is on the server; False when it cannot be spoken to now."""
        desk = self._desk
        desk.held_off = not desk.server.spec.suspend and desk.backoffs.server.remaining() > 0
        if desk.held_off or desk.server.spec.suspend:
            return False
        try:
            await settle_in_flight(desk)
            await read_lists(desk, everything=self._is_verification_due())
            await keep_distance(desk)
        except SeatpoolError as error:
            if isinstance(error, KubeError | Superseded | NotLeading):
                raise
            failures.server_failed(desk, error)
            return False
        return True

    def _is_verification_due(self) -> bool:
        """Now and then, when somebody asks, and when a server that failed has nothing to be sent: else nobody saw that it
        is well again."""
        desk = self._desk
        if desk.is_verification_asked:
            return True
        if desk.last_verified is None or (desk.backoffs.server.failures and not diff.are_left(desk)):
            return True
        return self._around.monotonic() - desk.last_verified >= desk.server.spec.verify_interval.total_seconds()

    async def _close(self) -> None:
        desk, metrics = self._desk, self._around.metrics
        for pool in desk.pools:
            standing = desk.standing(pool)
            failures.end_what_is_over(desk, pool)
            self._end_journeys(pool, standing)
            if pool.key in self._around.store.pools:  # else it was deleted meanwhile
                metrics.pool_in_sync.labels(pool.key, self.key).set(standing.in_sync)
            if standing.in_sync:
                standing.changed_at = None
                self._around.announcer.confirmed(pool, standing)
            empty = standing.clearing and standing.in_sync and pool.spec.product not in desk.forced
            await self._around.finalizer.look_at(pool, cleared=empty)
        self._around.journeys.tell(server=self.key)
        in_sync = all(standing.in_sync for standing in desk.view.standings.values())
        metrics.in_sync.labels(self.key).set(in_sync)
        if in_sync and not self._was_in_sync:
            self._was_in_sync = True
            self._log.info("in sync for the first time", pools=len(desk.pools))
        if desk.view.reached is not None:
            metrics.reachable.labels(self.key).set(desk.view.reached)
        metrics.guarded.labels(self.key).set(desk.view.held is not None)
        await self._book.settle(desk.view, doubted=desk.forced)

    def _end_journeys(self, pool: LicensePool, standing: PoolState) -> None:
        desk, journeys = self._desk, self._around.journeys
        if standing.in_sync:
            outcome = Outcome.UNCHANGED if standing.changed_at is None else Outcome.LISTED
        elif Mode.DRY_RUN in (pool.spec.mode, desk.server.spec.mode) or desk.server.spec.suspend:
            outcome = Outcome.NOT_WRITTEN
        else:
            return
        revision = standing.known.revision if standing.known is not None else 0
        journeys.ended(pool.key, outcome, server=self.key, revision=revision, mark=desk.mark)
