"""The inventory repairs what events lost, and never takes a seat on a doubtful answer."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import boto3
import pytest
from structlog.testing import capture_logs
from tests.integration.mirror.conftest import ACCOUNT, REGION, Faults, Stage, ago, workbench_event
from tests.waiting import PATIENCE, eventually

from seatpool.api.workbench import Workbench

OWNER, TYPE = "vew:workbench:ownerId", "vew:workbench:type"
ELSEWHERE = "eu-west-1"
OTHER_ACCOUNT = "111122223333"


async def completed(stage: Stage, count: float = 1, *, region: str = REGION) -> None:
    """Wait for so many more complete inventories."""
    wanted = stage.metric("inventories_total", account=ACCOUNT, region=region, result="Complete") + count
    await eventually(
        lambda: stage.metric("inventories_total", account=ACCOUNT, region=region, result="Complete") >= wanted
    )


def with_inventory(stage: Stage, faults: Faults | None = None, **changes: Any) -> Any:
    changes["account"] = {"inventory": True} | changes.get("account", {})
    factory = faults.session_factory(stage.aws) if faults is not None else None
    return stage.mirror(session_factory=factory, **changes)


async def test_it_finds_what_runs_before_it_calls_itself_ready(stage: Stage) -> None:
    instances = [stage.aws.start_instance(owner=f"user{n}") for n in range(7)]
    stage.aws.start_instance(owner=None)
    async with with_inventory(stage, queue=None, inventory_page=5) as mirror:
        assert mirror.health.waiting_for == (f"{ACCOUNT}/{REGION}",)
        await asyncio.wait_for(mirror.ready.wait(), PATIENCE)
        assert mirror.health.waiting_for == ()
        assert mirror.health.inventories[0].fresh
        assert [await stage.state(instance) for instance in instances] == ["running"] * 7
        assert stage.metric("objects") == 7
        assert stage.metric("resync_corrections_total", direction="created") == 7


async def test_lost_events_are_repaired_and_counted(stage: Stage) -> None:
    ec2 = stage.aws.client("ec2")
    stopped, started, retagged, ended = (stage.aws.start_instance(owner=name) for name in ("a", "b", "c", "d"))
    ec2.stop_instances(InstanceIds=[started])
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()
        assert await stage.state(started) == "stopped"
        ec2.stop_instances(InstanceIds=[stopped])
        ec2.start_instances(InstanceIds=[started])
        ec2.create_tags(Resources=[retagged], Tags=[{"Key": "vew:workbench:ownerId", "Value": "carol"}])
        ec2.terminate_instances(InstanceIds=[ended])
        await completed(stage, 2)
        assert await stage.state(stopped) == "stopped"
        assert await stage.state(started) == "running"
        assert await stage.state(ended) == "terminated"
        found = await stage.get(retagged)
        assert found is not None
        assert found["spec"]["owner"] == "carol"
        assert stage.metric("resync_corrections_total", direction="activated") == 1
        assert stage.metric("resync_corrections_total", direction="deactivated") == 2
        assert stage.metric("resync_corrections_total", direction="changed") == 1


async def test_nothing_is_written_when_nothing_changed(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()
        before = await stage.get(instance)
        await completed(stage, 2)
        assert await stage.get(instance) == before


async def test_an_answer_that_may_lag_behind_an_event_does_not_undo_it(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with with_inventory(stage, describe_lag="1m") as mirror:
        await mirror.ready.wait()
        stage.aws.send(workbench_event(instance, "stopped", ago(1)))
        await stage.until_state(instance, "stopped")
        await completed(stage, 2)
        assert await stage.state(instance) == "stopped"


@pytest.mark.parametrize(
    ("code", "reason"),
    [("UnauthorizedOperation", "AccessDenied"), ("RequestLimitExceeded", "Throttled"), ("InternalError", "AWSError")],
)
async def test_a_failed_inventory_changes_nobody_and_says_since_when(stage: Stage, code: str, reason: str) -> None:
    faults = Faults()
    instance = stage.aws.start_instance(owner="ann")
    async with with_inventory(stage, faults) as mirror:
        await mirror.ready.wait()
        before = await stage.get(instance)
        faults.code = code
        stage.vanish(instance)
        await eventually(lambda: not mirror.health.inventories[0].fresh)
        calls = faults.calls
        await eventually(lambda: faults.calls >= calls + 2)
        stale = mirror.health.inventories[0]
        assert stale.reason == reason
        assert stale.last_complete is not None
        assert stale.since > stale.last_complete
        assert await stage.get(instance) == before
        assert stage.metric("inventory_fresh", account=ACCOUNT, region=REGION) == 0


async def test_access_that_comes_back_needs_no_hand_and_another_region_never_noticed(stage: Stage) -> None:
    here, there = stage.aws.start_instance(owner="ann"), stage.aws.start_instance(owner="bob", region=ELSEWHERE)
    faults = Faults(code="UnauthorizedOperation")
    regions = {"regions": [REGION, ELSEWHERE]}

    def only_here(**keys: Any) -> Any:
        return faults._answer(**keys) if REGION in str(keys["context"]["client_region"]) else None

    def factory() -> boto3.Session:
        session = stage.aws.session()
        session.events.register("before-call.ec2.DescribeInstances", only_here)
        return session

    async with stage.mirror(account={"inventory": True} | regions, session_factory=factory) as mirror:
        await mirror.ready.wait()
        assert mirror.health.waiting_for == (f"{ACCOUNT}/{REGION}",)
        assert await stage.state(there) == "running"
        assert await stage.state(here) is None
        faults.code = None
        await stage.until_state(here, "running")
        await eventually(lambda: mirror.health.waiting_for == ())


async def test_half_an_inventory_is_none(stage: Stage) -> None:
    faults = Faults()
    instances = [stage.aws.start_instance(owner=f"user{n}") for n in range(8)]
    async with with_inventory(stage, faults, inventory_page=5) as mirror:
        await mirror.ready.wait()
        faults.code, faults.only_from_page = "InternalError", 2
        calls = faults.calls
        await eventually(lambda: faults.calls >= calls + 6)
        assert not mirror.health.inventories[0].fresh
        assert [await stage.state(instance) for instance in instances] == ["running"] * 8


async def test_an_empty_inventory_is_not_believed_while_there_are_active_workbenches(stage: Stage) -> None:
    faults = Faults()
    instance = stage.aws.start_instance(owner="ann")
    async with with_inventory(stage, faults) as mirror:
        await mirror.ready.wait()
        faults.empty = 10_000
        await eventually(lambda: mirror.health.inventories[0].reason == "EmptyInventoryHeld")
        calls = faults.calls
        await eventually(lambda: faults.calls >= calls + 6)
        assert await stage.state(instance) == "running"
        faults.empty = 0
        await eventually(lambda: mirror.health.inventories[0].fresh)
        assert await stage.state(instance) == "running"


async def test_an_instance_that_vanished_goes_after_two_inventories_and_ec2s_own_word(stage: Stage) -> None:
    faults = Faults()
    stays, goes = stage.aws.start_instance(owner="ann"), stage.aws.start_instance(owner="bob")
    async with with_inventory(stage, faults) as mirror:
        await mirror.ready.wait()
        faults.code, faults.only_by_id = "UnauthorizedOperation", True
        stage.vanish(goes)
        await eventually(lambda: mirror.health.inventories[0].reason == "AccessDenied")
        assert await stage.state(goes) == "running"
        faults.code = None
        await stage.until_state(goes, None)
        assert await stage.state(stays) == "running"
        assert stage.metric("resync_corrections_total", direction="removed") == 1
        assert stage.metric("inventories_total", account=ACCOUNT, region=REGION, result="Complete") >= 2


async def test_of_those_that_vanished_whoever_holds_a_seat_is_asked_for_first(stage: Stage) -> None:
    faults = Faults()
    stay, *stopped, active = (stage.aws.start_instance(owner=f"user{n}") for n in range(15))
    stage.aws.client("ec2").stop_instances(InstanceIds=stopped)
    async with with_inventory(stage, faults) as mirror:
        await mirror.ready.wait()
        stage.vanish(active)
        stage.vanish(*stopped)
        for instance in (*stopped, active):
            await stage.until_state(instance, None)
        assert await stage.state(stay) == "running"
    assert faults.asked_by_id[0] == active
    assert set(faults.asked_by_id) == {*stopped, active}


async def test_an_instance_whose_tags_were_taken_away_while_it_runs_keeps_its_object(stage: Stage) -> None:
    instance, other = stage.aws.start_instance(owner="ann"), stage.aws.start_instance(owner="bob")
    ec2 = stage.aws.client("ec2")
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()
        ec2.delete_tags(Resources=[instance], Tags=[{"Key": "vew:workbench:ownerId"}])
        await completed(stage, 3)
        assert await stage.state(instance) == "running"
        ec2.stop_instances(InstanceIds=[instance])
        await stage.until_state(instance, "stopped")
        assert await stage.state(other) == "running"


async def test_credentials_of_another_account_are_found_out(stage: Stage) -> None:
    stage.aws.start_instance(owner="ann")
    async with with_inventory(stage, account={"account": "999999999999"}) as mirror:
        await mirror.ready.wait()
        entry = mirror.health.inventories[0]
        assert entry.reason == "WrongAccount"
        assert f"belong to {ACCOUNT}" in entry.message
        assert stage.metric("objects") == 0


async def test_an_account_is_read_through_its_role(stage: Stage) -> None:
    role = f"arn:aws:iam::{OTHER_ACCOUNT}:role/seatpool-reader"
    answer = stage.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="site")["Credentials"]
    there = boto3.client(
        "ec2",
        region_name=REGION,
        endpoint_url=stage.aws.endpoint,
        aws_access_key_id=answer["AccessKeyId"],
        aws_secret_access_key=answer["SecretAccessKey"],
        aws_session_token=answer["SessionToken"],
    )
    tags = [{"Key": "vew:workbench:ownerId", "Value": "dora"}, {"Key": "vew:workbench:type", "Value": "vew-matlab"}]
    started = there.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    account = {"account": OTHER_ACCOUNT, "role_arn": role, "external_id": "seatpool-7"}
    async with with_inventory(stage, account=account) as mirror:
        await mirror.ready.wait()
        found = await stage.get(started["Instances"][0]["InstanceId"])
    assert found is not None
    assert (found["spec"]["account"], found["spec"]["owner"]) == (OTHER_ACCOUNT, "dora")


async def test_an_account_without_inventory_is_shown_as_living_by_events_alone(stage: Stage) -> None:
    async with stage.mirror() as mirror:
        await asyncio.wait_for(mirror.ready.wait(), PATIENCE)
        entry = mirror.health.inventories[0]
        assert (entry.enabled, entry.reason) == (False, "EventsOnly")


async def test_an_instance_of_which_ec2_says_nothing_does_not_stop_the_inventories_and_goes_in_the_end(
    stage: Stage,
) -> None:
    """Some answers are 200 with an empty list, where a refusal is documented (aws-sdk-ruby#985)."""
    faults = Faults(silent_by_id=True)
    stays, goes = stage.aws.start_instance(owner="ann"), stage.aws.start_instance(owner="bob")
    async with with_inventory(stage, faults) as mirror:
        await mirror.ready.wait()
        stage.vanish(goes)
        await completed(stage, 3)
        assert await stage.state(goes) == "running"
        await stage.until_state(goes, None)
        assert await stage.state(stays) == "running"
        assert mirror.health.inventories[0].fresh


async def test_an_inventory_that_hangs_is_stale_by_its_age_and_goes_on_when_it_is_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.mirror.config.LEAST_INVENTORY_LIMIT", timedelta(seconds=2))
    faults = Faults()
    instance = stage.aws.start_instance(owner="ann")
    async with with_inventory(stage, faults) as mirror:
        await mirror.ready.wait()
        # On a busy machine the first one may take longer than the limit, too.
        await eventually(lambda: stage.metric("inventory_fresh", account=ACCOUNT, region=REGION) == 1)
        faults.hangs = threading.Event()
        await eventually(lambda: not mirror.health.inventories[0].fresh)
        assert stage.metric("inventory_fresh", account=ACCOUNT, region=REGION) == 0
        assert mirror.health.inventories[0].reason in ("Overdue", "TimedOut")
        assert await stage.state(instance) == "running"
        over, faults.hangs = faults.hangs, None
        over.set()
        await eventually(lambda: mirror.health.inventories[0].fresh)


async def test_a_bug_in_an_inventory_makes_it_stale(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()

        def fail(*_: object) -> None:
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr("seatpool.mirror.ec2.instances.Ec2Reader.list_workbenches", fail)
        await eventually(lambda: not mirror.health.inventories[0].fresh)
        assert mirror.health.inventories[0].reason == "UnexpectedError"
        assert "ZeroDivisionError: a bug" in mirror.health.inventories[0].message


async def test_many_that_vanished_are_confirmed_with_few_requests_at_once(stage: Stage) -> None:
    faults = Faults()
    stay, *gone = (stage.aws.start_instance(owner=f"user{n}") for n in range(81))
    async with with_inventory(stage, faults, resync_interval="2s") as mirror:
        await mirror.ready.wait()
        faults.unknown = frozenset(gone)
        stage.vanish(*gone)
        await eventually(lambda: stage.metric("resync_corrections_total", direction="removed") == 80)
        assert faults.requests_by_id <= 2
        assert stage.metric("objects") == 1
        assert await stage.state(stay) == "running"


async def test_an_instance_that_lost_both_tags_is_no_workbench_any_more(stage: Stage) -> None:
    instance, other = stage.aws.start_instance(owner="ann"), stage.aws.start_instance(owner="bob")
    ec2 = stage.aws.client("ec2")
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()
        ec2.delete_tags(Resources=[instance], Tags=[{"Key": OWNER}, {"Key": TYPE}])
        await stage.until_state(instance, None)
        assert stage.metric("resync_corrections_total", direction="untagged") == 1
        assert await stage.state(other) == "running"
        ec2.create_tags(
            Resources=[instance], Tags=[{"Key": OWNER, "Value": "eve"}, {"Key": TYPE, "Value": "vew-ansys"}]
        )
        await stage.until_owner(instance, "eve")


async def test_when_most_lose_their_tags_at_once_nobody_is_released(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.mirror.inventory.inventory.MANY", 3)
    stay, *untagged = (stage.aws.start_instance(owner=f"user{n}") for n in range(4))
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").delete_tags(Resources=untagged, Tags=[{"Key": OWNER}, {"Key": TYPE}])
        await eventually(lambda: mirror.health.inventories[0].reason == "LostTagsHeld")
        assert "3 of 4 active workbenches have lost the tags" in mirror.health.inventories[0].message
        await eventually(
            lambda: stage.metric("inventories_total", account=ACCOUNT, region=REGION, result="LostTagsHeld") >= 2
        )
        assert [await stage.state(instance) for instance in (stay, *untagged)] == ["running"] * 4


async def test_a_fresh_installation_whose_tags_match_nothing_says_what_it_sees(stage: Stage) -> None:
    tags = [{"Key": "Owner", "Value": "ann"}, {"Key": "Name", "Value": "cad-1"}]
    for count in (3, 2):
        stage.aws.client("ec2").run_instances(
            ImageId="ami-12c6146b", MinCount=count, MaxCount=count,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags[: count - 1]}],
        )  # fmt: skip
    with capture_logs() as lines:
        async with with_inventory(stage) as mirror:
            await mirror.ready.wait()
            await completed(stage, 2)
            seen = mirror.health.inventories[0].seen_instead
            assert seen == "5 instances, commonest tag keys: 'Owner' (5), 'Name' (3)"
            assert mirror.health.tags == f"both tags {OWNER} and {TYPE}"
            told = [line for line in lines if line["event"] == "no instance has the tags"]
            assert [line["seen"] for line in told] == [seen]
            stage.aws.start_instance(owner="bob")
            await eventually(lambda: not mirror.health.inventories[0].seen_instead)


async def test_a_time_of_the_future_in_an_object_is_mended_by_the_next_inventory(stage: Stage) -> None:
    stopped, gone, other = (stage.aws.start_instance(owner=name) for name in ("ann", "bob", "cem"))
    async with with_inventory(stage) as mirror:
        await mirror.ready.wait()
    far = {"spec": {"stateChangedAt": "2099-01-01T00:00:00Z"}}
    for instance in (stopped, gone):
        await stage.kube.merge_patch(Workbench, stage.namespace, instance, far)
    stage.aws.client("ec2").stop_instances(InstanceIds=[stopped])
    stage.vanish(gone)
    with capture_logs() as lines:
        async with with_inventory(stage) as mirror:
            await stage.until_state(stopped, "stopped")
            await stage.until_state(gone, None)
            assert await stage.state(other) == "running"
            assert stage.metric("future_times_total", found_in="object") >= 1
    assert "time of the future not believed" in [line["event"] for line in lines]
