"""An event that comes late, or is about an instance that nobody knows, is checked with EC2 before it counts."""

from datetime import UTC, datetime
from typing import Any

from tests.integration.mirror.conftest import ACCOUNT, REGION, Stage, ago, state_change, workbench_event
from tests.waiting import eventually

ONE = "i-0123456789abcdef0"
DAYS = 3 * 86_400


def asked(stage: Stage, **changes: Any) -> Any:
    """A mirror whose inventory does not come in between."""
    return stage.mirror(account={"inventory": True}, resync_interval="1h", **changes)


def questions(stage: Stage) -> int:
    return stage.gate.calls.get((ACCOUNT, REGION, "DescribeInstances"), 0)


async def test_a_late_start_of_an_unknown_instance_starts_nothing_where_ec2_may_not_be_asked(stage: Stage) -> None:
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", ago(DAYS)))
        await stage.until_handled(seconds=60)
        assert await stage.get(ONE) is None
        assert stage.metric("irrelevant_total", reason="too_late") == 1


async def test_how_late_an_event_may_be_is_a_setting(stage: Stage) -> None:
    async with stage.mirror(max_event_delay="7d"):
        stage.aws.send(workbench_event(ONE, "running", ago(DAYS)))
        await stage.until_state(ONE, "running")


async def test_a_late_start_wakes_no_workbench_that_has_stopped_and_a_late_end_counts(stage: Stage) -> None:
    two = "i-0123456789abcdef1"
    async with stage.mirror(max_event_delay="7d"):
        stage.aws.send(workbench_event(ONE, "stopped", ago(2 * DAYS)), workbench_event(two, "running", ago(2 * DAYS)))
        await stage.until_state(ONE, "stopped")
        await stage.until_state(two, "running")
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", ago(DAYS)), workbench_event(two, "stopped", ago(DAYS)))
        await stage.until_state(two, "stopped")
        await stage.until_handled(seconds=60)
        assert await stage.state(ONE) == "stopped"


async def test_a_late_start_of_an_instance_that_is_long_gone_starts_nothing(stage: Stage) -> None:
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        stage.aws.send(workbench_event(ONE, "running", ago(DAYS)))
        await stage.until_handled(seconds=60)
        assert await stage.get(ONE) is None
        assert stage.metric("irrelevant_total", reason="no_such_instance") == 1


async def test_a_late_start_of_an_instance_that_runs_counts_by_ec2s_word(stage: Stage) -> None:
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        instance = stage.aws.start_instance(owner="ann")
        stage.aws.send(workbench_event(instance, "running", ago(DAYS), owner="somebody-else"))
        await stage.until_owner(instance, "ann")


async def test_what_ended_stays_ended_over_a_restart(stage: Stage) -> None:
    for changes in ({"max_event_delay": "1s"}, {"account": {"inventory": True}}):
        async with stage.mirror(terminated_retention="500ms", **changes) as mirror:
            await mirror.ready.wait()
            stage.aws.send(workbench_event(ONE, "terminated", ago(0)), workbench_event(ONE, "running", ago(0)))
            await stage.until_handled(seconds=60)
            await stage.until_state(ONE, None)
        async with stage.mirror(**changes) as mirror:
            await mirror.ready.wait()
            stage.aws.send(workbench_event(ONE, "running", ago(7200)))
            await stage.until_handled(seconds=60)
            assert await stage.get(ONE) is None


async def test_where_ec2_may_not_be_asked_a_tombstone_outlives_what_may_come_late(stage: Stage) -> None:
    async with stage.mirror(terminated_retention="100ms") as mirror:
        await mirror.ready.wait()
        stage.aws.send(workbench_event(ONE, "terminated", ago(1)))
        await stage.until_state(ONE, "terminated")
    async with stage.mirror(terminated_retention="100ms") as mirror:
        await mirror.ready.wait()
        stage.aws.send(workbench_event(ONE, "running", ago(600)))
        await stage.until_handled(seconds=60)
        assert await stage.state(ONE) == "terminated"


async def test_an_event_of_an_unknown_instance_is_checked_although_it_names_the_owner(stage: Stage) -> None:
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        instance, ended = stage.aws.start_instance(owner="ann"), stage.aws.start_instance(owner="bob")
        stage.aws.client("ec2").terminate_instances(InstanceIds=[ended])
        before = questions(stage)
        stage.aws.send(workbench_event(instance, "running", ago(0)), workbench_event(ended, "running", ago(1)))
        await stage.until_owner(instance, "ann")
        await stage.until_handled(seconds=60)
        assert await stage.state(ended) in (None, "terminated")
        assert questions(stage) > before


async def test_an_outage_of_ec2_delays_no_fresh_start_that_names_the_owner(stage: Stage) -> None:
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        instance = stage.aws.start_instance(owner="ann")
        with stage.gate.trouble(operation="DescribeInstances", code="UnauthorizedOperation"):
            stage.aws.send(workbench_event(instance, "running", ago(1)))
            await stage.until_state(instance, "running")


async def test_a_late_end_of_an_instance_that_ec2_has_forgotten_counts(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage) as mirror:
        await mirror.ready.wait()
        stage.vanish(instance)
        stage.aws.send(state_change(instance, "terminated", ago(7200)))
        await stage.until_state(instance, "terminated")


async def test_an_event_of_the_future_counts_as_of_now_and_is_told(stage: Stage) -> None:
    two = "i-0123456789abcdef1"
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", datetime(2099, 1, 1, tzinfo=UTC)))
        await stage.until_state(ONE, "running")
        found = await stage.get(ONE)
        assert found is not None
        assert found["spec"]["stateChangedAt"] < "2099"
        stage.aws.send(workbench_event(ONE, "stopped", ago(-1)), workbench_event(two, "running", ago(1)))
        await stage.until_state(ONE, "stopped")
        await eventually(lambda: stage.metric("future_times_total", found_in="event") == 1)
        assert stage.aws.dead_letters() == 0


async def test_an_event_of_the_future_is_checked_with_ec2(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann")
    async with asked(stage, describe_lag="15s") as mirror:
        await mirror.ready.wait()
        stage.aws.send(state_change(instance, "stopped", datetime(2099, 1, 1, tzinfo=UTC)))
        await stage.until_handled(seconds=60)
        assert await stage.state(instance) == "running"
