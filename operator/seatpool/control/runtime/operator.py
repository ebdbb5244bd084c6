"""Runs an operator. It is one object that owns its components and their tasks, so two can run in a process.

Order of the start:

1. The probes answer.
2. All objects are listed and watched. A leader reads the license servers meanwhile, because both take a second or more.
3. The process leads, or stands by until it does.
4. EC2 was asked for all workbenches. Only now lists are written to license servers.

Order of the end:

1. Commands that are being sent are finished and recorded.
2. The Lease is given back.
3. The watches close.
"""

import asyncio
import contextlib
import os
import random
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib.metadata import version

import boto3
import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from seatpool.api.base import Resource
from seatpool.api.seatledger import SeatLedger
from seatpool.aws.sessions import SessionFactory
from seatpool.cache.store import Store
from seatpool.clock import utc_now
from seatpool.control.aio.shield import ShieldedTasks
from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.leader.alive_lease import SUFFIX, AliveLease
from seatpool.control.leader.election import Election
from seatpool.control.leader.leadership import Leadership, LeadershipLost
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.runtime import gc_tuning
from seatpool.control.runtime.builder import KINDS, Components, OperatorConfig, build
from seatpool.control.runtime.health import Readiness
from seatpool.control.runtime.probes import Probes
from seatpool.control.runtime.start_leading import StartLeading
from seatpool.control.watch.heartbeats import WatchHeartbeats
from seatpool.control.watch.kopf_handlers import make_registry, may_scan, run_kopf
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import NotFound
from seatpool.kube.leases import LeaseObject
from seatpool.kube.pod import own_name, own_namespace
from seatpool.kube.retry import retry_until_answered
from seatpool.servers.factory import Backends
from seatpool.servers.ssm.transport import SsmTransport
from seatpool.settings.settings import Settings
from seatpool.threads import run_in
from seatpool.tracing.spans import UNTRACED, Traces

END_LIMIT = 5.0
"""Seconds for recording a command that is being sent."""
KOPF_END_LIMIT = 1.0
"""Seconds for Kopf to close its watches. If it is stopped while it lists, it waits 5 s for tasks of its own that never end."""
FIRST_PASSES_LIMIT = 3.0
"""Seconds for the first passes before Kopf starts."""
FIRST_PASSES_INTERVAL = 0.02
"""Seconds between two checks whether the first passes are done."""


