"""What a Pod can know of its owner's seat: the annotation says it, and the scheduling gate opens then."""

import json
from typing import Any

from tests.integration.control.conftest import Stage
from tests.waiting import eventually

from seatpool.api.seatledger import SeatLedger

NOTE, GATE = "seatpool.io/seat", "seatpool.io/seat"


def rule(stage: Stage, **changes: Any) -> dict[str, Any]:
    return {
        "name": "notebooks", "version": "v1", "kind": "pods", "selector": {"component": "notebook"},
        "owner": ".metadata.labels.owner", "type": ".metadata.labels.tool", "namespace": stage.namespace,
        "seat_annotation": NOTE, "scheduling_gate": GATE,
    } | changes  # fmt: skip


def pod(
    name: str, owner: str, *, tool: str = "vew-matlab", gates: tuple[str, ...] = (GATE, "example.com/other")
) -> Any:
    metadata = {"name": name, "labels": {"component": "notebook", "owner": owner, "tool": tool}}
    containers = [{"name": "notebook", "image": "notebook"}]
    spec = {"containers": containers, "schedulingGates": [{"name": gate} for gate in gates]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def read(stage: Stage, name: str) -> tuple[str | None, list[str]]:
    """What a program in the Pod would read, and what its scheduling waits for."""
    found = json.loads(stage.plane.kubectl("get", "pod", name, "-n", stage.namespace, "-o", "json"))
    gates = [gate["name"] for gate in found["spec"].get("schedulingGates", [])]
    return found["metadata"].get("annotations", {}).get(NOTE), gates


async def until(stage: Stage, name: str, note: str | None, *gates: str) -> None:
    await eventually(lambda: read(stage, name) == (note, list(gates)), what=f"{name} says {note}, gates {gates}")


def remove(stage: Stage, name: str) -> None:
    stage.plane.kubectl("delete", "pod", name, "-n", stage.namespace, "--grace-period=0", "--force")


async def test_a_pod_waits_for_its_seat_and_is_scheduled_when_it_was_read_back(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1, deniedUsers=["eve"]))
    async with stage.operator(mirror={"kubernetes": [rule(stage)]}):
        await stage.until_ready()
        stage.apply(pod("ann", "ann"))
        await until(stage, "ann", "ready", "example.com/other")
        assert stage.host.users("matlab") == ("ann",)
        stage.apply(pod("bob", "bob"), pod("eve", "eve"), pod("plain", "kim", tool="no-pool"))
        await until(stage, "bob", "waiting", GATE, "example.com/other")
        await until(stage, "eve", "denied", GATE, "example.com/other")
        await until(stage, "plain", None, "example.com/other")
        remove(stage, "ann")
        await until(stage, "bob", "ready", "example.com/other")


async def test_a_client_that_lies_opens_no_gate(stage: Stage) -> None:
    stage.apply(stage.server(verifyInterval="1s"), stage.pool(seats=1))
    stage.host.faults(lie_apply=1)
    async with stage.operator(mirror={"kubernetes": [rule(stage)]}):
        stage.apply(pod("ann", "ann", gates=(GATE,)))
        await until(stage, "ann", "waiting", GATE)
        stage.host.faults()
        await until(stage, "ann", "ready")


async def test_a_pod_of_another_owner_under_the_same_name_is_not_told_of_the_former_ones_seat(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1, protectedUsers=["ann"]))
    async with stage.operator(mirror={"kubernetes": [rule(stage)]}):
        stage.apply(pod("bench", "ann"))
        await until(stage, "bench", "ready", "example.com/other")
        remove(stage, "bench")
        stage.apply(pod("bench", "bob"))
        await until(stage, "bench", "waiting", GATE, "example.com/other")


async def test_a_pod_that_comes_again_at_once_is_told_again_and_not_before_its_seat(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    async with stage.operator(mirror={"kubernetes": [rule(stage)]}):
        stage.apply(pod("bench", "ann"))
        await until(stage, "bench", "ready", "example.com/other")
        for _ in range(3):
            remove(stage, "bench")
            stage.apply(pod("bench", "ann"))
            await until(stage, "bench", "ready", "example.com/other")
            await stage.until_list(["ann"])
        stage.plane.kubectl("annotate", "pod/bench", "-n", stage.namespace, f"{NOTE}-")
        await until(stage, "bench", "ready", "example.com/other")


async def test_without_the_setting_no_pod_is_touched(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    async with stage.operator(mirror={"kubernetes": [rule(stage, seat_annotation=None, scheduling_gate=None)]}):
        stage.apply(pod("ann", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        assert read(stage, "ann") == (None, [GATE, "example.com/other"])
        assert await stage.kube.list_all(SeatLedger, namespace=stage.namespace)
