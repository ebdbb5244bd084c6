"""Keeps the lists of one license server equal to what they should be: the reconcile loop and its steps.

There is one task for each LicenseServer, and so one command in flight for each. A pass that fails anywhere can simply be made
again: everything that matters was written before it was acted on.

A pass is `reconcile`, from top to bottom. Its steps give values back; `advance` makes the next state from each. To see what a
step does, open the module of its name; to see how a field of the state came to its value, open `advance`.
"""

import asyncio
from collections.abc import Iterable

from structlog.contextvars import bound_contextvars, unbind_contextvars

from seatpool.api.licensepool import LicensePool
from seatpool.backoff import Backoff
from seatpool.control.leader.leadership import NotLeading
from seatpool.control.reconcile.advance import advance
from seatpool.control.reconcile.apply import apply, prepare, store
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.desired import compute, gather, pools_due
from seatpool.control.reconcile.diff import diff
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.reconcile.observed import observe
from seatpool.control.reconcile.requeue import LONGEST, batch_delay, has_more_to_do, requeue_after
from seatpool.control.reconcile.send_command import wait_min_interval
from seatpool.control.reconcile.server_state import ServerState, is_decided
from seatpool.control.reconcile.step_results import (
    CacheRead,
    Desired,
    LeaseRefused,
    PassBegun,
    PassDone,
    PassFailed,
    PoolsRefreshed,
    StepResult,
)
from seatpool.control.reconcile.wait_for_lease import wait_for_lease
from seatpool.control.reconcile.write_ahead_log import Superseded, WriteAheadLog
from seatpool.control.sinks.facts import Fact
from seatpool.kube.errors import Conflict, KubeError
from seatpool.tracing.spans import Fact as SpanFact
from seatpool.tracing.spans import Mark, Role

CONFLICTS_TOLD = 5
"""So many passes in a row have to end in a conflict before the status says so: one or two are the way of optimistic writes."""
REFUSALS_TOLD = 3
"""So many passes in a row have to fail at the Kubernetes API before the status says so."""


