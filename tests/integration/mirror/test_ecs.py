"""Tasks of ECS are workbenches as EC2 instances are, and neither source touches the other's objects."""

from typing import Any

from tests.integration.mirror.conftest import ACCOUNT, REGION, Stage, ago, state_change
from tests.integration.mirror.tasks import (
    create_service,
    forget_task,
    object_of,
    open_cluster,
    start_task,
    stop_task,
    task_event,
)
from tests.integration.mirror.test_mirror_inventory import completed, with_inventory
from tests.integration.mirror.test_vew import launch, launched
from tests.waiting import eventually

from seatpool.sim.vew import hub_event


def tags(**changes: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in launched(kind="CONTAINER", **changes)}


async def test_a_container_workbench_is_mirrored_beside_the_machines_of_its_account(stage: Stage) -> None:
    open_cluster(stage.aws)
    task, machine = start_task(stage.aws, tags(product="Yocto")), launch(stage, launched(owner="T0022BB"))
    start_task(stage.aws, tags() | {"vew:product:type": "VIRTUAL_TARGET"})
    start_task(stage.aws, {"Name": "builder"})
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        found = await stage.get(object_of(task))
        assert found is not None
        assert found["spec"]["source"] == {"kind": "ECS", "reference": task}
        assert {key: found["spec"].get(key) for key in ("account", "region", "instanceId", "owner", "type", "state")} == {
            "account": ACCOUNT, "region": REGION, "instanceId": None, "owner": "T0011AA", "type": "Yocto",
            "state": "running",
        }  # fmt: skip
        assert "launchedAt" in found["spec"]
        assert await stage.state(machine) == "running"
        assert stage.metric("objects") == 2


async def test_events_of_tasks_move_them_and_what_ended_stays_ended(stage: Stage) -> None:
    open_cluster(stage.aws)
    async with with_inventory(stage, profile="vew", resync_interval="1h") as mirror:
        await mirror.ready.wait()
        raw, of_hub = start_task(stage.aws, tags()), start_task(stage.aws, tags(owner="T0022BB"))
        stage.aws.send(task_event(raw, "PROVISIONING", ago(3)), hub_event(task_event(of_hub, "RUNNING", ago(2))))
        for task in (raw, of_hub):
            await stage.until_state(object_of(task), "running")  # ECS itself says it, whatever the event said
        stop_task(stage.aws, raw)
        stage.aws.send(task_event(raw, "DEPROVISIONING", ago(0)))
        await stage.until_state(object_of(raw), "shutting-down")
        stage.aws.send(hub_event(task_event(raw, "STOPPED", ago(0))))
        await stage.until_state(object_of(raw), "terminated")
        stage.aws.send(task_event(raw, "RUNNING", ago(0)))
        await stage.until_handled()
        assert await stage.state(object_of(raw)) == "terminated"


async def test_a_task_whose_service_did_not_propagate_its_tags_has_those_of_the_service(stage: Stage) -> None:
    open_cluster(stage.aws)
    create_service(stage.aws, "bench-ann", tags(owner="T0033CC"))
    plain = start_task(stage.aws, {}, group="service:bench-ann")
    other = start_task(stage.aws, {"vew:product:name": "Own"}, group="service:bench-ann")
    unknown = start_task(stage.aws, {}, group="service:nothing")
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        assert await stage.owner(object_of(plain)) == "T0033CC"
        found = await stage.get(object_of(other))
        assert found is not None
        assert found["spec"]["type"] == "Own", "a task's own tags win"
        assert await stage.state(object_of(unknown)) is None


async def test_a_task_that_its_service_replaced_ends_and_the_new_one_is_there(stage: Stage) -> None:
    open_cluster(stage.aws)
    before = start_task(stage.aws, tags())
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        stop_task(stage.aws, before)
        after = start_task(stage.aws, tags())
        await stage.until_state(object_of(after), "running")
        await stage.until_state(object_of(before), "terminated")


async def test_a_task_that_ecs_forgot_and_a_cluster_that_is_gone_take_their_objects_along(stage: Stage) -> None:
    open_cluster(stage.aws)
    open_cluster(stage.aws, "other")
    forgotten, in_other, stays = (
        start_task(stage.aws, tags(), cluster=cluster) for cluster in ("benches", "other", "benches")
    )
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        forget_task(forgotten)
        forget_task(in_other)
        stage.aws.client("ecs").delete_cluster(cluster="other")
        await stage.until_state(object_of(forgotten), None)
        await stage.until_state(object_of(in_other), None)
        assert await stage.state(object_of(stays)) == "running"


async def test_a_source_that_is_forbidden_keeps_its_users_and_does_not_stop_the_other_one(stage: Stage) -> None:
    open_cluster(stage.aws)
    task, machine = start_task(stage.aws, tags()), launch(stage, launched())
    start_task(stage.aws, tags(owner="T0022BB"))
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        with stage.gate.trouble(operation="ListTasks", code="AccessDeniedException"):
            forget_task(task)
            stage.aws.client("ec2").stop_instances(InstanceIds=[machine])
            await stage.until_state(machine, "stopped")
            await eventually(lambda: not mirror.health.inventories[0].fresh)
            health = mirror.health.inventories[0]
            assert health.reason == "AccessDenied"
            assert health.message.startswith("ECS: ")
            assert await stage.state(object_of(task)) == "running"
        await stage.until_state(object_of(task), None)


async def test_without_the_source_its_events_are_dropped_and_its_objects_stay(stage: Stage) -> None:
    open_cluster(stage.aws)
    task = start_task(stage.aws, tags())
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
    async with with_inventory(stage, profile="vew", sources=["EC2"]) as mirror:
        await mirror.ready.wait()
        stage.aws.send(task_event(task, "STOPPED", ago(0)))
        await stage.until_handled()
        await completed(stage, 3)
        assert await stage.state(object_of(task)) == "running"
        assert stage.metric("irrelevant_total", reason="unknown_kind") == 1
        assert stage.metric("unlisted_objects") == 1


async def test_events_alone_say_no_owner_of_a_task(stage: Stage) -> None:
    open_cluster(stage.aws)
    task = start_task(stage.aws, tags())
    async with stage.mirror(profile="vew") as mirror:
        await mirror.ready.wait()
        stage.aws.send(task_event(task, "RUNNING", ago(0)), state_change("i-0123456789abcdef0", "running", ago(0)))
        await stage.until_handled()
        assert stage.metric("irrelevant_total", reason="events_only") == 2
        assert await stage.state(object_of(task)) is None


async def test_a_place_with_machines_of_one_source_only_is_fresh(stage: Stage) -> None:
    open_cluster(stage.aws)
    machine = launch(stage, launched())
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        await completed(stage, 3)
        assert mirror.health.inventories[0].fresh, "no task is held because there are machines"
        assert await stage.state(machine) == "running"
