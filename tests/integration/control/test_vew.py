"""A Virtual Engineering Workbench as it is, on the real API server and the stand-in for AWS: one setting, and seats follow."""

from datetime import UTC, datetime
from typing import Any

from tests.integration.control.conftest import ACCOUNT, REGION, Stage
from tests.waiting import eventually

from seatpool.api.workbench import Workbench
from seatpool.sim.envelopes import state_change
from seatpool.sim.vew import Containers, ProductKind, hub_event, launch_tags


def launch_instance(stage: Stage, owner: str, *, kind: ProductKind = ProductKind.WORKBENCH) -> str:
    tags = [{"Key": key, "Value": value} for key, value in launch_tags(owner, "AUTOSAR Workbench", kind).items()]
    answer = stage.site.client("ec2").run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
    )
    return str(answer["Instances"][0]["InstanceId"])


def of_hub(instance: str, state: str) -> dict[str, Any]:
    at = datetime.now(UTC)
    return hub_event(state_change(instance_id=instance, state=state, at=at, account=ACCOUNT, region=REGION))


async def test_machines_and_containers_get_and_lose_seats_and_targets_and_builders_get_none(stage: Stage) -> None:
    pool = stage.pool(seats=5, workbenchTypes=["AUTOSAR?Workbench", "Yocto"])
    stage.apply(stage.server(), pool)
    mirror = stage.mirror_settings(inventory=True, profile="vew", resync_interval="1h")
    there = launch_instance(stage, "T0011AA")
    containers = Containers(
        stage.site.client("ecs"), account=ACCOUNT, region=REGION, post=lambda events: stage.send(*events),
        keep=stage.site.aws.control.keep_tasks,
    )  # fmt: skip
    async with stage.operator(mirror=mirror):
        await stage.until_list(["t0011aa"])  # found by the first inventory
        machine, target = (
            launch_instance(stage, "T0022BB"),
            launch_instance(stage, "T0044DD", kind=ProductKind.VIRTUAL_TARGET),
        )
        answer = stage.site.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
        builder = answer["Instances"][0]["InstanceId"]
        stage.send(*(of_hub(instance, "running") for instance in (machine, target, builder)))
        task = containers.start("T0033CC", "Yocto")
        await stage.until_list(["t0011aa", "t0022bb", "t0033cc"])
        name = f"ecs-{task.rpartition('/')[2]}"

        async def container_is_ready() -> bool:
            found = await stage.get(Workbench, name) or {}
            return any(one["phase"] == "Assigned" for one in found.get("status", {}).get("seats", []))

        await eventually(container_is_ready)
        assert await stage.get(Workbench, target) is None
        assert await stage.get(Workbench, builder) is None
        stage.site.client("ec2").stop_instances(InstanceIds=[there])
        containers.stop(task)
        stage.send(of_hub(there, "stopped"))
        await stage.until_list(["t0022bb"])
