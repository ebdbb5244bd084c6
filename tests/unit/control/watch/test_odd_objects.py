"""Nothing that a watch brings can stop what comes after it."""

from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.control.conftest import Given
from tests.unit.control.objects import raw_ledger, raw_pool, raw_server, raw_workbench

from seatpool.api.base import Resource
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.watch.informer import Informer
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.mirror import Mirror

KINDS = {
    LicenseServer: raw_server,
    LicensePool: raw_pool,
    SeatLedger: raw_ledger,
    Workbench: raw_workbench,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def informer(given: Given) -> Informer:
    metrics, clock = ControlMetrics(given.registry), given.clock.now
    mirror = Mirror(
        MirrorConfig(), given.kube, registry=given.registry, log=given.log, session_factory=boto3.Session, clock=clock
    )
    recorder = EventRecorder(given.kube, instance="me", metrics=metrics, log=given.log, clock=clock)
    return Informer(
        store=Store(IdentitySettings()), mirror=mirror, recorder=recorder, metrics=metrics, log=given.log, clock=clock
    )


@given(kind=st.sampled_from(list(KINDS)), spec=st.dictionaries(st.text(max_size=12), JSON, max_size=5), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_an_object_with_any_spec_is_refused_or_taken_in_and_stops_nothing(
    informer: Informer, kind: type[Resource], spec: dict[str, Any], data: st.DataObject
) -> None:
    raw = KINDS[kind](version=data.draw(st.integers(2, 9)))
    fields = data.draw(st.sets(st.sampled_from(sorted(raw["spec"]))))
    raw["spec"] = {name: value for name, value in raw["spec"].items() if name not in fields} | spec
    informer.upserted(kind, raw)
    informer.deleted(kind, f"lab/{raw['metadata']['name']}", raw["metadata"]["uid"])


@pytest.mark.parametrize("name", ["backup", "{}-0-backup", "copy-0", "{}-x", "{}-00", "{}-", "{}-99999", "matlab-0"])
async def test_a_copy_of_a_ledger_is_no_memory(informer: Informer, name: str) -> None:
    informer.upserted(LicensePool, raw_pool())
    assert informer.upserted(SeatLedger, raw_ledger(users="ann"))
    copy = raw_ledger(users="eve", version=99)
    name = name.format(copy["metadata"]["name"].removesuffix("-0"))
    copy["metadata"] |= {"name": name, "uid": "another"}
    assert not informer.upserted(SeatLedger, copy)
    shares = informer.store.ledgers["lab/licenses/matlab"]
    assert [[grant.user for grant in view.spec.assigned] for view in shares.values()] == [["ann"]]
    assert not informer.deleted(SeatLedger, f"lab/{name}", "another")
    assert set(informer.store.ledgers["lab/licenses/matlab"]) == {0}