class Operator:
    """Connects the Kubernetes API, EC2 and the license servers."""

    def __init__(
        self,
        settings: Settings,
        *,
        session_factory: SessionFactory = boto3.Session,
        clock: Callable[[], datetime] = utc_now,
        on_failpoint: Callable[[str, Failpoint], None] = lambda _server, _point: None,
        traces: Traces = UNTRACED,
    ) -> None:
        self.settings = settings
        self.holder = f"{own_name()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.registry = CollectorRegistry()
        self.http_port = settings.http.port
        self._log = structlog.get_logger().bind(holder=self.holder)
        self._session_factory = session_factory
        self._clock = clock
        self._on_failpoint = on_failpoint
        self._traces = traces
        self._rng = random.Random()  # noqa: S311
        self._metrics = ControlMetrics(self.registry)
        self._metrics.build.labels(version("seatpool")).set(1)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._stop = asyncio.Event()
        self._kopf_stop = asyncio.Event()
        self._supervisor = Supervisor(metrics=self._metrics, log=self._log)
        self._shielded = ShieldedTasks()
        self._leadership = _leadership(settings)
        self._metrics.leader.set_function(lambda: float(self._leadership.leads))
        self._election: Election | None = None
        self._alive: AliveLease | None = None
        self._backends: Backends | None = None
        self.heartbeats = WatchHeartbeats(KINDS, watches=max(1, len(settings.namespaces)), metrics=self._metrics)
        self._readiness = Readiness(
            heartbeats=self.heartbeats,
            heartbeat_limit=settings.watch.heartbeat_limit.total_seconds(),
            tasks=self._supervisor,
            log=self._log,
            leadership=self._leadership,
        )

    def stop(self) -> None:
        """Asks the operator to stop. It begins nothing new."""
        self._stop.set()

    async def run(self) -> None:
        """Runs until `stop` is called.

        Raises LeadershipLost if another process took the Lease. Raises SeatpoolError if watching is not possible any more.
        After either it is safe to start a new process.
        """
        settings = self.settings
        async with contextlib.AsyncExitStack() as ending:
            ending.callback(self._log.info, "stopped")
            gc_timer = asyncio.get_running_loop().call_later(gc_tuning.MAX_DELAY, gc_tuning.freeze_and_enable)
            ending.callback(gc_timer.cancel)
            probes = Probes(
                host=settings.http.host,
                port=settings.http.port,
                registry=self.registry,
                live=self._readiness.live_checks,
                ready=self._readiness.ready_checks,
            )
            ending.push_async_callback(probes.stop)
            self.http_port = await probes.start()
            kube = await self._connect(ending)
            if self._leadership.is_elected:
                # It gets its own connection: a renewal must not wait behind a thousand statuses.
                self._election = self._make_election(await self._connect(ending))
            elif (lease := self._lease(kube)) is not None:
                self._alive = AliveLease(lease, identity=self.holder, clock=self._clock, log=self._log)
            transport = SsmTransport(
                endpoint_url=settings.servers.endpoint_url,
                session_factory=self._session_factory,
                permit=self._leadership.check,
            )
            ending.callback(transport.close)
            await run_in(None, transport.prepare)
            ending.push_async_callback(self._end_work)
            await self._until_stopped(self._serve(kube, transport))

    # -- the start -------------------------------------------------------------------------------------------------

    async def _connect(self, ending: contextlib.AsyncExitStack) -> KubeClient:
        file = self.settings.kubeconfig
        kube = await KubeClient.connect(kubeconfig=str(file) if file else None)
        ending.push_async_callback(kube.close)
        return kube

    def _make_election(self, kube: KubeClient) -> Election:
        settings, lease = self.settings.leader_election, self._lease(kube)
        if lease is None:
            raise SeatpoolError(
                "leader_election.namespace is not set, and this is no pod that has one of its own; "
                "write for example --set leader_election.namespace=seatpool"
            )
        return Election(
            lease,
            self._leadership,
            identity=self.holder,
            settings=settings,
            inventoried=self._readiness.may_write.is_set,
            metrics=self._metrics,
            log=self._log,
            clock=self._clock,
            rng=self._rng,
        )

    def _lease(self, kube: KubeClient) -> LeaseObject | None:
        """Returns the Lease that this process renews. None: it is in no namespace, and no setting names one."""
        settings = self.settings.leader_election
        namespace = settings.namespace or own_namespace()
        name = settings.name if settings.enabled else f"{settings.name}{SUFFIX}"
        return None if namespace is None else LeaseObject(kube=kube, namespace=namespace, name=name)

    async def _serve(self, kube: KubeClient, transport: SsmTransport) -> None:
        installation = self.settings.installation
        if installation is None:
            installation = await retry_until_answered(lambda: _cluster_id(kube), rng=self._rng, log=self._log)
        self._log.info("starting", installation=installation, port=self.http_port)
        config = OperatorConfig(
            settings=self.settings,
            installation=installation,
            holder=self.holder,
            lease=None if (lease := self._lease(kube)) is None else str(lease),
            kube=kube,
            transport=transport,
            session_factory=self._session_factory,
            registry=self.registry,
            metrics=self._metrics,
            traces=self._traces,
            log=self._log,
            clock=self._clock,
            rng=self._rng,
            leadership=self._leadership,
            shielded=self._shielded,
            supervisor=self._supervisor,
            may_write=self._readiness.may_write,
            on_failpoint=self._on_failpoint,
        )
        components = build(config)
        self._backends = components.backends
        store = components.store
        has_started = False

        def kind_loaded(kind: type[Resource]) -> None:
            """Starts the tasks once the ledgers are loaded: the servers can be read while the workbenches still come."""
            nonlocal has_started
            if kind is SeatLedger and not has_started:
                has_started = True
                self._start_tasks(components, kube)

        await retry_until_answered(lambda: components.resync.load_all(kind_loaded), rng=self._rng, log=self._log)
        gc_tuning.freeze_and_enable()
        self._readiness.listed.set()
        self._log.info("listed", pools=len(store.pools), servers=len(store.servers), workbenches=len(store.workbenches))
        if self._leadership.acquired.is_set():
            await self._wait_for_first_passes(store)
        if self._kopf_stop.is_set():
            return
        await run_kopf(
            make_registry(
                KINDS,
                components.informer.on_watch_event,
                kube,
                rules=self.settings.mirror.kubernetes,
                on_object=components.mirror.observe_object,
            ),
            namespaces=self.settings.namespaces,
            scanning=await may_scan(kube, namespaced=bool(self.settings.namespaces)),
            stop=self._kopf_stop,
            ready=self._readiness.watching,
        )
        if not self._kopf_stop.is_set():
            raise SeatpoolError("Kopf ended by itself: watching is not possible; see its log lines above")

    async def _wait_for_first_passes(self, store: Store) -> None:
        """Waits until the reconcilers have acted on the first list, before Kopf lists everything again.

        Kopf keeps the event loop busy for as long as its list takes. Changes in between come with Kopf's list. A server that
        does not answer delays the watches by 3 s at most.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_PASSES_LIMIT):
                while store.dirty_pools and not self._kopf_stop.is_set():  # noqa: ASYNC110
                    await asyncio.sleep(FIRST_PASSES_INTERVAL)

    def _start_tasks(self, components: Components, kube: KubeClient) -> None:
        """Starts the tasks before Kopf, because Kopf waits at its end for every task that started after it."""
        start, resync_interval = self._supervisor.start_vital, self.settings.watch.resync_interval.total_seconds()
        start("settings reload", components.settings_reload.run)
        start("crd check", lambda: self._readiness.run_crd_check(kube, KINDS))
        start("resync", lambda: components.resync.run(interval=resync_interval))
        start("heartbeats", self.heartbeats.run)
        if components.history is not None:
            self._supervisor.start_job("history check", components.history.recording.run_check)
        if self._election is not None:
            start("election", self._election.run)
        if self._alive is not None:
            start("lease that tells of life", self._alive.run)
        start_leading = StartLeading(
            components=components,
            leadership=self._leadership,
            readiness=self._readiness,
            supervisor=self._supervisor,
            watched_namespaces=frozenset(self.settings.namespaces) or None,
            rng=self._rng,
            log=self._log,
        )
        start("start leading", start_leading.run)

    # -- the stop --------------------------------------------------------------------------------------------------

    async def _until_stopped(self, work: Awaitable[None]) -> None:
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        losing = asyncio.ensure_future(self._leadership.lost.wait())
        try:
            await asyncio.wait({working, stopping, losing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                # Our tasks end first. Kopf waits for every task that started after it, and then needs time for its streams.
                await self._end_work()
                self._kopf_stop.set()
                await asyncio.wait({working}, timeout=KOPF_END_LIMIT)
            if working.done():
                working.result()
        finally:
            for task in (working, stopping, losing):
                task.cancel()
            await asyncio.gather(working, stopping, losing, return_exceptions=True)
        if self._leadership.lost.is_set() and not self._stop.is_set():
            raise LeadershipLost(
                f"the Lease was lost to {self._leadership.other_holder or 'nobody'}: what this process knows may be old, so it "
                "ends; started again it stands by"
            )

    async def _end_work(self) -> None:
        """Stops all tasks, lets a command that is being sent be recorded, and gives the Lease back."""
        await self._supervisor.cancel_all()
        if not await self._shielded.drain(limit=END_LIMIT):
            self._log.warning(
                "a command that was being sent is not noted; the next leader answers it by a new revision"
            )
        if self._backends is not None:
            await self._backends.close()
        if self._election is not None:
            await self._election.release()
        if self._alive is not None:
            await self._alive.release()


async def _cluster_id(kube: KubeClient) -> str:
    """Returns the uid of the namespace kube-system. Every cluster has one, and it is unique."""
    try:
        namespace = await kube.get_raw("/api/v1/namespaces/kube-system")
    except NotFound as error:
        raise SeatpoolError("there is no namespace kube-system to take an id from; set `installation`") from error
    return str(namespace["metadata"]["uid"])


def _leadership(settings: Settings) -> Leadership:
    """Returns the leadership of this process. Without an election it leads from the start."""
    election = settings.leader_election
    return Leadership(deadline=election.renew_deadline.total_seconds()) if election.enabled else Leadership.unelected()
