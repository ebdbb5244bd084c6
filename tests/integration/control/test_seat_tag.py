"""The tag on the instance says ready only when the license server was seen to have the list, and nobody waits for it."""

import asyncio
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from tests.integration.control.conftest import ACCOUNT, REGION, Stage, instance, session
from tests.waiting import eventually

from seatpool.control.runtime.operator import Operator

TAG = "seatpool:seat"


def tag_of(stage: Stage, instance: str) -> str | None:
    """What a program on the instance would read."""
    answer = stage.site.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [instance]}])
    return next((str(tag["Value"]) for tag in answer["Tags"] if tag["Key"] == TAG), None)


async def until_tag(stage: Stage, instance: str, value: str | None) -> None:
    await eventually(lambda: tag_of(stage, instance) == value, what=f"{instance} says {value}")


def calls(stage: Stage, operation: str) -> int:
    return stage.site.aws.control.calls().get(operation, 0)


def refused(operator: Operator, action: str, result: str) -> float:
    labels = {"action": action, "result": result}
    return operator.registry.get_sample_value("seatpool_mirror_seat_tag_calls_total", labels) or 0.0


def failing(operator: Operator) -> float | None:
    """The metric of the only region. None: no tag was written yet."""
    labels = {"account": ACCOUNT, "region": REGION}
    return operator.registry.get_sample_value("seatpool_mirror_seat_tags_failing", labels)


async def test_a_seat_is_ready_on_its_instance_until_it_is_given_back(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1, deniedUsers=["eve"]))
    with stage.site.fleet() as fleet:
        async with stage.operator(mirror=stage.mirror_settings(inventory=True, seat_tag=TAG)):
            ann = fleet.start("ann")
            await until_tag(stage, ann, "ready")
            bob, eve = fleet.start("bob"), fleet.start("eve")
            await until_tag(stage, bob, "waiting")
            await until_tag(stage, eve, "denied")
            fleet.stop(ann)
            await until_tag(stage, bob, "ready")
            await until_tag(stage, ann, None)
            assert stage.host.users("matlab") == ("bob",)


async def test_a_client_that_lies_makes_nobody_ready(stage: Stage) -> None:
    stage.apply(stage.server(verifyInterval="1s"), stage.pool(seats=1))
    stage.host.faults(lie_apply=1)
    with stage.site.fleet() as fleet:
        async with stage.operator(mirror=stage.mirror_settings(inventory=True, seat_tag=TAG)):
            ann = fleet.start("ann")
            await until_tag(stage, ann, "waiting")
            for _ in range(10):
                assert tag_of(stage, ann) == "waiting"
                await asyncio.sleep(0.1)
            stage.host.faults()
            await until_tag(stage, ann, "ready")
            assert stage.host.users("matlab") == ("ann",)


async def test_a_client_that_is_slow_makes_nobody_ready_before_it_has_read_the_list_back(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    with stage.site.fleet() as fleet:
        async with stage.operator(mirror=stage.mirror_settings(inventory=True, seat_tag=TAG)):
            await stage.until_ready()
            stage.host.faults(late_apply=4)
            ann = fleet.start("ann")
            await stage.until_list(["ann"])
            await until_tag(stage, ann, "waiting")
            await until_tag(stage, ann, "ready")


async def test_tags_that_may_not_be_written_delay_no_seat_and_come_when_they_may(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    stage.site.aws.control.refuse("CreateTags", "UnauthorizedOperation", status=403, times=3)
    with stage.site.fleet() as fleet:
        async with stage.operator(mirror=stage.mirror_settings(inventory=True, seat_tag=TAG)) as operator:
            ann = fleet.start("ann")
            await eventually(lambda: failing(operator) == 1, what="the metric says that tags cannot be written")
            await stage.until_list(["ann"])
            await stage.until_ready()
            await eventually(
                lambda: refused(operator, "ec2:CreateTags", "AccessDenied") >= 1, what="a refusal is counted"
            )
            await until_tag(stage, ann, "ready")
            await eventually(lambda: failing(operator) == 0, what="the metric says that tags can be written")


async def test_after_a_restart_each_tag_is_written_once_more_and_then_rests(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    mirror = stage.mirror_settings(inventory=True, seat_tag=TAG)
    with stage.site.fleet() as fleet:
        async with stage.operator(mirror=mirror):
            ann, bob = fleet.start("ann"), fleet.start("bob")
            await until_tag(stage, ann, "ready")
            await until_tag(stage, bob, "ready")
        before = calls(stage, "CreateTags")
        async with stage.operator(mirror=mirror | {"resync_interval": "300ms"}) as operator:
            await eventually(lambda: calls(stage, "CreateTags") == before + 1, what="both are written in one call")
            await stage.until_ready()
            done = operator.registry.get_sample_value
            await eventually(
                lambda: (done("seatpool_mirror_seat_tags_open") or 0.0) == 0.0, what="nothing is left to write"
            )
            await asyncio.sleep(1.5)
            assert calls(stage, "CreateTags") == before + 1
    assert (tag_of(stage, ann), tag_of(stage, bob)) == ("ready", "ready")


async def test_without_the_setting_no_instance_is_touched(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    with stage.site.fleet() as fleet:
        async with stage.operator(mirror=stage.mirror_settings(inventory=True)):
            ann = fleet.start("ann")
            await stage.until_list(["ann"])
            await stage.until_ready()
            await asyncio.sleep(1.0)
    assert tag_of(stage, ann) is None
    assert calls(stage, "CreateTags") == 0


class WithoutInstance:
    """EC2 as it is: one instance that it does not know fails the whole call. The stand-in would take it."""

    def __init__(self, missing: str) -> None:
        self._missing = missing

    def session(self) -> boto3.Session:
        made = session()
        made.events.register("before-call.ec2.CreateTags", self._answer)
        return made

    def _answer(self, params: dict[str, Any], **_: Any) -> Any:
        if self._missing not in params["body"].values():
            return None
        refusal = {"Error": {"Code": "InvalidInstanceID.NotFound", "Message": "no"}, "ResponseMetadata": {}}
        return AWSResponse("", 400, {}, None), refusal


async def test_a_workbench_whose_instance_is_gone_keeps_no_other_from_its_tag(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=3), stage.workbench(7, "zoe"))
    ec2, mirror = WithoutInstance(instance(7)), stage.mirror_settings(inventory=True, seat_tag=TAG)
    with stage.site.fleet() as fleet:
        async with stage.operator(session_factory=ec2.session, mirror=mirror) as operator:
            ann, bob = fleet.start("ann"), fleet.start("bob")
            await until_tag(stage, ann, "ready")
            await until_tag(stage, bob, "ready")
            await eventually(
                lambda: refused(operator, "ec2:CreateTags", "Refused") >= 1, what="zoe's instance is counted"
            )
