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
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version

import boto3
import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from seatpool.aws.sessions import SessionFactory
from seatpool.control.assembly import KINDS, Outside, Parts, assemble
from seatpool.control.handlers import make_registry, run_kopf
from seatpool.control.heartbeats import Heartbeats
from seatpool.control.metrics import ControlMetrics
from seatpool.control.probes import Probes
from seatpool.control.readiness import Readiness
from seatpool.control.retrying import patiently
from seatpool.control.steps import Step
from seatpool.control.tasks import Tasks
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import NotFound
from seatpool.mirror.mirror import Mirror
from seatpool.servers.ssm import SsmTransport
from seatpool.settings import Settings
from seatpool.tracing.spans import UNTRACED, Traces

FIRST_INVENTORY_LIMIT = 60.0
END_LIMIT = 5.0


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
        traces: Traces = UNTRACED,
    ) -> None:
        self.settings = settings
        self.holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.registry = CollectorRegistry()
        self.http_port = settings.http.port
        self._log = structlog.get_logger().bind(holder=self.holder)
        self._session_factory = session_factory
        self._clock = clock
        self._on_step = on_step
        self._traces = traces
        self._rng = random.Random()  # noqa: S311
        self._metrics = ControlMetrics(self.registry)
        self._metrics.build.labels(version("seatpool")).set(1)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._stop = asyncio.Event()
        self._kopf_stop = asyncio.Event()
        self._tasks = Tasks(metrics=self._metrics, log=self._log)
        self.heartbeats = Heartbeats(KINDS, watches=max(1, len(settings.namespaces)), metrics=self._metrics)
        self._readiness = Readiness(
            heartbeats=self.heartbeats,
            heartbeat_limit=settings.watch.heartbeat_limit.total_seconds(),
            tasks=self._tasks,
            log=self._log,
        )

    def stop(self) -> None:
        """End soon: nothing new is begun."""
        self._stop.set()

    async def run(self) -> None:
        """Until `stop` is called, or until watching is no longer possible."""
        settings = self.settings
        async with contextlib.AsyncExitStack() as ending:
            ending.callback(self._log.info, "stopped")
            probes = Probes(
                host=settings.http.host,
                port=settings.http.port,
                registry=self.registry,
                live=self._readiness.live,
                ready=self._readiness.ready,
            )
            ending.push_async_callback(probes.stop)
            self.http_port = await probes.start()
            kube = await KubeClient.connect(kubeconfig=str(settings.kubeconfig) if settings.kubeconfig else None)
            ending.push_async_callback(kube.close)
            transport = SsmTransport(endpoint_url=settings.servers.endpoint_url, session_factory=self._session_factory)
            ending.callback(transport.close)
            ending.push_async_callback(self._tasks.end)
            await self._until_stopped(self._serve(kube, transport))

    # -- the start -------------------------------------------------------------------------------------------------

    async def _serve(self, kube: KubeClient, transport: SsmTransport) -> None:
        installation = self.settings.installation
        if installation is None:
            installation = await patiently(lambda: _cluster_id(kube), rng=self._rng, log=self._log)
        self._log.info("starting", installation=installation, port=self.http_port)
        outside = Outside(
            settings=self.settings,
            holder=self.holder,
            kube=kube,
            transport=transport,
            session_factory=self._session_factory,
            registry=self.registry,
            metrics=self._metrics,
            traces=self._traces,
            log=self._log,
            clock=self._clock,
            rng=self._rng,
            on_step=self._on_step,
        )
        may_write = self._readiness.may_write
        parts = assemble(outside, installation=installation, tasks=self._tasks, may_write=may_write)
        await patiently(parts.audit.load, rng=self._rng, log=self._log)
        self._readiness.listed = True
        store = parts.store
        self._log.info("listed", pools=len(store.pools), servers=len(store.servers), workbenches=len(store.workbenches))
        self._start_tasks(parts, kube)
        await run_kopf(
            make_registry(KINDS, parts.view.seen, kube),
            namespaces=self.settings.namespaces,
            stop=self._kopf_stop,
            ready=self._readiness.watching,
        )
        if not self._stop.is_set():
            raise SeatpoolError("Kopf ended by itself: watching is not possible; see its log lines above")

    def _start_tasks(self, parts: Parts, kube: KubeClient) -> None:
        """Before Kopf: it waits at its end for every task that began after it."""
        start, audit_interval = self._tasks.start, self.settings.watch.audit_interval.total_seconds()
        listed = frozenset(self.settings.namespaces) or None
        start("mirror", lambda: parts.mirror.run(observed=listed))
        start("mirror watch", parts.mirror_watch.run)
        start("recorder", parts.recorder.run)
        start("outbox", parts.outbox.run)
        start("reloading", parts.reloading.run)
        start("pool statuses", parts.pool_statuses.run)
        start("workbench statuses", parts.workbench_statuses.run)
        start("crd check", lambda: self._readiness.check_crds(kube, KINDS))
        start("audit", lambda: parts.audit.run(interval=audit_interval))
        start("heartbeats", self.heartbeats.run)
        start("first inventory", lambda: self._wait_for_inventory(parts.mirror))

    async def _wait_for_inventory(self, mirror: Mirror) -> None:
        """Nothing is decided from half a picture, but neither does one region that hangs stop everybody for ever."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(mirror.ready.wait(), timeout=FIRST_INVENTORY_LIMIT)
        await self._readiness.watching.wait()
        self._readiness.may_write.set()
        self._log.info("ready", uninventoried=list(mirror.unknown_sources()))

    # -- the stop --------------------------------------------------------------------------------------------------

    async def _until_stopped(self, work: Awaitable[None]) -> None:
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set() and not working.done():
                # Ours go first: Kopf waits for every task that began after it, and then gets time to close its streams.
                await self._tasks.end()
                self._kopf_stop.set()
                await asyncio.wait({working}, timeout=END_LIMIT)
            if working.done():
                working.result()
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)


async def _cluster_id(kube: KubeClient) -> str:
    """The uid of kube-system: every cluster has one, and no two have the same."""
    try:
        namespace = await kube.get_raw("/api/v1/namespaces/kube-system")
    except NotFound as error:
        raise SeatpoolError("there is no namespace kube-system to take an id from; set `installation`") from error
    return str(namespace["metadata"]["uid"])
