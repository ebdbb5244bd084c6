"""The live cluster answers as a fresh read of all objects does, after any changes in any order."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.explain import cluster as objects
from tests.unit.explain.cluster import KINDS, NOW, TIMES, seen
from tests.unit.web.test_visible_users import named_as_stored

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.explain.overview import pool_line
from seatpool.explain.who import who
from seatpool.explain.why import explain
from seatpool.web import cluster as module
from seatpool.web.answers import Answers
from seatpool.web.cluster import LiveCluster
from seatpool.web.visible_users import VisibleUsers

UTC = ZoneInfo("UTC")
ALL = VisibleUsers(None, all_named=True)
Raw = dict[str, Any]
USERS = ["ann", "bob", "carl"]


def objects_of(draw: st.DrawFn) -> dict[str, Raw]:
    """Objects by kind and name, as they are at one time."""
    some = st.dictionaries(st.sampled_from(USERS), st.integers(61, 300), max_size=3)
    found: list[Raw] = []
    if draw(st.booleans()):
        found.append(objects.server())
    for name in draw(st.sets(st.sampled_from(["matlab", "cad"]))):
        protected = draw(st.lists(st.sampled_from(USERS), max_size=1))
        found.append(objects.pool(name, seats=draw(st.integers(1, 3)), protectedUsers=protected))
    for name in draw(st.sets(st.sampled_from(["matlab", "cad"]))):
        assigned, waiting = draw(some), draw(some)
        waiting = {user: since for user, since in waiting.items() if user not in assigned}
        found.append(objects.ledger(name, assigned=assigned, waiting=waiting))
    for number in draw(st.sets(st.integers(1, 4))):
        kind, state = draw(st.sampled_from(["vew-matlab", "vew-cad"])), draw(st.sampled_from(["running", "stopped"]))
        raw = objects.workbench(draw(st.sampled_from(USERS)), number=number, kind=kind, state=state)
        raw["spec"]["stateChangedAt"] = objects.ago(0)  # a table of workbenches does not say since when one is active
        found.append(raw)
    return {f"{raw['kind']}/{raw['metadata']['name']}": named_as_stored(raw) for raw in found}


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Raw]]:
    return [objects_of(draw) for _ in range(draw(st.integers(1, 4)))]


def versioned(raw: Raw, version: int, *, uid: str = "first") -> Raw:
    return raw | {
        "metadata": raw["metadata"] | {"resourceVersion": str(version), "generation": version, "uid": uid},
    }


def bring(cluster: LiveCluster, before: dict[str, Raw], after: dict[str, Raw], order: Iterable[str]) -> None:
    """Brings the changes as watches do: each object in its order, those of different kinds in any."""
    for key in order:
        if key in after:
            cluster.upsert(KINDS[after[key]["kind"]], after[key])
        else:
            raw = before[key]
            cluster.delete(KINDS[raw["kind"]], f"lab/{raw['metadata']['name']}", raw["metadata"]["uid"])


def stored(wanted: dict[str, Raw], before: dict[str, Raw], version: int) -> dict[str, Raw]:
    """The objects as the API server has them: one that is created again is another one."""
    return {
        key: versioned(raw, version, uid=before[key]["metadata"]["uid"] if key in before else f"{key}-{version}")
        for key, raw in wanted.items()
    }


@settings(max_examples=150)
@given(histories(), st.randoms(use_true_random=False))
def test_every_answer_is_that_of_a_fresh_read(history: list[dict[str, Raw]], shuffled: Any) -> None:
    cluster = LiveCluster(IdentitySettings(), lambda: NOW, monotonic=lambda: 0.0)
    answers, before = Answers(cluster), dict[str, Raw]()
    for version, wanted in enumerate(history, start=1):
        now = stored(wanted, before, version)
        order = sorted({*before, *now})
        shuffled.shuffle(order)
        bring(cluster, before, now, order)
        before = now
        fresh = seen(*now.values())
        assert sorted(cluster.store.pools) == sorted(fresh.store.pools)
        for key, pool in fresh.store.pools.items():
            assert answers.pool_line(key) == pool_line(fresh, pool, times=TIMES)
            told = answers.pool(cluster.store.pools[key], ALL, UTC).who
            assert told == who(fresh, pool, times=TIMES)
        for user in USERS:
            subject = fresh._user(user)
            expected = explain(fresh, subject, pool=None, written={row.key: () for row in subject.rows}, times=TIMES)
            assert answers.user(user, ALL, UTC) == expected


def test_the_user_is_the_one_that_the_operator_made_of_the_owner() -> None:
    cluster = LiveCluster(IdentitySettings(), lambda: NOW)
    raw = objects.workbench("CORP\\ann")
    raw["status"] = {"user": "CORP.ann"}
    cluster.upsert(LicensePool, objects.pool())
    cluster.upsert(Workbench, raw)
    assert [row.key for row in cluster.subject("CORP.ann").rows] == ["lab/i-00000001"]
    assert cluster.renew_identity()
    assert not cluster.renew_identity()
    assert cluster.store.identity.user("CORP\\ann") == "CORP.ann"
    assert set(cluster.store.demand.needs("lab/matlab")) == {"CORP.ann"}
    assert cluster.subject("ann").rows == ()


def test_a_ledger_that_cannot_be_read_stops_nothing() -> None:
    cluster = LiveCluster(IdentitySettings(), lambda: NOW)
    cluster.upsert(LicensePool, objects.pool())
    broken = objects.ledger()
    assert cluster.refuse(SeatLedger, broken, "spec.assigned: no list")
    assert Answers(cluster).pool(cluster.store.pools["lab/matlab"], ALL, UTC).who.holders == ()
    assert not cluster.refuse(SeatLedger, versioned(broken, 2, uid=broken["metadata"]["uid"]), "spec.assigned: no list")


def test_an_answer_is_computed_once_until_something_changes_or_it_is_old() -> None:
    now = 0.0
    cluster = LiveCluster(IdentitySettings(), lambda: NOW, monotonic=lambda: now)
    computed: list[int] = []

    def compute() -> int:
        computed.append(1)
        return len(computed)

    assert [cluster.computed("x", 1, compute) for _ in range(3)] == [1, 1, 1]
    assert cluster.computed("x", 2, compute) == 2
    now = 21.0
    assert cluster.computed("x", 2, compute) == 3


def test_what_is_kept_is_limited_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 10)
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    cluster = LiveCluster(IdentitySettings(), lambda: NOW)
    for number in range(30):
        cluster.computed(number % 7, number, lambda: cluster.computed("inner", 1, lambda: 1), lines=lambda _: 4)
        cluster.encoded(number, object(), lambda _: b"x" * 30)
        assert sum(one.lines for one in cluster._answers.values()) == cluster._lines <= 10
        assert sum(len(body) for _, body in cluster._encoded.values()) == cluster._bytes <= 100
    cluster.computed("large", 1, lambda: 1, lines=lambda _: 11)
    assert cluster._lines == 0


def test_an_answer_is_encoded_again_when_it_is_another_one() -> None:
    cluster = LiveCluster(IdentitySettings(), lambda: NOW)
    first, second = object(), object()
    made = [cluster.encoded("x", one, lambda one: str(id(one)).encode()) for one in (first, first, second)]
    assert made == [str(id(one)).encode() for one in (first, first, second)]
