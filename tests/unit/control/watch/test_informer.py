"""What the cluster says reaches the store, and nothing that it says comes from the past."""

import boto3
import pytest
from tests.unit.control.conftest import Given
from tests.unit.control.objects import raw_pool, raw_server, raw_workbench

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.watch.informer import Informer
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.mirror import Mirror

BENCH = f"lab/i-{1:017x}"


@pytest.fixture
def view(given: Given) -> Informer:
    metrics, clock = ControlMetrics(given.registry), given.clock.now
    return Informer(
        store=Store(IdentitySettings()),
        mirror=Mirror(
            MirrorConfig(),
            given.kube,
            registry=given.registry,
            log=given.log,
            session_factory=boto3.Session,
            clock=clock,
        ),
        recorder=EventRecorder(given.kube, instance="me", metrics=metrics, log=given.log, clock=clock),
        metrics=metrics,
        log=given.log,
        clock=clock,
    )


async def test_a_watch_brings_objects_and_takes_them_away(view: Informer) -> None:
    view.on_watch_event(Workbench, "ADDED", raw_workbench())
    assert set(view.store.workbenches) == {BENCH}
    view.on_watch_event(Workbench, "DELETED", raw_workbench(version=2))
    assert set(view.store.workbenches) == set()


async def test_the_answer_to_a_write_of_ours_is_known_at_once(view: Informer) -> None:
    view.on_watch_event(Workbench, "", raw_workbench())
    view.written(Workbench, raw_workbench(version=2) | {"status": {"observedGeneration": 1}})
    assert view.store.workbenches[BENCH].observed_generation == 1


async def test_a_late_answer_does_not_bring_back_what_is_gone(view: Informer) -> None:
    view.on_watch_event(Workbench, "ADDED", raw_workbench())
    view.on_watch_event(Workbench, "DELETED", raw_workbench(version=3))
    view.written(Workbench, raw_workbench(version=2))
    assert view.store.workbenches == {}
    view.on_watch_event(Workbench, "ADDED", raw_workbench(version=9, uid="another"))
    view.written(Workbench, raw_workbench(version=10))
    assert view.store.versions(Workbench)[BENCH] == ("another", 9)


async def test_an_object_that_cannot_be_read_is_counted_and_keeps_no_other_away(view: Informer, given: Given) -> None:
    view.on_watch_event(LicensePool, "ADDED", raw_pool("broken", seats="many"))
    view.on_watch_event(LicensePool, "ADDED", raw_pool())
    assert set(view.store.pools) == {"lab/matlab"}
    assert given.registry.get_sample_value("seatpool_objects_refused_total", {"kind": "LicensePool"}) == 1


async def test_a_server_whose_expression_cannot_run_in_linear_time_keeps_no_other_away(
    view: Informer, given: Given
) -> None:
    form = {"type": "Regex", "pattern": "^(?=u)(.*)$"}
    view.on_watch_event(LicenseServer, "ADDED", raw_server("broken", xlc={"listFormat": form}))
    view.on_watch_event(LicenseServer, "ADDED", raw_server())
    assert set(view.store.servers) == {"lab/licenses"}
    assert given.registry.get_sample_value("seatpool_objects_refused_total", {"kind": "LicenseServer"}) == 1
