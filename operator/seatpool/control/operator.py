"""The running operator as one object: it owns its parts and their tasks, and two can live in a process.

The order of the start is the order of trust: probes answer first, then everything is listed, then the mirror and the
watches run, and only when EC2 was asked once does anybody write to a license server.
"""

import asyncio
import contextlib
import os
import random
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from pydantic import ValidationError

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.aws.sessions import SessionFactory
from seatpool.control import crd_check
from seatpool.control.announcing import Announcer
from seatpool.control.audit import Audit
from seatpool.control.condition_reasons import EventReason
from seatpool.control.finalizing import Finalizer
from seatpool.control.handlers import make_registry, run_kopf
from seatpool.control.heartbeats import Heartbeats
from seatpool.control.ledger import to_milliseconds
from seatpool.control.ledger_book import LedgerBook
from seatpool.control.metrics import ControlMetrics
from seatpool.control.pool_status import pool_status
from seatpool.control.probes import Probes
from seatpool.control.reconciler import ServerReconciler, Step, Surroundings
from seatpool.control.recorder import Recorder
from seatpool.control.retrying import Backoff
from seatpool.control.server_book import ServerBook
from seatpool.control.standing import Standing
from seatpool.control.status_writer import Pace, StatusWriter, without_times
from seatpool.control.store import Raw, Store
from seatpool.control.workbench_status import workbench_status
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError, NotFound
from seatpool.mirror.mirror import Mirror
from seatpool.servers.link import ServerLink
from seatpool.servers.ssm import SsmTransport
from seatpool.settings import Settings