class ServerReconciler:
    """The reconciler of one LicenseServer."""

    def __init__(self, key: str, wal: WriteAheadLog, deps: Dependencies) -> None:
        self.key = key
        self._wal = wal
        self._deps = deps
        self._state = ServerState(key=key, installation=deps.installation)
        self._log = deps.log.bind(server=key)
        self._wake = asyncio.Event()
        self._found = False
        """The LicenseServer exists, as far as the last pass saw."""
        self._mark: Mark | None = None
        """The present pass, as traces know it."""
        self._marks: set[Mark] = set()
        """The messages that the present pass answers, as traces know them."""

    def wake(self) -> None:
        """Has a pass made soon."""
        self._wake.set()

    async def run(self) -> None:
        """Makes passes until cancelled. No failure outside ends it."""
        metrics, monotonic = self._deps.metrics, self._deps.monotonic
        metrics.init_server(self.key)
        backoff = Backoff(self._deps.rng, monotonic=monotonic, first=0.2, longest=30.0)
        while True:
            await wait_for_lease(self._deps.leadership, report=self._report_lease_problem, log=self._log)
            began = monotonic()
            again = True
            try:
                again = await self._traced_pass()
                backoff.succeeded()
                metrics.passes.labels(self.key, "ok").inc()
            except (Conflict, Superseded, NotLeading) as error:
                backoff.failed()
                metrics.passes.labels(self.key, "conflict").inc()
                self._log.info("pass begun anew", reason=type(error).__name__, error=str(error))
                if backoff.failures >= CONFLICTS_TOLD:
                    await self._fail_pass("another writer changes the same objects again and again")
            except KubeError as error:
                backoff.failed()
                metrics.passes.labels(self.key, "kubernetes").inc()
                if backoff.failures in (1, 10, 100):
                    self._log.warning("kubernetes does not answer as needed", error=str(error))
                if backoff.failures >= REFUSALS_TOLD:
                    await self._fail_pass(f"the Kubernetes API does not answer as needed: {error}")
            except Exception as error:  # noqa: BLE001
                backoff.failed()
                metrics.passes.labels(self.key, "fault").inc()
                metrics.restarts.labels("reconciler").inc()
                self._log.error("pass failed by a fault of ours", exc_info=True)
                await self._fail_pass(f"a fault of the operator ({type(error).__name__}), see its log")
            metrics.pass_seconds.labels(self.key).observe(monotonic() - began)
            await asyncio.sleep(backoff.remaining())
            await self._rest(again=again)

    async def _fail_pass(self, problem: str) -> None:
        """Says in the statuses that a pass failed: the last good conditions must not outlive what they were true for."""
        if not self._found:
            return
        try:
            self._advance(PassFailed(problem=problem))
            await self._wal.settle(self._state.view, in_doubt=self._state.in_doubt.keys())
        except Exception as error:  # noqa: BLE001
            self._log.warning("the status does not say that the pass failed", error=str(error))

    # -- a pass ----------------------------------------------------------------------------------------------------

    async def reconcile(self) -> bool:
        """Makes one pass. Returns whether another one should follow at once.

        Raises KubeError, Superseded or NotLeading if the pass has to be made again.
        """
        self._wake.clear()
        opened = await self._wal.open()
        self._found = opened is not None
        if opened is None:
            return False
        server, foreign = opened
        if foreign:
            self._log.info("another process wrote a revision; lists are read anew", revision=self._wal.revision)
        deps = self._deps
        pools, duplicates = self._claimed_pools()
        refused = deps.refusal_of(server)
        self._advance(
            PassBegun(
                server=server,
                pools=pools,
                duplicates=duplicates,
                foreign=foreign,
                refused=refused,
                capabilities=deps.backend_of(server).capabilities,
                at=deps.moment(),
            )
        )

        observed = await observe(self._state, self._wal, deps)
        self._advance(*observed.steps)
        if observed.is_settled:
            self._wal.command_ended()
        _raise(observed.error)

        await deps.may_write.wait()
        # Reading took a while: what is decided is decided about the pools that exist now.
        pools, duplicates = self._claimed_pools()
        self._advance(PoolsRefreshed(server=server, pools=pools, duplicates=duplicates))
        with deps.traces.span("allocate"):
            desired = self._compute()
        self._advance(desired)
        writes = diff(self._state, desired.answers, at=deps.moment()) if observed.is_reached else ()

        prepared = prepare(self._state, writes, self._wal, deps)
        stored, failure = await store(self._state, desired, prepared, self._wal, deps)
        self._advance(stored)
        _raise(failure)
        if prepared is not None and stored.refused:
            self._wal.command_ended()  # not sent: it may carry a list whose memory is not stored
        elif prepared is not None:
            applied = await apply(self._state, prepared, self._wal, deps)
            self._advance(*applied.steps)
            if applied.is_settled:
                self._wal.command_ended()
            _raise(applied.error)

        deps.on_failpoint(self.key, Failpoint.BEFORE_STATUS)
        self._advance(PassDone(mark=self._mark, at=deps.moment()))
        with deps.traces.span("write status", role=Role.CLIENT):
            await self._set_finalizers()
            await self._wal.settle(self._state.view, in_doubt=self._state.in_doubt.keys())
        return has_more_to_do(self._state, at=deps.moment())

    def _advance(self, *steps: StepResult) -> None:
        """Takes over the next state after each step and publishes what has to be told of it."""
        told: list[Fact] = []
        for step in steps:
            self._state, facts = advance(self._state, step)
            told += facts
        self._deps.pool_states.publish(self.key, self._state.view.pool_states)
        self._deps.broadcaster.publish(told)

    def _claimed_pools(self) -> tuple[tuple[LicensePool, ...], tuple[str, ...]]:
        """The pools that are applied to this server, and the others, each with the pool that manages its list.

        What waits for one that lost its claim is dropped.
        """
        cache, claimed, others = self._deps.store, [], []
        for pool in tuple(cache.pools_of_server(self.key)):
            key, owner = pool.key, cache.owner_pool(pool.key)
            if owner == key:
                claimed.append(pool)
            else:
                others.append(f"{key} (older: {owner} of LicenseServer {cache.server_of(owner)})")
                cache.pop_dirty([key])
                self._deps.latency.drop_pool(key)
        return tuple(claimed), tuple(others)

    def _compute(self) -> Desired:
        """Reads the cache and computes the answers. Nothing is awaited in between, so both are of the same instant."""
        deps, at = self._deps, self._deps.moment()
        changed = deps.store.pop_dirty(pool.key for pool in self._state.pools)
        self._advance(CacheRead(changed=changed, uninventoried=deps.uninventoried(), common=deps.common_parts()))
        for pool in self._state.pools:
            if not is_decided(pool):
                deps.latency.not_written(pool.key, server=self.key, mark=self._mark)
        due = pools_due(self._state, at=at)
        inputs = gather(self._state, due, store=deps.store, ledgers=deps.ledgers)
        desired = compute(self._state, inputs, identity=deps.store.identity, at=at)
        self._join_late_messages(desired.answers)
        for key in desired.answers:
            deps.latency.computing(key)
        return desired

    async def _set_finalizers(self) -> None:
        for pool in self._state.pools:
            state = self._state.pool_state(pool)
            cleared = state.clearing and state.in_sync and pool.spec.product not in self._state.in_doubt
            await self._deps.finalizer.ensure(pool, cleared=cleared)

    # -- a pass as traces see it -------------------------------------------------------------------------------------

    async def _traced_pass(self) -> bool:
        """Makes a pass as a part of the trace of the oldest message that it answers, linked to those of the others."""
        deps = self._deps
        marks = deps.latency.marks(pool.key for pool in deps.store.pools_of_server(self.key))
        self._marks = set(marks)
        facts: dict[str, SpanFact] = {"seatpool.server": self.key, "seatpool.messages": len(marks)}
        try:
            with (
                bound_contextvars(server=self.key),
                deps.traces.span(
                    "reconcile", parent=marks[0] if marks else None, links=marks[1:], facts=facts
                ) as self._mark,
            ):
                return await self.reconcile()
        finally:
            unbind_contextvars("revision", "command")

    def _join_late_messages(self, pools: Iterable[str]) -> None:
        """Links messages that came while the pass was already under way: it answers them too."""
        late = [mark for mark in self._deps.latency.marks(pools) if mark not in self._marks]
        self._marks.update(late)
        self._deps.traces.link(late)

    # -- between passes ------------------------------------------------------------------------------------------------

    async def _rest(self, *, again: bool) -> None:
        if not again and not self._has_work():
            seconds = requeue_after(self._state, at=self._deps.moment()) if self._found else LONGEST
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                return
        if self._found:
            if self._has_work():
                await asyncio.sleep(batch_delay(self._state, at=self._deps.moment()))
            await wait_min_interval(self._state, self._deps)

    def _has_work(self) -> bool:
        cache = self._deps.store
        return self._found and any(key in cache.pools and cache.server_of(key) == self.key for key in cache.dirty_pools)

    async def _report_lease_problem(self, problem: str) -> None:
        """Writes into the status why no process may be the leader."""
        opened = await self._wal.open()
        if opened is None:
            return
        server, foreign = opened
        if foreign:
            return  # another process leads after all
        pools, duplicates = self._claimed_pools()
        self._advance(PoolsRefreshed(server=server, pools=pools, duplicates=duplicates), LeaseRefused(problem=problem))
        await self._wal.settle(self._state.view, in_doubt=self._state.in_doubt.keys())


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error
