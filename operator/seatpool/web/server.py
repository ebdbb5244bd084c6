"""Runs `seatpool web`: one object that owns the cache, the HTTP server and their tasks, so two can run in a process."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from structlog.typing import FilteringBoundLogger

from seatpool.clock import utc_now
from seatpool.control.runtime import gc_tuning
from seatpool.control.runtime.probes import Probes, socket_of_all_addresses
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.pod import own_name
from seatpool.settings.settings import Settings
from seatpool.trail.config import TrailConfig
from seatpool.trail.trail import Trail
from seatpool.web.app import make_app
from seatpool.web.authentication import Authenticator, Reviews
from seatpool.web.authorization import Authorizer
from seatpool.web.caller import user_id_of
from seatpool.web.cluster import LiveCluster
from seatpool.web.history import HistoryAnswers
from seatpool.web.keys.keys import Keys, make_keys
from seatpool.web.metrics import WebMetrics
from seatpool.web.service import Service
from seatpool.web.stream import Streams
from seatpool.web.watching import Watching

END_LIMIT = 3
"""Seconds that open requests get at the end. Event streams are told to end."""
KOPF_END_LIMIT = 1.0
"""Seconds for Kopf to close its watches."""
CERTIFICATE_INTERVAL = 30.0
"""Seconds between two looks whether the certificate changed."""


class CountedReviews:
    """Counts the questions to the API server."""

    def __init__(self, kube: KubeClient, metrics: WebMetrics) -> None:
        self._kube = kube
        self._metrics = metrics

    async def create_raw(self, path: str, body: Mapping[str, Any]) -> Body:
        """Creates a review."""
        self._metrics.reviews.labels(str(body["kind"])).inc()
        return await self._kube.create_raw(path, body)


class WebServer:
    """Answers over HTTP what the cluster's objects say."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = utc_now,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        self.settings = settings
        self.port = settings.web.port
        self.http_port = settings.http.port
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.service: Service | None = None
        """Answers the requests. None: it was not made yet."""
        self._metrics = WebMetrics(self.registry)
        self._clock = clock
        self._log: FilteringBoundLogger = log or structlog.get_logger()
        self._stop = asyncio.Event()
        self.serving = asyncio.Event()
        """Set once the API's port is open."""

    def stop(self) -> None:
        """Asks the server to stop."""
        self._stop.set()

    async def run(self) -> None:
        """Runs until `stop` is called. Raises SeatpoolError if watching is not possible any more."""
        settings = self.settings
        async with contextlib.AsyncExitStack() as ending:
            ending.callback(self._log.info, "stopped")
            timer = asyncio.get_running_loop().call_later(gc_tuning.MAX_DELAY, gc_tuning.freeze_and_enable)
            ending.callback(timer.cancel)
            tls = None if settings.web.tls_cert_file is None else load_certificate(settings)
            file = settings.kubeconfig
            kube = await KubeClient.connect(kubeconfig=str(file) if file else None)
            ending.push_async_callback(kube.close)
            cluster = LiveCluster(settings.identity, self._clock)
            self._metrics.workbenches.set_function(lambda: len(cluster.store.workbenches))
            reviews = CountedReviews(kube, self._metrics)
            authorizer = Authorizer(reviews=reviews)
            keys = self._keys(kube, cluster, authorizer, is_listed=lambda: watching.listed.is_set())
            watching = Watching(cluster=cluster, kube=kube, settings=settings, log=self._log, keys=keys)
            probes = Probes(
                host=settings.http.host, port=settings.http.port, registry=self.registry,
                live=watching.live_checks, ready=watching.ready_checks,
            )  # fmt: skip
            ending.push_async_callback(probes.stop)
            self.http_port = await probes.start()
            service = self.service = self._service(watching, reviews, authorizer)
            ending.push_async_callback(watching.tasks.cancel_all)
            if tls is not None:
                watching.tasks.start_vital("certificate", lambda: _renew_certificate(tls, settings, self._log))
            serving = self._start_serving(service, tls)
            ending.push_async_callback(serving.end)
            await self._until_stopped(watching, serving)

    def _keys(
        self, kube: KubeClient, cluster: LiveCluster, authorizer: Authorizer, *, is_listed: Callable[[], bool]
    ) -> Keys | None:
        settings, web = self.settings, self.settings.web
        if not web.keys.enabled:
            return None
        # What happens to keys is noted somewhere, whatever the settings say.
        audit = settings.audit if settings.audit.file is not None else TrailConfig(stdout=True)
        return make_keys(
            web.keys, kube=kube, cluster=cluster, authorizer=authorizer, log=self._log, clock=self._clock,
            user_id=lambda name: user_id_of(name, prefix=web.user_prefix, identity=cluster.store.identity),
            trail=Trail(audit, holder=own_name(), registry=self.registry, log=self._log), is_listed=is_listed,
        )  # fmt: skip

    def _service(self, watching: Watching, reviews: Reviews, authorizer: Authorizer) -> Service:
        web, keys = self.settings.web, watching.keys
        streams = Streams(web.streams, web.streams_per_caller, count=self._metrics.streams.set)
        watching.cluster.on_change.append(streams.changed)
        if keys is not None:
            keys.index.on_change.append(streams.wake_keys)
        return Service(
            settings=web,
            cluster=watching.cluster,
            authenticator=Authenticator(
                reviews=reviews, audience=web.audience, keys=None if keys is None else keys.keyring
            ),
            authorizer=authorizer,
            metrics=self._metrics,
            streams=streams,
            past=HistoryAnswers(config=self.settings.history, cluster=watching.cluster, log=self._log),
            leases=lambda: watching.leases,
            is_ready=watching.listed.is_set,
            keys=keys,
        )

    def _start_serving(self, service: Service, tls: ssl.SSLContext | None) -> "Serving":
        """Opens the port of the API and serves it."""
        web = self.settings.web
        if web.host:
            listening = socket.create_server((web.host, web.port), family=_family(web.host))
        else:
            listening = socket_of_all_addresses(web.port)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            make_app(service, log=self._log), http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, proxy_headers=False, timeout_keep_alive=30, timeout_graceful_shutdown=END_LIMIT,
        )  # fmt: skip
        config.load()
        config.ssl = tls
        serving = Serving(service, _Server(config), listening)
        self._log.info("serving", port=self.port, https=tls is not None, audience=web.audience)
        self.serving.set()
        return serving

    async def _until_stopped(self, watching: Watching, serving: "Serving") -> None:
        working = asyncio.create_task(watching.run(), name="seatpool web watches")
        stopping = asyncio.create_task(self._stop.wait())
        listed = asyncio.create_task(watching.listed.wait())
        listed.add_done_callback(lambda _: gc_tuning.freeze_and_enable())
        try:
            await asyncio.wait({working, stopping, serving.task}, return_when=asyncio.FIRST_COMPLETED)
            if serving.task.done():
                serving.task.result()
                raise SeatpoolError("the HTTP server ended by itself; see its log lines above")
            if not working.done():
                # Our tasks end first: Kopf waits for every task that started after it, and then cancels it.
                await serving.end()
                await watching.tasks.cancel_all()
                watching.stop()
                await asyncio.wait({working}, timeout=KOPF_END_LIMIT)
            if working.done():
                working.result()
        finally:
            for task in (working, stopping, listed):
                task.cancel()
            await asyncio.gather(working, stopping, listed, return_exceptions=True)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Serving:
    """The API's HTTP server while it runs."""

    def __init__(self, service: Service, server: uvicorn.Server, listening: socket.socket) -> None:
        self._service = service
        self._server = server
        self.task = asyncio.create_task(server.serve(sockets=[listening]), name="seatpool web api")

    async def end(self) -> None:
        """Takes no more requests, tells the event streams to end, and waits for them. Ending again does nothing."""
        self._service.stopping.set()
        self._service.streams.wake()
        if self._service.past is not None:
            self._service.past.end()
        self._server.should_exit = True
        await self.task


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def load_certificate(settings: Settings) -> ssl.SSLContext:
    """Returns the TLS context of the API. Raises SeatpoolError if the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load(context, settings)
    return context


def _load(context: ssl.SSLContext, settings: Settings) -> None:
    certificate, key = settings.web.tls_cert_file, settings.web.tls_key_file
    assert certificate is not None  # noqa: S101
    assert key is not None  # noqa: S101
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SeatpoolError(
            f"web.tls_cert_file {certificate}, web.tls_key_file {key}: {getattr(error, 'strerror', None) or error}; name a "
            "certificate chain in PEM and its private key"
        ) from error


async def _renew_certificate(context: ssl.SSLContext, settings: Settings, log: FilteringBoundLogger) -> None:
    """Reads the certificate again when it changed, for the connections that come. A broken one is told and left out."""
    known = _changed_at(settings)
    while True:
        await asyncio.sleep(CERTIFICATE_INTERVAL)
        found = _changed_at(settings)
        if found != known:
            known = found
            try:
                _load(context, settings)
            except SeatpoolError as error:
                log.error("the certificate that is in use stays", error=str(error))
            else:
                log.info("a new certificate is in use")


def _changed_at(settings: Settings) -> tuple[float, ...]:
    files: tuple[Path | None, ...] = (settings.web.tls_cert_file, settings.web.tls_key_file)
    try:
        return tuple(file.stat().st_mtime for file in files if file is not None)
    except OSError:
        return ()
