"""Objects that cannot be read are known, told once, and forgotten when they are mended or gone."""

from typing import Any

import pytest
from tests.unit.control.objects import NOW, raw_ledger, raw_pool, raw_server, raw_workbench

from seatpool.api.base import Resource
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store, StoreHandler
from seatpool.policy.ledger_codec import ledger_name

KINDS: dict[type[Resource], Any] = {
    LicenseServer: raw_server,
    LicensePool: raw_pool,
    SeatLedger: raw_ledger,
    Workbench: raw_workbench,
}


class Told(StoreHandler):
    def __init__(self, store: Store) -> None:
        self.keys: list[str] = []
        store.subscribe(self)

    def readability_changed(self, resource: type[Resource], key: str) -> None:
        self.keys.append(f"{resource.kind} {key}")


@pytest.fixture
def store() -> Store:
    return Store(IdentitySettings())


def key_of(raw: dict[str, Any]) -> str:
    return f"lab/{raw['metadata']['name']}"


def refuse(store: Store, kind: type[Resource], raw: dict[str, Any], problem: str = "odd") -> bool:
    return store.refuse(kind, raw, problem, now=NOW)


@pytest.mark.parametrize("kind", KINDS)
def test_each_reason_is_told_once_and_the_end_too(store: Store, kind: type[Resource]) -> None:
    told, made = Told(store), KINDS[kind]
    key = key_of(made())
    assert refuse(store, kind, made(version=2))
    assert not refuse(store, kind, made(version=2)), "the same version"
    assert not refuse(store, kind, made(version=3)), "the same reason"
    assert refuse(store, kind, made(version=4), "odd again")
    assert store.problem_of(kind, key) == "odd again"
    assert store.versions(kind)[key][1] == 4
    assert not store.upsert(kind, made(version=3), now=NOW), "older than what cannot be read"
    assert store.upsert(kind, made(version=5), now=NOW)
    assert store.problem_of(kind, key) is None
    assert told.keys == [f"{kind.kind} {key}"] * 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("was_readable", [False, True])
def test_one_that_is_deleted_is_forgotten(store: Store, kind: type[Resource], was_readable: bool) -> None:
    made = KINDS[kind]
    if was_readable:
        assert store.upsert(kind, made(), now=NOW)
    assert refuse(store, kind, made(version=2))
    store.delete(kind, key_of(made()), uid=made()["metadata"]["uid"], now=NOW)
    assert store.unreadable == {}
    assert store.versions(kind) == {}
    assert not store.is_there(kind, key_of(made()))
    assert store.upsert(kind, made(uid="another", version=9), now=NOW)


def test_the_last_readable_version_stays_in_use_but_not_that_of_another_object(store: Store) -> None:
    store.upsert(LicensePool, raw_pool(), now=NOW)
    store.upsert(Workbench, raw_workbench(), now=NOW)
    refuse(store, Workbench, raw_workbench(version=2))
    assert list(store.demand.needs("lab/matlab")) == ["ann"]
    refuse(store, Workbench, raw_workbench(version=3, uid="another"))
    assert list(store.demand.needs("lab/matlab")) == []


def share(product: str, number: int) -> str:
    return ledger_name("licenses", product, number)


@pytest.mark.parametrize(
    ("ledger", "concerns"),
    [
        (share("matlab", 0), True), (share("matlab", 12), True), (f"{share('matlab', 0)}-backup", False),
        ("matlab-0", False), (share("cad", 0), False), (ledger_name("others", "matlab", 0), False),
    ],
)  # fmt: skip
def test_the_memory_of_a_pool_is_not_known_if_one_of_its_shares_cannot_be_read(
    store: Store, ledger: str, concerns: bool
) -> None:
    store.upsert(LicensePool, raw_pool(), now=NOW)
    store.pop_dirty(["lab/matlab"])
    raw = raw_ledger(version=2)
    raw["metadata"]["name"] = ledger
    refuse(store, SeatLedger, raw)
    problem = store.ledger_problem("lab/matlab")
    assert (problem == f"SeatLedger {ledger} cannot be read: odd") is concerns
    assert ("lab/matlab" in store.dirty_pools) is concerns