KINDS: tuple[type[Resource], ...] = (LicenseServer, LicensePool, SeatLedger, Workbench)
FIRST_INVENTORY_LIMIT = 60.0
POOL_PACE = Pace(delay=0.2, per_second=50, at_once=8)
WORKBENCH_PACE = Pace(delay=0.5, per_second=50, at_once=8)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Operator:
    """Everything between the Kubernetes API, EC2 and the license servers."""

    def __init__(
        self,
        settings: Settings,
        *,
        session_factory: SessionFactory = boto3.Session,
        clock: Callable[[], datetime] = utc_now,
        on_step: Callable[[str, Step], None] = lambda _server, _step: None,
    ) -> None:
        self.settings = settings
        self.holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.registry = CollectorRegistry()
        self.http_port = settings.http.port
        self._log = structlog.get_logger().bind(holder=self.holder)
        self._session_factory = session_factory
        self._clock = clock
        self._on_step = on_step
        self._rng = random.Random()  # noqa: S311
        self._metrics = ControlMetrics(self.registry)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._stop = asyncio.Event()
        self._kopf_stop = asyncio.Event()
        self._kopf_ready = asyncio.Event()
        self._may_write = asyncio.Event()
        self._loaded = False
        self._crd_problem: str | None = "not looked at yet"
        self._reconcilers: dict[str, tuple[ServerReconciler, asyncio.Task[None]]] = {}
        self._standings: dict[str, Standing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._dead: dict[str, str] = {}
        self.heartbeats = Heartbeats(KINDS, watches=max(1, len(settings.namespaces)), metrics=self._metrics)

    def stop(self) -> None:
        """End soon: nothing new is begun."""
        self._stop.set()

    async def run(self) -> None:
        """Until `stop` is called, or until watching is no longer possible."""
        settings = self.settings
        probes = Probes(
            host=settings.http.host, port=settings.http.port, registry=self.registry, live=self._live, ready=self._ready
        )
        self.http_port = await probes.start()
        kube = await KubeClient.connect(kubeconfig=str(settings.kubeconfig) if settings.kubeconfig else None)
        transport = SsmTransport(endpoint_url=settings.servers.endpoint_url, session_factory=self._session_factory)
        try:
            await self._until_stopped(self._serve(kube, transport))
        finally:
            await self._end_tasks()
            transport.close()
            await kube.close()
            await probes.stop()
            self._log.info("stopped")

    async def _until_stopped(self, work: Awaitable[None]) -> None:
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set() and not working.done():
                # Ours go first: Kopf waits for every task that began after it, and then gets time to close its streams.
                await self._end_tasks()
                self._kopf_stop.set()
                await asyncio.wait({working}, timeout=5)
            if working.done():
                working.result()
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, kube: KubeClient, transport: SsmTransport) -> None:
        installation = self.settings.installation or await self._patiently(lambda: _cluster_id(kube))
        self._log.info("starting", installation=installation, port=self.http_port)
        self._build(kube, transport, installation)
        await self._patiently(self._audit.load)
        self._loaded = True
        self._log.info(
            "listed",
            pools=len(self._store.pools),
            servers=len(self._store.servers),
            workbenches=len(self._store.workbenches),
        )
        watch = self.settings.watch
        self._start("mirror", self._mirror.run)
        self._start("recorder", self._recorder.run)
        self._start("pool statuses", self._pool_statuses.run)
        self._start("workbench statuses", self._workbench_statuses.run)
        self._start("crd check", lambda: self._check_crds(kube))
        self._start("audit", lambda: self._audit.run(interval=watch.audit_interval.total_seconds()))
        self._start("heartbeats", self.heartbeats.run)
        self._start("first inventory", self._wait_for_inventory)
        registry = make_registry(KINDS, self._seen, kube)
        await run_kopf(registry, namespaces=self.settings.namespaces, stop=self._kopf_stop, ready=self._kopf_ready)
        if not self._stop.is_set():
            raise SeatpoolError("Kopf ended by itself: watching is not possible; see its log lines above")

    def _build(self, kube: KubeClient, transport: SsmTransport, installation: str) -> None:
        settings, metrics, log = self.settings, self._metrics, self._log
        self._store = Store(
            settings.identity,
            on_dirty=self._wake,
            on_problem=self._workbench_changed,
            on_pool=self._pool_changed,
            on_server=self._server_changed,
        )
        self._mirror = Mirror(
            settings.mirror,
            kube,
            registry=self.registry,
            log=log,
            session_factory=self._session_factory,
            clock=self._clock,
        )
        self._recorder = Recorder(kube, instance=self.holder, metrics=metrics, log=log, clock=self._clock)
        self._pool_statuses = StatusWriter(
            LicensePool, self._render_pool, pace=POOL_PACE, kube=kube, metrics=metrics, log=log,
            written=lambda _key, raw: self._echo(LicensePool, raw),
        )  # fmt: skip
        self._workbench_statuses = StatusWriter(
            Workbench, self._render_workbench, pace=WORKBENCH_PACE, kube=kube, metrics=metrics, log=log,
            written=lambda _key, raw: self._echo(Workbench, raw),
        )  # fmt: skip
        announcer = Announcer(
            store=self._store,
            recorder=self._recorder,
            metrics=metrics,
            mark_pool=self._pool_statuses.mark,
            mark_workbench=self._workbench_statuses.mark,
            mark_workbench_later=self._workbench_statuses.mark_later,
            log=log,
        )
        pin = None if settings.servers.document_hash else ""
        self._finalizer = Finalizer(kube, metrics)
        self._around = Surroundings(
            store=self._store,
            ledgers=LedgerBook(self._store, kube, metrics),
            finalizer=self._finalizer,
            announcer=announcer,
            standings=self._standings,
            installation=installation,
            link_to=lambda server: ServerLink(server.spec, transport, name=server.key, pinned_hash=pin),
            uninventoried=self._mirror.unknown_sources,
            metrics=metrics,
            log=log,
            clock=self._clock,
            rng=self._rng,
            on_step=self._on_step,
        )
        self._kube = kube
        self._audit = Audit(
            kinds=KINDS,
            namespaces=settings.namespaces,
            kube=kube,
            store=self._store,
            take=self._took,
            forget=self._lost,
            metrics=metrics,
            log=log,
            clock=self._clock,
        )

    # -- what the cluster says -----------------------------------------------------------------------------------

    def _seen(self, kind: type[Resource], event: str, raw: Raw) -> None:
        """A watch brought something. Never raises: Kopf would only log it."""
        metadata = raw["metadata"]
        self._metrics.last_event.labels(kind.kind).set(self._clock().timestamp())
        if event == "DELETED":
            self._lost(kind, f"{metadata['namespace']}/{metadata['name']}", metadata["uid"])
        else:
            self._took(kind, raw)

    def _took(self, kind: type[Resource], raw: Raw) -> bool:
        if kind is Workbench:
            self._mirror.observe(raw)
        try:
            return self._store.put(kind, raw, now=self._clock())
        except (ValidationError, SeatpoolError) as error:
            self._metrics.refused.labels(kind.kind).inc()
            self._log.warning(
                "an object cannot be read", kind=kind.kind, name=raw["metadata"]["name"], error=str(error)
            )
            resource_metadata = kind.model_fields["metadata"].annotation
            assert resource_metadata is not None  # noqa: S101
            self._recorder.warning(
                kind, resource_metadata.model_validate(raw["metadata"]), EventReason.INVALID_SPEC, str(error)
            )
            return False

    def _echo(self, kind: type[Resource], raw: Raw) -> None:
        """Our own write came back: known at once, and not only when the watch brings it."""
        self._took(kind, raw)

    def _lost(self, kind: type[Resource], key: str, uid: str | None) -> bool:
        if kind is Workbench:
            self._mirror.forget(key, uid=uid)
        return self._store.remove(kind, key, uid=uid, now=self._clock())

    def _wake(self, server: str) -> None:
        found = self._reconcilers.get(server)
        if found is not None:
            found[0].wake()

    def _workbench_changed(self, key: str) -> None:
        self._workbench_statuses.mark(key)
        view = self._store.workbenches.get(key)
        if view is not None and view.problem is not None and view.observed_generation != view.generation:
            self._recorder.warning(Workbench, view.metadata, EventReason.OWNER_REFUSED, f"spec.owner: {view.problem}")

    def _pool_changed(self, key: str) -> None:
        pool = self._store.pools.get(key)
        if pool is None:
            self._standings.pop(key, None)
            return
        self._pool_statuses.mark(key)
        for workbench in self._store.workbenches_served_by(key):
            self._workbench_statuses.mark(workbench)
        if self._store.server_of(key) not in self._store.servers and pool.metadata.deletion_timestamp is not None:
            self._start(f"finalizer of {key}", lambda: self._finalizer.look_at(pool, cleared=True), once=True)

    def _server_changed(self, key: str) -> None:
        if key in self._store.servers and key not in self._reconcilers:
            book = ServerBook(
                key,
                kube=self._kube,
                holder=self.holder,
                metrics=self._metrics,
                clock=self._clock,
                written=lambda raw: self._took_server(raw),
            )
            reconciler = ServerReconciler(key, book, self._around)
            task = self._start(f"reconciler of {key}", lambda: self._reconcile(reconciler))
            self._reconcilers[key] = (reconciler, task)
        elif key not in self._store.servers and key in self._reconcilers:
            _, task = self._reconcilers.pop(key)
            task.cancel()
            for pool in self._store.pools_of_server(key):
                self._standings.pop(pool.key, None)
        for pool in self._store.pools_of_server(key):
            self._pool_statuses.mark(pool.key)
        self._wake(key)

    def _took_server(self, raw: Raw) -> None:
        """Our own status write came back: keep it, without waking whoever wrote it."""
        self._store.put_quietly(LicenseServer, raw)

    async def _reconcile(self, reconciler: ServerReconciler) -> None:
        await self._may_write.wait()
        await reconciler.run()

    # -- what is said about it ---------------------------------------------------------------------------------------

    def _render_pool(self, key: str) -> Body | None:
        pool = self._store.pools.get(key)
        if pool is None:
            return None
        server = self._store.servers.get(self._store.server_of(key))
        standing = self._standings.get(key) or Standing()
        status = pool_status(
            pool, standing, server=server, claimant=self._store.claimant(key), now=to_milliseconds(self._clock())
        ).wire()
        return None if without_times(status) == without_times(pool.status.wire()) else status

    def _render_workbench(self, key: str) -> Body | None:
        view = self._store.workbenches.get(key)
        if view is None:
            return None
        serving = self._store.demand.pools_of(key)
        active = {
            pool: view.user is not None and key in self._store.demand.workbenches_of(pool, view.user)
            for pool in serving
        }
        status = workbench_status(
            view, serving=serving, active=active, standings=self._standings, now=to_milliseconds(self._clock())
        ).wire()
        return None if without_times(status) == without_times(view.status_wire()) else status

    # -- tasks and probes ----------------------------------------------------------------------------------------------

    def _start(self, name: str, run: Callable[[], Awaitable[None]], *, once: bool = False) -> asyncio.Task[None]:
        """A task of ours; one that ends by itself makes liveness fail, because only a restart brings it back."""

        async def guarded() -> None:
            try:
                await run()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001
                self._metrics.restarts.labels(name.split(" of ")[0]).inc()
                self._log.error("a task ended", task=name, exc_info=True)
                if not once:
                    self._dead[name] = f"ended: {type(error).__name__}: {error}"

        task = asyncio.create_task(guarded(), name=f"seatpool {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _wait_for_inventory(self) -> None:
        """Nothing is decided from half a picture, but neither does one region that hangs stop everybody for ever."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._mirror.ready.wait(), timeout=FIRST_INVENTORY_LIMIT)
        await self._kopf_ready.wait()
        self._may_write.set()
        self._log.info("ready", uninventoried=list(self._mirror.unknown_sources()))

    async def _check_crds(self, kube: KubeClient) -> None:
        while True:
            try:
                problem = await crd_check.outdated(kube, KINDS)
            except KubeError as error:
                problem = str(error)
            if problem != self._crd_problem and problem is not None:
                self._log.error("the CRDs do not fit", problem=problem)
            self._crd_problem = problem
            await asyncio.sleep(60 if problem is None else 5)

    async def _patiently(self, call: Callable[[], Awaitable[Any]]) -> Any:
        backoff = Backoff(self._rng, first=0.2, longest=15.0)
        while True:
            try:
                return await call()
            except KubeError as error:
                backoff.failed()
                self._log.warning("the Kubernetes API does not answer as needed", error=str(error))
                await asyncio.sleep(backoff.remaining())

    def _live(self) -> Mapping[str, str | None]:
        checks: dict[str, str | None] = {"loop": None, **self._dead}
        if self._kopf_ready.is_set():
            checks |= self.heartbeats.problems(limit=self.settings.watch.heartbeat_limit.total_seconds())
        return checks

    def _ready(self) -> Mapping[str, str | None]:
        return {
            "listed": None if self._loaded else "the first list of all objects is not complete",
            "crds": self._crd_problem,
            "watching": None if self._kopf_ready.is_set() else "watches are not open yet",
            "inventory": None if self._may_write.is_set() else "EC2 has not been asked for all workbenches yet",
        }


async def _cluster_id(kube: KubeClient) -> str:
    """The uid of kube-system: every cluster has one, and no two have the same."""
    try:
        namespace = await kube.get_raw("/api/v1/namespaces/kube-system")
    except NotFound as error:
        raise SeatpoolError("there is no namespace kube-system to take an id from; set `installation`") from error
    return str(namespace["metadata"]["uid"])
