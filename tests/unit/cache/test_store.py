"""The store takes news in whatever order they come, and says whose answer may be different now."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.control.objects import NOW, later, raw_ledger, raw_pool, raw_server, raw_workbench

from seatpool.api.base import Resource, format_instant
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store, StoreHandler
from seatpool.domain.identity import InvalidUser
from seatpool.policy.ledger_codec import ledger_name

START = format_instant(NOW)
SERVER, POOL, BENCH = "lab/licenses", "lab/matlab", f"lab/i-{1:017x}"


class Told(StoreHandler):
    """A store, and what it told since it was last asked."""

    def __init__(self, identity: IdentitySettings | None = None) -> None:
        self._said: list[tuple[str, str]] = []
        self.store = Store(identity or IdentitySettings())
        self.store.subscribe(self)

    def server_dirty(self, server: str) -> None:
        self._said.append(("dirty", server))

    def workbench_changed(self, workbench: str) -> None:
        self._said.append(("workbench", workbench))

    def pool_changed(self, pool: str) -> None:
        self._said.append(("pool", pool))

    def server_changed(self, server: str) -> None:
        self._said.append(("server", server))

    def put(self, kind: type[Resource], raw: dict[str, Any], at: float = 0) -> bool:
        return self.store.upsert(kind, raw, now=later(at))

    def remove(self, kind: type[Resource], key: str, *, uid: str | None = None, at: float = 0) -> bool:
        return self.store.delete(kind, key, uid=uid, now=later(at))

    def said(self) -> set[tuple[str, str]]:
        said, self._said = set(self._said), []
        return said

    def dirty(self) -> set[str]:
        dirty = set(self.store.dirty_pools)
        self.store.dirty_pools.clear()
        return dirty


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    made.put(LicenseServer, raw_server())
    made.put(LicensePool, raw_pool())
    made.said()
    made.dirty()
    yield made
    for key in made.store.pools:
        assert made.store.owner_pool(key) in made.store.pools
        assert key in made.store.rules


def test_a_workbench_makes_the_pools_dirty_that_serve_it_and_wakes_their_server(told: Told) -> None:
    told.put(LicensePool, raw_pool("ansys"))
    told.dirty()
    told.said()
    assert told.put(Workbench, raw_workbench())
    assert told.said() == {("dirty", SERVER), ("workbench", BENCH)}
    assert told.dirty() == {POOL}
    assert set(told.store.demand.needs(POOL)) == {"ann"}


def test_a_pool_is_dirty_since_the_first_change_that_nobody_looked_at(told: Told) -> None:
    told.put(Workbench, raw_workbench(1), at=5)
    told.put(Workbench, raw_workbench(2, "bob"), at=9)
    assert told.store.dirty_pools == {POOL: later(5)}


def test_a_workbench_that_changes_nothing_that_matters_makes_nothing_dirty(told: Told) -> None:
    told.put(Workbench, raw_workbench())
    told.dirty()
    told.said()
    assert told.put(Workbench, raw_workbench(version=2) | {"status": {"observedGeneration": 1}})
    assert told.dirty() == set()
    assert told.said() == set()
    assert told.store.workbenches[BENCH].observed_generation == 1


@pytest.mark.parametrize("version", [1, 3])
def test_news_that_are_not_newer_are_ignored(told: Told, version: int) -> None:
    told.put(Workbench, raw_workbench(version=3))
    told.dirty()
    assert not told.put(Workbench, raw_workbench(version=version, state="stopped"))
    assert told.dirty() == set()
    assert set(told.store.demand.needs(POOL)) == {"ann"}


def test_an_object_that_is_gone_needs_nothing(told: Told) -> None:
    told.put(Workbench, raw_workbench())
    told.dirty()
    assert told.remove(Workbench, BENCH)
    assert told.dirty() == {POOL}
    assert not told.remove(Workbench, BENCH)
    assert not told.store.demand.needs(POOL)


def test_the_end_of_an_older_object_of_that_name_is_none_of_the_present_one(told: Told) -> None:
    told.put(Workbench, raw_workbench(uid="first"))
    told.put(Workbench, raw_workbench(uid="second", version=5))
    assert not told.remove(Workbench, BENCH, uid="first")
    assert told.store.versions(Workbench) == {BENCH: ("second", 5)}
    assert told.remove(Workbench, BENCH, uid="second")


def test_only_the_very_object_is_known(told: Told) -> None:
    told.put(Workbench, raw_workbench(uid="first"))
    assert told.store.has_object(Workbench, raw_workbench(uid="first", version=9))
    assert not told.store.has_object(Workbench, raw_workbench(uid="second", version=9))
    told.remove(Workbench, BENCH)
    assert not told.store.has_object(Workbench, raw_workbench(uid="first"))


def test_a_workbench_that_is_being_deleted_needs_nothing(told: Told) -> None:
    told.put(Workbench, raw_workbench())
    told.put(Workbench, raw_workbench(version=2, meta={"deletionTimestamp": "2026-01-05T09:00:00Z"}))
    assert not told.store.demand.needs(POOL)


def test_an_owner_that_no_license_server_could_take_needs_nothing_and_is_a_problem(told: Told) -> None:
    told.put(Workbench, raw_workbench())
    told.said()
    told.put(Workbench, raw_workbench(version=2, owner="two words"))
    assert ("workbench", BENCH) in told.said()
    assert "two words" in (told.store.workbenches[BENCH].problem or "")
    assert not told.store.demand.needs(POOL)


def test_two_spellings_of_an_owner_are_one_person(told: Told) -> None:
    told.put(Workbench, raw_workbench(1, r"CORP\Ann"))
    told.put(Workbench, raw_workbench(2, "ann@corp.example"))
    assert set(told.store.demand.needs(POOL)) == {"ann"}


def test_an_object_that_breaks_the_schema_changes_nothing(told: Told) -> None:
    told.put(Workbench, raw_workbench())
    with pytest.raises(ValidationError):
        told.put(Workbench, raw_workbench(version=2, state="dancing"))
    assert told.store.versions(Workbench)[BENCH] == ("Workbench-" + BENCH[4:], 1)
    assert set(told.store.demand.needs(POOL)) == {"ann"}


# -- pools -------------------------------------------------------------------------------------------------------------


def test_of_two_pools_for_one_product_the_eldest_has_the_claim_and_the_next_inherits_it(told: Told) -> None:
    told.put(LicensePool, raw_pool("elder", product="matlab", age=60))
    assert told.store.owner_pool(POOL) == told.store.owner_pool("lab/elder") == "lab/elder"
    assert told.dirty() == {POOL, "lab/elder"}
    told.said()
    assert told.remove(LicensePool, "lab/elder", at=7)
    assert told.store.owner_pool(POOL) == POOL
    assert told.said() == {("pool", "lab/elder"), ("pool", POOL), ("dirty", SERVER)}
    assert told.store.dirty_pools == {POOL: later(7)}


def test_of_two_pools_of_the_same_age_the_first_by_name_has_the_claim(told: Told) -> None:
    told.put(LicensePool, raw_pool("abc", product="matlab"))
    assert told.store.owner_pool(POOL) == "lab/abc"


def test_pools_of_other_servers_and_products_are_no_rivals(told: Told) -> None:
    told.put(LicensePool, raw_pool("ansys", age=60))
    told.put(LicensePool, raw_pool("second", product="matlab", serverRef={"name": "other"}, age=60))
    assert told.store.owner_pool(POOL) == POOL
    assert [pool.key for pool in told.store.pools_of_server(SERVER)] == ["lab/ansys", POOL]


def test_a_pool_that_was_deleted_and_made_anew_unseen_leaves_its_old_claim_to_the_others(told: Told) -> None:
    told.put(LicensePool, raw_pool("younger", product="matlab", age=-60))
    assert told.store.owner_pool("lab/younger") == POOL
    told.dirty()
    told.said()
    told.put(LicensePool, raw_pool(uid="second", version=9, product="simulink", serverRef={"name": "other"}), at=3)
    assert told.store.owner_pool("lab/younger") == "lab/younger"
    assert told.store.owner_pool(POOL) == POOL
    assert told.dirty() == {POOL, "lab/younger"}
    assert {("dirty", SERVER), ("dirty", "lab/other"), ("pool", "lab/younger"), ("pool", POOL)} <= told.said()


def test_a_pool_whose_status_changed_is_kept_and_is_no_news(told: Told) -> None:
    assert told.put(LicensePool, raw_pool(version=2) | {"status": {"used": 1}})
    assert told.store.pools[POOL].status.used == 1
    assert told.said() == set()
    assert told.dirty() == set()


@pytest.mark.parametrize(
    "meta", [{"generation": 2}, {"annotations": {"a": "b"}}, {"deletionTimestamp": "2026-01-05T09:00:00Z"}]
)
def test_a_pool_whose_spec_annotations_or_life_changed_is_news(told: Told, meta: dict[str, Any]) -> None:
    told.put(LicensePool, raw_pool(version=2, meta=meta))
    assert told.dirty() == {POOL}
    assert told.said() == {("pool", POOL), ("dirty", SERVER)}


def test_rules_change_with_the_spec(told: Told) -> None:
    told.put(LicensePool, raw_pool(version=2, meta={"generation": 2}, seats=9, protectedUsers=["Ann"]))
    assert (told.store.rules[POOL].seats, told.store.rules[POOL].protected) == (9, ("ann",))


def test_a_pool_that_cannot_be_computed_with_changes_nothing() -> None:
    told = Told(IdentitySettings.model_construct(strip_domain=True, fold_case=True, mapping={"boss": "two words"}))
    told.put(LicensePool, raw_pool())
    told.said()
    told.dirty()
    for broken in (
        raw_pool(version=2, meta={"generation": 2}, protectedUsers=["boss"]),
        raw_pool("new", protectedUsers=["boss"]),
    ):
        with pytest.raises(InvalidUser):
            told.put(LicensePool, broken)
    assert set(told.store.pools) == set(told.store.rules) == {POOL}
    assert told.store.pools[POOL].metadata.generation == 1
    assert told.said() == set()


# -- servers and ledgers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "is_news"),
    [
        ({"meta": {"generation": 2}}, True),
        ({"meta": {"annotations": {"seatpool.io/approve-change": "x"}}}, True),
        ({"uid": "another"}, True),
        ({}, False),
    ],
)
def test_a_server_is_news_when_its_spec_annotations_or_identity_changed(
    told: Told, change: dict[str, Any], is_news: bool
) -> None:
    told.put(LicenseServer, raw_server(version=2, **change) | {"status": {"revision": 5}})
    assert (("server", SERVER) in told.said()) is is_news
    assert told.store.servers[SERVER].status.revision == 5


def test_a_server_that_is_gone_is_news(told: Told) -> None:
    assert told.remove(LicenseServer, SERVER)
    assert told.said() == {("server", SERVER)}
    assert SERVER not in told.store.servers


LEDGER = f"lab/{ledger_name('licenses', 'matlab', 0)}"


def shares(told: Told) -> dict[int, str]:
    found = told.store.ledgers["lab/licenses/matlab"]
    return {index: " ".join(grant.user for grant in view.spec.assigned) for index, view in sorted(found.items())}


def test_shares_of_a_memory_are_kept_by_pool_and_number(told: Told) -> None:
    told.put(SeatLedger, raw_ledger(share=1, users="bob"))
    told.put(SeatLedger, raw_ledger(share=0, users="ann"))
    assert shares(told) == {0: "ann", 1: "bob"}


def test_what_we_wrote_ourselves_is_not_undone_by_older_news(told: Told) -> None:
    told.put(SeatLedger, raw_ledger(version=1, users="ann"))
    told.store.upsert_ledger(SeatLedger.model_validate(raw_ledger(version=7, users="ann bob")))
    told.put(SeatLedger, raw_ledger(version=5, users="cem"))
    assert shares(told) == {0: "ann bob"}


def test_a_memory_that_somebody_deleted_has_to_be_written_again(told: Told) -> None:
    told.put(SeatLedger, raw_ledger(users="ann"))
    assert told.remove(SeatLedger, LEDGER)
    assert shares(told) == {}
    assert told.dirty() == {POOL}
    assert told.said() == {("dirty", SERVER)}


def test_a_memory_that_was_deleted_before_a_watch_told_of_its_beginning_has_to_be_written_again(told: Told) -> None:
    told.store.upsert_ledger(SeatLedger.model_validate(raw_ledger(users="ann")))
    assert told.remove(SeatLedger, LEDGER)
    assert shares(told) == {}
    assert told.dirty() == {POOL}


@pytest.mark.parametrize("is_known", [True, False])
def test_the_late_answer_to_a_write_does_not_bring_back_a_share_that_was_deleted(told: Told, is_known: bool) -> None:
    if is_known:
        told.put(SeatLedger, raw_ledger(uid="first", users="ann"))
    told.remove(SeatLedger, LEDGER, uid="first")
    assert told.dirty() == {POOL}
    assert not told.store.upsert_ledger(SeatLedger.model_validate(raw_ledger(uid="first", version=9, users="ann bob")))
    assert shares(told) == {}
    assert told.store.upsert_ledger(SeatLedger.model_validate(raw_ledger(uid="second", version=11, users="bob")))
    assert shares(told) == {0: "bob"}


def test_a_memory_is_that_of_the_product_whichever_pool_manages_it(told: Told) -> None:
    raw = raw_ledger(users="ann")
    raw["spec"]["ended"] = [
        {"user": "bob", "what": "Seat", "since": START, "at": START, "reason": "WorkbenchesStopped"}
    ]
    told.put(SeatLedger, raw)
    told.put(LicensePool, raw_pool("younger", product="matlab", age=-60))
    assert set(told.store.shares_of(POOL)) == {0}
    assert [one.user for one in told.store.ended_of(POOL)] == ["bob"]
    assert told.store.shares_of("lab/younger") == {}, "it does not manage the product"
    told.remove(LicensePool, POOL)
    assert set(told.store.shares_of("lab/younger")) == {0}
    assert list(told.store.ended_of("lab/younger")) == [], "what ended is told of the pool in which it was"
    assert told.store.shares_of(POOL) == {}
    told.dirty()
    told.remove(SeatLedger, LEDGER)
    assert told.dirty() == {"lab/younger"}


def test_our_own_write_is_no_news_when_the_watch_brings_it(told: Told) -> None:
    told.store.upsert_ledger(SeatLedger.model_validate(raw_ledger(version=7, users="ann")))
    assert not told.put(SeatLedger, raw_ledger(version=7, users="ann"))
    assert told.store.has_object(SeatLedger, raw_ledger(version=7, users="ann"))


def test_the_late_end_of_a_share_does_not_take_the_one_that_was_written_since(told: Told) -> None:
    told.put(SeatLedger, raw_ledger(uid="first", users="ann"))
    told.store.upsert_ledger(SeatLedger.model_validate(raw_ledger(uid="second", version=4, users="bob")))
    told.remove(SeatLedger, LEDGER, uid="first")
    assert shares(told) == {0: "bob"}
    assert NOW not in told.store.dirty_pools.values()


def test_owners_that_are_normalised_otherwise_change_hands_all_at_once() -> None:
    told = Told()
    told.store.upsert(LicenseServer, raw_server(), now=NOW)
    told.store.upsert(LicensePool, raw_pool(protectedUsers=["Dora"]), now=NOW)
    for number, owner in enumerate(("ann", "CORP\\Ann", "two words", "bob"), start=1):
        told.store.upsert(Workbench, raw_workbench(number, owner), now=NOW)
    told.store.dirty_pools.clear()
    told.store.set_identity(IdentitySettings(mapping={"ann": "u1", "two words": "u2", "dora": "u3"}), now=later(1))
    assert set(told.store.demand.needs(POOL)) == {"u1", "u2", "bob"}
    assert len(told.store.demand.workbenches_of(POOL, "u1")) == 2
    assert told.store.rules[POOL].protected == ("u3",)
    assert set(told.store.dirty_pools) == {POOL}
    assert [view.problem for view in told.store.workbenches.values()] == [None] * 4


def test_the_same_normalisation_again_is_no_news() -> None:
    told = Told()
    told.store.upsert(LicensePool, raw_pool(), now=NOW)
    told.store.upsert(Workbench, raw_workbench(), now=NOW)
    told.store.dirty_pools.clear()
    told.store.set_identity(IdentitySettings(), now=later(1))
    assert told.store.dirty_pools == {}


def test_an_owner_that_is_refused_under_the_new_normalisation_needs_no_seat_and_is_told() -> None:
    told = Told()
    told.store.upsert(LicensePool, raw_pool(), now=NOW)
    told.store.upsert(Workbench, raw_workbench(owner="CORP\\ann"), now=NOW)
    told.store.set_identity(IdentitySettings(strip_domain=False), now=later(1))
    assert dict(told.store.demand.needs(POOL)) == {}
    problem = told.store.workbenches[BENCH].problem
    assert problem is not None
    assert "cannot be put on a list" in problem
