"""Probes and metrics answer on every address that a pod can have: the kubelet of an IPv6 cluster knows no other."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, Gauge

from seatpool.control.runtime.probes import Probes
from seatpool.settings.settings import load_settings

IPV4, IPV6 = "127.0.0.1", "[::1]"


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@asynccontextmanager
async def served(host: str) -> AsyncIterator[int]:
    """Yields the port of probes of which all is well."""
    registry = CollectorRegistry()
    Gauge("seatpool_leader", "One.", registry=registry).set(1)
    probes = Probes(
        host=host, port=0, registry=registry, live=lambda: {"watch": None}, ready=lambda: {"listed": "not yet"}
    )
    try:
        yield await probes.start()
    finally:
        await probes.stop()


async def text(address: str, port: int, path: str) -> str:
    def fetch() -> str:
        with urlopen(f"http://{address}:{port}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    return await asyncio.to_thread(fetch)


@pytest.mark.parametrize(
    "address", [IPV4, pytest.param(IPV6, marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6"))]
)
async def test_by_default_each_family_of_addresses_is_answered_on_one_port(address: str) -> None:
    async with served(load_settings().http.host) as port:
        assert await text(address, port, "/healthz") == "ok watch\n"
        assert "seatpool_leader 1.0" in await text(address, port, "/metrics")
        with pytest.raises(OSError, match="503"):
            await text(address, port, "/readyz")


async def test_without_ipv6_in_the_kernel_ipv4_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    async with served("") as port:
        assert await text(IPV4, port, "/healthz") == "ok watch\n"


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6")
@pytest.mark.parametrize(("host", "answers", "refuses"), [(IPV4, IPV4, IPV6), ("::1", IPV6, IPV4)])
async def test_an_address_that_is_named_is_the_only_one(host: str, answers: str, refuses: str) -> None:
    async with served(host) as port:
        assert await text(answers, port, "/healthz") == "ok watch\n"
        with pytest.raises(OSError, match="refused"):
            await text(refuses, port, "/healthz")
