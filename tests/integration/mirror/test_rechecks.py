"""Tags that change, Spot instances that are taken back, groups that shrink: each makes EC2 be asked and frees nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.integration.mirror.conftest import ACCOUNT, REGION, Body, Stage, ago, state_change
from tests.waiting import eventually

OWNER = "vew:workbench:ownerId"
SPOT = "EC2 Spot Instance Interruption Warning"


def envelope(source: str, detail_type: str, at: datetime, detail: Body, *resources: str) -> Body:
    event = state_change("i-0123456789abcdef0", "running", at)
    return event | {"source": source, "detail-type": detail_type, "detail": detail, "resources": list(resources)}


def tag_change(instance: str, *keys: str, at: datetime | None = None) -> Body:
    detail = {"changed-tag-keys": list(keys), "service": "ec2", "resource-type": "instance", "version": 3, "tags": {}}
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}"
    return envelope("aws.tag", "Tag Change on Resource", at or ago(0), detail, arn)


def interruption(instance: str, at: datetime) -> Body:
    return envelope("aws.ec2", SPOT, at, {"instance-id": instance, "instance-action": "terminate"})


def asked(stage: Stage, **changes: Any) -> Any:
    """A mirror whose inventory does not come in between."""
    return stage.mirror(account={"inventory": True}, resync_interval="1h", **changes)


def questions(stage: Stage) -> int:
    return stage.gate.calls.get((ACCOUNT, REGION, "DescribeInstances"), 0)


async def test_a_workbench_changes_hands_while_it_runs(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": OWNER, "Value": "bob"}])
        stage.aws.send(tag_change(instance, OWNER))
        await stage.until_owner(instance, "bob")
        assert await stage.state(instance) == "running"
        assert stage.metric("received_total", kind="tag_change", outcome="askable") == 1


async def test_an_owner_that_changes_in_the_lag_after_another_event_is_not_lost(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage, describe_lag="1s") as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": OWNER, "Value": "bob"}])
        stage.aws.send(tag_change(instance, OWNER, at=ago(1)), state_change(instance, "running", ago(-1)))
        await stage.until_owner(instance, "bob")
        assert stage.aws.dead_letters() == 0


async def test_a_stranger_that_gets_the_tags_is_a_workbench_at_once(stage: Stage) -> None:
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        instance = stage.aws.start_instance(owner=None)
        stage.aws.send(state_change(instance, "running", ago(0)))
        await stage.until_handled()
        stage.aws.client("ec2").create_tags(Resources=[instance], Tags=[{"Key": OWNER, "Value": "ann"}])
        stage.aws.send(tag_change(instance, OWNER))
        await stage.until_state(instance, "running")


async def test_tags_that_were_taken_away_leave_owner_and_seat_while_it_runs(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").delete_tags(Resources=[instance], Tags=[{"Key": OWNER}])
        stage.aws.send(tag_change(instance, OWNER))
        await stage.until_handled()
        assert (await stage.owner(instance), await stage.state(instance)) == ("ann", "running")


async def test_a_spot_warning_frees_nothing_and_asks_when_the_two_minutes_are_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.mirror.messages.spot_interruption.NOTICE", timedelta(seconds=2))
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        before = questions(stage)
        stage.aws.send(interruption(instance, ago(0)))
        await eventually(lambda: stage.metric("handled_total", result="later") == 1)
        assert (await stage.state(instance), questions(stage)) == ("running", before)
        stage.aws.client("ec2").terminate_instances(InstanceIds=[instance])  # and its own event is lost
        await stage.until_state(instance, "terminated")
        await stage.until_handled()


async def test_a_spot_warning_that_comes_to_nothing_frees_nothing(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        stage.aws.send(interruption(instance, ago(300)))
        await stage.until_handled()
        assert await stage.state(instance) == "running"


@pytest.mark.parametrize(
    "detail_type", ["EC2 Instance-terminate Lifecycle Action", "EC2 Instance Terminate Successful"]
)
async def test_an_instance_that_a_group_ended_is_seen_although_its_own_event_was_lost(
    stage: Stage, detail_type: str
) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").terminate_instances(InstanceIds=[instance])
        stage.aws.send(envelope("aws.autoscaling", detail_type, ago(180), {"EC2InstanceId": instance}))
        await stage.until_state(instance, "terminated")


async def test_a_group_of_strangers_that_shrinks_costs_no_question(stage: Stage) -> None:
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        before = questions(stage)
        stage.aws.send(*(interruption(f"i-{n:017x}", ago(0)) for n in range(30)))
        await stage.until_handled()
        assert questions(stage) == before
        assert stage.metric("irrelevant_total", reason="not_held") == 30


async def test_a_hint_about_an_instance_that_ec2_does_not_show_frees_nothing(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        stage.vanish(instance)
        stage.aws.send(interruption(instance, ago(300)))
        await stage.until_handled()
        assert stage.metric("irrelevant_total", reason="no_such_instance") == 1
        assert await stage.state(instance) == "running"


async def test_an_account_that_may_not_be_asked_drops_hints_and_says_so(stage: Stage) -> None:
    async with stage.mirror() as mirror:
        await mirror.ready.wait()
        stage.aws.send(tag_change("i-0123456789abcdef0", OWNER))
        await stage.until_handled()
        assert stage.metric("irrelevant_total", reason="events_only") == 1
