"""Events in a real queue become objects on a real API server."""

import asyncio
import random
from datetime import timedelta

from tests.integration.mirror.conftest import ACCOUNT, Stage, ago, state_change, workbench_event
from tests.waiting import eventually

from seatpool.api.base import MANAGED_BY, format_instant
from seatpool.api.workbench import Workbench

ONE = "i-0123456789abcdef0"
TWO = "i-0123456789abcdef1"


async def test_a_custom_event_becomes_an_object_and_its_message_goes(stage: Stage) -> None:
    at = ago(5).replace(microsecond=0)
    stage.aws.send(workbench_event(ONE, "running", at, owner="ann"))
    async with stage.mirror():
        await stage.until_state(ONE, "running")
        await stage.until_handled()
        await eventually(lambda: stage.metric("deleted_total") == 1)
    found = await stage.get(ONE)
    assert found is not None
    assert found["metadata"]["labels"] == {MANAGED_BY: "seatpool-mirror"}
    assert found["spec"] == {
        "source": {"kind": "EC2", "reference": ONE},
        "instanceId": ONE,
        "account": ACCOUNT,
        "region": "eu-central-1",
        "owner": "ann",
        "type": "vew-matlab",
        "state": "running",
        "stateChangedAt": format_instant(at),
        "launchedAt": format_instant(at),
    }
    assert stage.metric("received_total", kind="workbench", outcome="actionable") == 1


async def test_raw_events_of_a_new_instance_ask_ec2_for_its_tags(stage: Stage) -> None:
    async with stage.mirror(account={"inventory": True}, resync_interval="1h") as mirror:
        await mirror.ready.wait()
        instance = stage.aws.start_instance(owner="bob", type="vew-ansys")
        stage.aws.send(state_change(instance, "pending", ago(0)), state_change(instance, "running", ago(0)))
        await stage.until_state(instance, "running")
        found = await stage.get(instance)
        assert found is not None
        assert (found["spec"]["owner"], found["spec"]["type"]) == ("bob", "vew-ansys")
        stage.aws.send(state_change(instance, "stopping", ago(-2)))
        await stage.until_state(instance, "stopping")


async def test_an_instance_without_the_tags_is_ignored_and_counted(stage: Stage) -> None:
    async with stage.mirror(account={"inventory": True}, resync_interval="1h") as mirror:
        await mirror.ready.wait()
        stranger = stage.aws.start_instance(owner=None)
        stage.aws.send(*(state_change(stranger, "running", ago(n)) for n in range(20)))
        await stage.until_handled()
        assert await stage.get(stranger) is None
        assert stage.metric("irrelevant_total", reason="untagged") >= 1
        assert stage.aws.dead_letters() == 0


async def test_raw_events_of_an_account_without_inventory_and_unknown_instances_are_counted_and_dropped(
    stage: Stage,
) -> None:
    stage.aws.send(state_change(ONE, "running", ago(1)))
    async with stage.mirror():
        await stage.until_handled()
        assert stage.metric("irrelevant_total", reason="events_only") == 1
        assert await stage.get(ONE) is None


async def test_a_raw_event_moves_an_object_that_a_custom_event_made(stage: Stage) -> None:
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", ago(60)))
        await stage.until_state(ONE, "running")
        stage.aws.send(state_change(ONE, "stopping", ago(1)))
        await stage.until_state(ONE, "stopping")


async def test_duplicates_late_and_swapped_events_end_in_the_newest_state(stage: Stage) -> None:
    states = ["running", "stopped"] * 6
    expected = {}
    events = []
    for number in range(12):
        instance = f"i-{number:017x}"
        history = states[: number + 1]
        expected[instance] = history[-1]
        events += [workbench_event(instance, state, ago(600 - 10 * n)) for n, state in enumerate(history)]
    events += events[::3]
    random.Random(7).shuffle(events)
    stage.aws.send(*events)
    async with stage.mirror():
        await stage.until_handled()
        assert {instance: await stage.state(instance) for instance in expected} == expected


