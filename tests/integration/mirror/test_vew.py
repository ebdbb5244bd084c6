"""A Virtual Engineering Workbench as it is: `mirror.profile: vew` and no other setting of tags."""

from tests.integration.mirror.conftest import Stage, ago, state_change
from tests.integration.mirror.test_mirror_inventory import completed, with_inventory
from tests.waiting import eventually

from seatpool.sim.vew import ProductKind, hub_event, launch_tags


def launched(*, owner: str = "T0011AA", product: str = "AUTOSAR", kind: str = "WORKBENCH") -> list[dict[str, str]]:
    tags = launch_tags(owner, product, ProductKind(kind))
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def launch(stage: Stage, tags: list[dict[str, str]]) -> str:
    answer = stage.aws.client("ec2").run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
    )
    return str(answer["Instances"][0]["InstanceId"])


async def test_workbenches_are_mirrored_and_virtual_targets_and_builders_are_not(stage: Stage) -> None:
    workbench, target = launch(stage, launched()), launch(stage, launched(kind="VIRTUAL_TARGET"))
    builder = launch(stage, [{"Key": "Name", "Value": "image builder"}])
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        found = await stage.get(workbench)
        assert found is not None
        assert (found["spec"]["owner"], found["spec"]["type"]) == ("T0011AA", "AUTOSAR")
        stage.aws.send(*(state_change(instance, "running", ago(1)) for instance in (target, builder)))
        await stage.until_handled()
        await completed(stage, 2)
        assert await stage.state(target) is None
        assert await stage.state(builder) is None


async def test_what_the_hub_makes_of_the_event_moves_the_workbench(stage: Stage) -> None:
    workbench = launch(stage, launched())
    async with with_inventory(stage, profile="vew", resync_interval="1h") as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").stop_instances(InstanceIds=[workbench])
        stage.aws.send(hub_event(state_change(workbench, "stopped", ago(0))))
        await stage.until_state(workbench, "stopped")
        later = launch(stage, launched(owner="T0022BB"))
        stage.aws.send(hub_event(state_change(later, "running", ago(0))))
        await stage.until_state(later, "running")
        assert await stage.owner(later) == "T0022BB"


async def test_a_product_that_becomes_a_virtual_target_is_no_workbench_after_two_inventories(stage: Stage) -> None:
    workbench, other, _ = (launch(stage, launched(owner=owner)) for owner in ("T0011AA", "T0022BB", "T0033CC"))
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        ec2 = stage.aws.client("ec2")
        ec2.create_tags(Resources=[workbench], Tags=[{"Key": "vew:product:type", "Value": "VIRTUAL_TARGET"}])
        ec2.delete_tags(Resources=[other], Tags=[{"Key": "vew:product:type"}])
        await stage.until_state(workbench, None)
        await completed(stage, 3)
        assert await stage.state(other) == "running", "a tag that is missing says nothing"


async def test_many_that_stop_being_workbenches_at_once_are_not_believed(stage: Stage) -> None:
    workbenches = [launch(stage, launched(owner=f"T{number:04}AA")) for number in range(10)]
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").create_tags(
            Resources=workbenches, Tags=[{"Key": "vew:product:type", "Value": "VIRTUAL_TARGET"}]
        )
        # None is shown by the filter then, and an empty answer is held before their tags are looked at.
        await eventually(lambda: mirror.health.inventories[0].reason == "EmptyInventoryHeld")
        assert [await stage.state(one) for one in workbenches] == ["running"] * 10
        launch(stage, launched(owner="T9999ZZ"))
        await eventually(lambda: mirror.health.inventories[0].reason == "LostTagsHeld")
        assert "vew:product:type (WORKBENCH or CONTAINER)" in mirror.health.inventories[0].message
        assert [await stage.state(one) for one in workbenches] == ["running"] * 10


async def test_a_profile_that_matches_nothing_says_what_it_sees_and_which_would(stage: Stage) -> None:
    launch(stage, launched())
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()
        seen = mirror.health.inventories[0].seen_instead
        assert seen.startswith("1 instances, commonest tag keys: ")
        assert seen.endswith("mirror.profile: vew has such tags")


async def test_only_virtual_targets_are_said_to_be_there(stage: Stage) -> None:
    launch(stage, launched(kind="VIRTUAL_TARGET"))
    async with with_inventory(stage, profile="vew") as mirror:
        await mirror.ready.wait()
        assert "'vew:product:type'='VIRTUAL_TARGET' (1)" in mirror.health.inventories[0].seen_instead
