"""The operator sees what happens in the cluster, knows when it does not, and leaves no trace on anybody's objects."""

import asyncio
import json
import signal
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.control.conftest import Stage, event, instance
from tests.integration.control.replicas import NEVER, Replica
from tests.waiting import eventually

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.workbench import Workbench
from seatpool.control.runtime.operator import Operator
from seatpool.control.watch.heartbeats import watch_tasks


async def kill_watch(resource: type[Resource]) -> None:
    """The first lists may be right before the watches are open."""
    await eventually(lambda: bool(watch_tasks(resource)))
    tasks = watch_tasks(resource)
    assert tasks
    for task in tasks:
        task.cancel()


async def probe(operator: Operator, path: str) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{operator.http_port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(ask)


async def test_no_object_carries_an_annotation_or_finalizer_of_kopf(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"), event(2, "running", "bob"), event(3, "running", "cem"))
        await stage.until_list(["ann", "bob"])
        stage.send(event(1, "stopped", "ann"))
        await stage.until_list(["bob", "cem"])
        await stage.until_ready()
    kinds = "workbenches,licensepools,licenseservers,seatledgers"
    objects = json.loads(stage.plane.kubectl("get", kinds, "-n", stage.namespace, "-o", "json"))["items"]
    assert {found["kind"] for found in objects} == {"Workbench", "LicensePool", "LicenseServer", "SeatLedger"}
    for found in objects:
        assert "finalizers" not in found["metadata"], found["metadata"]["name"]
        assert "annotations" not in found["metadata"], found["metadata"]["name"]


async def test_probes_tell_live_and_ready_and_metrics_are_there(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()) as operator:
        await stage.until_ready()

        async def ready() -> bool:
            return (await probe(operator, "/readyz"))[0] == 200

        await eventually(ready)
        status, text = await probe(operator, "/healthz")
        assert status == 200, text
        assert "ok watch of Workbench" in text
        status, text = await probe(operator, "/metrics")
        assert status == 200
        place = f'pool="{stage.namespace}/matlab",server="{stage.namespace}/licenses"'
        assert f"seatpool_pool_seats{{{place}}} 2.0" in text
        status, text = await probe(operator, "/metrics?name[]=seatpool_pool_seats")
        assert [line for line in text.splitlines() if line[0] != "#"] == [f"seatpool_pool_seats{{{place}}} 2.0"]


async def test_a_watch_that_dies_inside_the_process_makes_liveness_fail(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(watch={"heartbeat_limit": "6s"}) as operator:
        await stage.until_ready()
        assert (await probe(operator, "/healthz"))[0] == 200
        await kill_watch(Workbench)

        async def fails() -> bool:
            return (await probe(operator, "/healthz"))[0] == 503

        await eventually(fails)
        assert "FAIL watch of Workbench: not alive for" in (await probe(operator, "/healthz"))[1]


async def test_a_delete_and_a_change_that_a_watch_missed_are_repaired(stage: Stage) -> None:
    stage.apply(
        stage.server(),
        stage.pool(seats=9),
        *(stage.workbench(n, user) for n, user in enumerate(["ann", "bob", "cem"])),
    )
    async with stage.operator(watch={"resync_interval": "2s"}) as operator:
        await stage.until_list(["ann", "bob", "cem"])
        await kill_watch(Workbench)
        stage.delete("workbench", instance(0))
        stage.apply(stage.workbench(1, "bob", state="stopped"), stage.workbench(3, "dan"))
        await stage.until_list(["cem", "dan"])
        kind = {"kind": "Workbench"}
        assert operator.registry.get_sample_value("seatpool_cache_ghosts_pruned_total", kind) == 1
        assert operator.registry.get_sample_value("seatpool_cache_repairs_total", kind) in (
            1,
            2,
        )  # a status write tells too


async def test_a_storm_of_events_makes_tens_of_lines_and_writes(stage: Stage, caplog: Any) -> None:
    people = 100
    stage.apply(stage.server(debounce="250ms"), stage.pool(seats=200))
    start = datetime.now(UTC) - timedelta(minutes=30)
    async with stage.operator(mirror=stage.mirror_settings(receivers=4)) as operator:
        await stage.until_ready()
        stage.send(*(event(n, "running", f"user{n:03}", at=start) for n in range(people)))
        await stage.until_list([f"user{n:03}" for n in range(people)])
        await stage.until_ready()

        async def all_told() -> bool:
            items, _ = await stage.kube.list_all(Workbench, namespace=stage.namespace)
            return all((item.get("status") or {}).get("seats") for item in items)

        await eventually(all_told)
        writes_before, events_before = _writes(operator), len(stage.events())
        storm = [
            event(n, state, f"user{n:03}", at=start + timedelta(seconds=1 + step))
            for n in range(people)
            for step, state in enumerate(["stopped", "running"] * 5)
        ]
        assert len(storm) == 1000
        stage.send(*storm)
        await eventually(lambda: stage.site.waiting_events() == 0, seconds=120)
        await stage.until_list([f"user{n:03}" for n in range(people)])
        await stage.until_ready()
        await asyncio.sleep(1)
        writes = {what: count - writes_before.get(what, 0) for what, count in _writes(operator).items()}
        status = await stage.pool_status()
    assert (status["used"], status["waiting"]) == (people, 0)
    assert sum(writes.values()) < 400, writes
    assert len(stage.events()) - events_before < 30
    print("writes in a storm of 1,000 events:", writes)  # noqa: T201


def _writes(operator: Operator) -> dict[str, float]:
    return {
        sample.labels["what"]: sample.value
        for metric in operator.registry.collect()
        if metric.name == "seatpool_kube_writes"
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


async def test_a_pool_that_is_changed_while_it_works_follows_at_once(stage: Stage) -> None:
    people = ["ann", "bob", "cem"]
    stage.apply(stage.server(), stage.pool(seats=3), *(stage.workbench(n, user) for n, user in enumerate(people)))
    async with stage.operator():
        await stage.until_list(people)
        stage.apply(stage.pool(seats=2))

        async def two() -> bool:
            return len(stage.host.users("matlab")) == 2

        await eventually(two)
        await stage.until_condition(LicensePool, "matlab", "Saturated", status="True")
        stage.apply(stage.pool(seats=3))
        await stage.until_list(people)
        stage.apply(stage.pool(seats=3, workbenchTypes=["other-*"]))
        await stage.until_list([])


@pytest.mark.parametrize("later", [0.0, 0.02, 0.05, 0.1])
async def test_a_stop_while_kopf_still_looks_around_is_a_clean_end(stage: Stage, later: float) -> None:
    stage.apply(stage.server(), stage.pool())
    replica = Replica(stage, "only", settings={}, stopped_at=NEVER)
    try:
        await eventually(lambda: replica.said("in sync for the first time") is not None)
        await asyncio.sleep(later)
        replica.signal(signal.SIGTERM)
        assert await replica.ended() == 0
    finally:
        replica.process.kill()
        replica.process.wait()
    assert replica.said("stopped") is not None
