"""Shares are stored in an order that survives a crash, and all of them are found again."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.unit.control.objects import NOW, pool

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.ledger_store import LedgerStore
from seatpool.domain.memory import Grant, PoolMemory, Waiting
from seatpool.domain.reasons import Reason
from seatpool.kube.errors import NotFound
from seatpool.policy.ended_entries import Ending

ENDING = Ending(at=NOW, seats={}, waits={})
PEOPLE = [f"user{n}" for n in range(60)]


class Killed(Exception):
    """The process ends here."""


@dataclass
class ApiServer:
    """Keeps SeatLedgers, and ends the process after so many writes."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes_left: int = 1_000
    version: int = 0

    async def get(self, _resource: object, _namespace: str, name: str) -> dict[str, Any]:
        if name not in self.objects:
            raise NotFound(status=404, reason="NotFound", message="", what=name)
        return self.objects[name]

    async def create(self, _resource: object, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
        assert body["metadata"]["name"] not in self.objects
        return await self.replace(_resource, namespace, body["metadata"]["name"], body)

    async def replace(self, _resource: object, _namespace: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        self._write()
        known = self.objects.get(name)
        assert body["metadata"].get("resourceVersion") == (known and known["metadata"]["resourceVersion"])
        self.version += 1
        self.objects[name] = body | {"metadata": body["metadata"] | {"uid": name, "resourceVersion": str(self.version)}}
        return self.objects[name]

    async def delete(self, _resource: object, _namespace: str, name: str, **_preconditions: str) -> None:
        self._write()
        del self.objects[name]

    def _write(self) -> None:
        if self.writes_left <= 0:
            raise Killed
        self.writes_left -= 1


def ledgers(api: ApiServer) -> LedgerStore:
    """Returns what a new process has: an empty cache."""
    return LedgerStore(store=Store(identity=IdentitySettings()), kube=api, metrics=ControlMetrics(CollectorRegistry()))  # type: ignore[arg-type]


def everybody(*, waiting: int = 0) -> PoolMemory:
    grants = {user: Grant(user, NOW - timedelta(hours=1), None, Reason.GRANTED) for user in PEOPLE}
    line = {f"late{n}": Waiting(f"late{n}", NOW) for n in range(waiting)}
    return PoolMemory(assigned=grants, waiting=line, vacated=(), left={}, reassignments=())


def stored_by(memory: PoolMemory, one: LicensePool, *, api: ApiServer) -> int:
    async def run() -> int:
        fresh = ledgers(api)
        fresh.store.pools[one.key] = one
        await fresh.reload(one)
        return await fresh.save(one, memory, ending=ENDING)

    return asyncio.run(run())


def read(api: ApiServer, one: LicensePool) -> PoolMemory | None:
    return asyncio.run(ledgers(api).reload(one))


@pytest.mark.parametrize(("seats", "then"), [(500, 501), (800, 801), (801, 300), (5000, 10)])
def test_an_operator_that_is_killed_after_any_write_loses_nobody(seats: int, then: int) -> None:
    memory, killed = everybody(), 0
    while True:
        api = ApiServer()
        stored_by(memory, pool(seats=seats), api=api)
        api.writes_left = killed
        try:
            stored_by(memory, pool(seats=then), api=api)
        except Killed:
            api.writes_left = 1_000
            assert read(api, pool(seats=then)) == memory
            stored_by(memory, pool(seats=then), api=api)
        else:
            break
        killed += 1
    assert killed > 1
    assert read(api, pool(seats=then)) == memory
    counts = {body["spec"]["shares"] for body in api.objects.values()}
    assert counts == {len(api.objects)}


def test_a_pool_of_another_name_goes_on_with_the_memory_of_its_product_and_no_kill_loses_it() -> None:
    memory, renamed = everybody(), pool("renamed", product="matlab", seats=801)
    for killed in range(8):
        api = ApiServer()
        stored_by(memory, pool(seats=801), api=api)
        names = set(api.objects)
        api.writes_left = killed
        with contextlib.suppress(Killed):
            stored_by(memory, renamed, api=api)
        api.writes_left = 1_000
        assert read(api, renamed) == memory
        stored_by(memory, renamed, api=api)
        assert set(api.objects) == names
        assert {body["spec"]["pool"] for body in api.objects.values()} == {"renamed"}
    assert read(api, pool(product="cad")) is None
    assert read(api, pool(serverRef={"name": "other"})) is None


def test_a_reload_finds_the_shares_that_another_process_made() -> None:
    api, one = ApiServer(), pool(seats=100)
    memory = everybody(waiting=20_000)
    stored_by(memory, one, api=api)
    assert len(api.objects) == 9
    assert read(api, one) == memory
