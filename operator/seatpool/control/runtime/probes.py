"""/healthz, /readyz and /metrics on one port, served from the first moment on.

Live is what only a restart can mend: a watch that is dead, a task that is gone. Ready is that everything has been seen once.
That AWS or a license server does not answer is neither: a restart would not mend it, and it would lose what is known.
"""

from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Checks = Callable[[], Mapping[str, str | None]]
"""What is looked at, each with what is wrong or None."""


class Probes:
    """The HTTP server."""

    def __init__(self, *, host: str, port: int, registry: CollectorRegistry, live: Checks, ready: Checks) -> None:
        self._host = host
        self._port = port
        self._registry = registry
        self._live = live
        self._ready = ready
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Listen; the port, which matters when a free one was asked for."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, handle_signals=False, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        return _answer(self._live())

    async def _readyz(self, _request: web.Request) -> web.Response:
        return _answer(self._ready())

    async def _metrics(self, request: web.Request) -> web.Response:
        """In OpenMetrics for those who take it: only that has the traces beside the buckets. `?name[]=` asks for some."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        names = request.query.getall("name[]", [])
        registry = self._registry.restricted_registry(names) if names else self._registry
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})


def _answer(checks: Mapping[str, str | None]) -> web.Response:
    lines = [
        f"{'ok' if wrong is None else 'FAIL'} {name}{'' if wrong is None else ': ' + wrong}"
        for name, wrong in checks.items()
    ]
    status = 200 if all(wrong is None for wrong in checks.values()) else 503
    return web.Response(text="\n".join(lines) + "\n", status=status)