async def test_a_duplicate_writes_nothing(stage: Stage) -> None:
    event = workbench_event(ONE, "running", ago(60))
    async with stage.mirror():
        stage.aws.send(event)
        await stage.until_state(ONE, "running")
        before = await stage.get(ONE)
        stage.aws.send(event, event, event)
        await eventually(lambda: stage.metric("deleted_total") == 4)
        assert await stage.get(ONE) == before


async def test_other_peoples_labels_and_status_survive_a_change_of_state(stage: Stage) -> None:
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", ago(60)))
        await stage.until_state(ONE, "running")
        await stage.kube.merge_patch(Workbench, stage.namespace, ONE, {"metadata": {"labels": {"team": "cfd"}}})
        await stage.kube.apply(Workbench, stage.namespace, ONE, {"status": {"observedGeneration": 1}}, status=True)
        stage.aws.send(workbench_event(ONE, "stopped", ago(1)))
        await stage.until_state(ONE, "stopped")
        found = await stage.get(ONE)
    assert found is not None
    assert found["metadata"]["labels"]["team"] == "cfd"
    assert found["status"]["observedGeneration"] == 1


async def test_an_object_that_a_person_wrote_is_left_alone(stage: Stage) -> None:
    by_hand = {
        "metadata": {"name": ONE},
        "spec": {
            "instanceId": ONE,
            "account": ACCOUNT,
            "region": "eu-central-1",
            "owner": "carol",
            "type": "vew-matlab",
            "state": "running",
            "stateChangedAt": "2020-01-01T00:00:00Z",
        },
    }
    written = await stage.kube.create(Workbench, stage.namespace, by_hand)
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "terminated", ago(1)))
        await stage.until_handled()
        assert stage.metric("handled_total", result="hand_written") == 1
    assert await stage.get(ONE) == written


async def test_a_terminated_instance_stays_as_a_tombstone_for_a_while_and_late_events_do_not_wake_it(
    stage: Stage,
) -> None:
    async with stage.mirror(terminated_retention="1500ms", max_event_delay="1500ms"):
        stage.aws.send(workbench_event(ONE, "running", ago(0)))
        await stage.until_state(ONE, "running")
        stage.aws.send(workbench_event(ONE, "terminated", ago(-20)))
        await stage.until_state(ONE, "terminated")
        stage.aws.send(workbench_event(ONE, "running", ago(-30)))
        await stage.until_handled()
        assert await stage.state(ONE) == "terminated"
        await stage.until_state(ONE, None)
        stage.aws.send(workbench_event(ONE, "running", ago(-30)))
        await stage.until_handled()
        assert await stage.state(ONE) is None


async def test_an_object_that_was_deleted_by_hand_comes_back_with_the_next_event(stage: Stage) -> None:
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", ago(60)))
        await stage.until_state(ONE, "running")
        await stage.kube.delete(Workbench, stage.namespace, ONE)
        stage.aws.send(workbench_event(ONE, "running", ago(1)))
        await stage.until_state(ONE, "running")


async def test_a_restarted_mirror_still_knows_what_is_newer(stage: Stage) -> None:
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "stopped", ago(10)))
        await stage.until_state(ONE, "stopped")
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", ago(20)))
        await eventually(lambda: stage.metric("handled_total", result="older") == 1)
        assert await stage.state(ONE) == "stopped"


async def test_two_mirrors_on_one_queue_agree(stage: Stage) -> None:
    events = [
        workbench_event(f"i-{n % 20:017x}", "running" if step % 2 == 0 else "stopped", ago(500 - step))
        for step in range(5)
        for n in range(20)
    ]
    random.Random(3).shuffle(events)
    async with stage.mirror(), stage.mirror():
        stage.aws.send(*events)
        await stage.until_handled()
        states = await asyncio.gather(*(stage.state(f"i-{n:017x}") for n in range(20)))
    assert states == ["running"] * 20


async def test_events_of_accounts_that_are_not_configured_reach_no_object(stage: Stage) -> None:
    stage.aws.send(workbench_event(TWO, "running", ago(1) - timedelta(seconds=1), account="999999999999"))
    async with stage.mirror():
        await eventually(lambda: stage.aws.dead_letters() == 1)
        assert stage.metric("malformed_total", flaw="unknown_account") >= 1
        assert await stage.get(TWO) is None
