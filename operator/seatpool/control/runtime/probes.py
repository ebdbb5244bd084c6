"""Serves /healthz, /readyz and /metrics on one port, from the start of the process.

/healthz fails if only a restart can repair the process: a watch is dead, or a task failed. /readyz passes once everything was
listed. If AWS or a license server does not answer, neither fails. A restart would not help, and would lose what is in memory.
"""

import errno
import socket
from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Checks = Callable[[], Mapping[str, str | None]]
"""Returns checks by name, each with its problem. None: the check passes."""


class Probes:
    """Runs the HTTP server of the probes and the metrics."""

    def __init__(self, *, host: str, port: int, registry: CollectorRegistry, live: Checks, ready: Checks) -> None:
        self._host = host
        self._port = port
        self._registry = registry
        self._live = live
        self._ready = ready
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Starts listening. Returns the port, which matters if the configured one is 0."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None)
        await self._runner.setup()
        if self._host:
            await web.TCPSite(self._runner, self._host, self._port).start()
        else:
            await web.SockSite(self._runner, socket_of_all_addresses(self._port)).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return _response(self._live())

    async def _readyz(self, _request: web.Request) -> web.Response:
        return _response(self._ready())

    async def _metrics(self, request: web.Request) -> web.Response:
        """Serves OpenMetrics to clients that accept it: only that format has exemplars. `?name[]=` selects metrics."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        names = request.query.getall("name[]", [])
        registry = self._registry.restricted_registry(names) if names else self._registry
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})


def socket_of_all_addresses(port: int) -> socket.socket:
    """Returns a socket for IPv6 and IPv4 together. Where the kernel has no IPv6 it is for IPv4.

    One socket, because two would have different ports if `port` is 0.
    """
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
    return socket.create_server(("", port))


def _response(checks: Mapping[str, str | None]) -> web.Response:
    lines = [
        f"{'ok' if problem is None else 'FAIL'} {name}{'' if problem is None else ': ' + problem}"
        for name, problem in checks.items()
    ]
    status = 200 if all(problem is None for problem in checks.values()) else 503
    return web.Response(text="\n".join(lines) + "\n", status=status)
