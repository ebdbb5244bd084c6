"""What is broken outside stays outside: bad messages, a missing queue, an API server that does not answer."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.integration.mirror.conftest import (
    ACCOUNT,
    REGION,
    Faults,
    Stage,
    Wire,
    ago,
    eventually,
    state_change,
    workbench_event,
)
from tests.waiting import PATIENCE

from seatpool.kube.client import KubeClient

ONE = "i-0123456789abcdef0"
TWO = "i-0123456789abcdef1"


def bad_messages() -> list[Any]:
    good = workbench_event(ONE, "running", ago(1))
    return [
        "not json",
        '{"source": "vew.workbench", "source": "aws.ec2"}',
        good | {"account": "999999999999"},
        {name: value for name, value in good.items() if name != "time"},
        workbench_event(ONE, "sleeping", ago(1)),
        good | {"detail": good["detail"] | {"instance-id": "$(touch /tmp/owned)"}},
    ]


async def test_bad_messages_are_in_the_dead_letter_queue_within_seconds_and_good_ones_do_not_wait(stage: Stage) -> None:
    bad = bad_messages()
    with capture_logs() as lines:
        async with stage.mirror(visibility="30s", receivers=1):
            stage.aws.send(*bad, workbench_event(TWO, "running", ago(1)))
            await stage.until_state(TWO, "running")  # each wait is shorter than the visibility
            await eventually(lambda: stage.aws.dead_letters() == len(bad))
            assert await stage.get(ONE) is None
            assert stage.metric("malformed_total", flaw="not_json") == 1
            await eventually(lambda: stage.metric("parked_total", reason="not_json") == 1)
    told = [line["detail"] for line in lines if line["event"] == "bad message"]
    assert len(told) == len(bad)
    assert any("field workbench-state: 'sleeping' is not one of" in detail for detail in told)


async def test_a_storm_of_bad_messages_makes_tens_of_lines(stage: Stage) -> None:
    with capture_logs() as lines:
        async with stage.mirror(receivers=1):  # moto loses its head when two receives move messages at once
            stage.aws.send(*["not json"] * 50, *[workbench_event(ONE, "sleeping", ago(1))] * 50)
            await eventually(lambda: stage.aws.dead_letters() == 100)
    assert 2 <= len([line for line in lines if line["event"] == "bad message"]) <= 10
    assert len(lines) < 20


async def test_without_a_dead_letter_queue_a_bad_message_goes_after_a_few_receives(stage: Stage) -> None:
    queue = f"{stage.aws.queue}-plain"
    url = stage.aws.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
    stage.aws.queue_url = url
    with capture_logs() as lines:
        async with stage.mirror(queue=queue) as mirror:
            stage.aws.send("not json")
            await stage.until_handled()
            assert mirror.health.events.redrive is False
            assert stage.metric("received_total", kind="unknown", outcome="malformed") == 5
    assert "no dead-letter queue" in [line["event"] for line in lines]


async def test_a_queue_that_is_missing_is_told_and_used_when_it_appears(stage: Stage) -> None:
    queue = f"{stage.aws.queue}-late"
    async with stage.mirror(queue=queue) as mirror:
        await eventually(lambda: mirror.health.events.reason == "QueueMissing")
        since = mirror.health.events.since
        assert not mirror.health.events.connected
        assert "check mirror.queue" in mirror.health.events.message
        stage.aws.queue_url = stage.aws.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
        stage.aws.send(workbench_event(ONE, "running", ago(1)))
        await stage.until_state(ONE, "running")
        assert mirror.health.events.connected
        assert mirror.health.events.since > since


@pytest.mark.parametrize("how", ["url", "arn"])
async def test_a_queue_is_found_by_url_and_by_arn(stage: Stage, how: str) -> None:
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{stage.aws.queue}"
    stage.aws.send(workbench_event(ONE, "running", ago(1)))
    async with stage.mirror(queue=stage.aws.queue_url if how == "url" else arn):
        await stage.until_state(ONE, "running")


async def test_while_the_api_server_is_away_a_message_is_kept_and_then_handled(
    stage: Stage, wire: Wire, kube_by_wire: KubeClient
) -> None:
    async with stage.mirror(kube=kube_by_wire) as mirror:
        await mirror.ready.wait()
        wire.cut()
        stage.aws.send(workbench_event(ONE, "running", ago(1)))
        await eventually(lambda: mirror.health.kubernetes.reason == "Unavailable")
        await asyncio.sleep(2.5)  # longer than the visibility timeout: it must not come back and be counted up
        assert stage.aws.left_in_queue() == 1
        assert await stage.get(ONE) is None
        await wire.mend()
        await stage.until_state(ONE, "running")
        await stage.until_handled()
        assert mirror.health.kubernetes.ok
        assert stage.metric("received_total", kind="workbench", outcome="actionable") == 1
        assert stage.aws.dead_letters() == 0


async def test_a_mirror_that_starts_before_the_api_server_waits_for_it(
    stage: Stage, wire: Wire, kube_by_wire: KubeClient
) -> None:
    wire.cut()
    async with stage.mirror(kube=kube_by_wire) as mirror:
        await eventually(lambda: mirror.health.kubernetes.reason == "Unavailable")
        assert not mirror.ready.is_set()
        await wire.mend()
        await asyncio.wait_for(mirror.ready.wait(), PATIENCE)


async def test_a_namespace_that_is_missing_keeps_its_messages_and_holds_up_nobody_else(stage: Stage) -> None:
    other = {"account": "111122223333", "regions": [REGION], "namespace": "absent", "inventory": False}
    here = {"account": ACCOUNT, "regions": [REGION], "namespace": stage.namespace, "inventory": False}
    async with stage.mirror(accounts=[other, here], visibility="30s"):
        stage.aws.send(workbench_event(ONE, "running", ago(1), account="111122223333"))
        await eventually(lambda: stage.metric("handled_total", result="kept") == 1)
        stage.aws.send(workbench_event(TWO, "running", ago(1)))
        await stage.until_state(TWO, "running")
        await eventually(lambda: stage.metric("deleted_total") == 1)
        assert stage.aws.left_in_queue() == 1


async def test_a_raw_event_stays_in_the_queue_while_ec2_refuses_to_say_whose_it_is(stage: Stage) -> None:
    faults = Faults()
    async with stage.mirror(
        account={"inventory": True}, resync_interval="1h", session_factory=faults.session_factory(stage.aws)
    ) as mirror:
        await mirror.ready.wait()
        faults.code = "UnauthorizedOperation"
        instance = stage.aws.start_instance(owner="ann")
        stage.aws.send(state_change(instance, "running", ago(0)))
        await eventually(lambda: stage.metric("handled_total", result="kept") == 1)
        assert stage.aws.left_in_queue() == 1
        faults.code = None
        await stage.until_state(instance, "running")
        await stage.until_handled()


async def test_an_event_that_is_faster_than_ec2s_own_answers_is_tried_again_soon(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.mirror.queue.ack.FIRST_RETRY_SOON", timedelta(seconds=1))
    faults = Faults()
    async with stage.mirror(
        account={"inventory": True}, resync_interval="1h", session_factory=faults.session_factory(stage.aws)
    ) as mirror:
        await mirror.ready.wait()
        faults.empty = 1
        instance = stage.aws.start_instance(owner="ann")
        stage.aws.send(state_change(instance, "pending", ago(0)))
        await stage.until_state(instance, "running")
        assert stage.metric("handled_total", result="not_visible_yet") == 1


async def test_the_events_of_a_foreign_fleet_cost_one_question(stage: Stage) -> None:
    faults = Faults()
    async with stage.mirror(
        account={"inventory": True}, resync_interval="1h", session_factory=faults.session_factory(stage.aws)
    ) as mirror:
        await mirror.ready.wait()
        before = faults.calls
        strangers = [stage.aws.start_instance(owner=None) for _ in range(10)]
        stage.aws.send(*(state_change(one, "running", ago(n)) for n in range(5) for one in strangers))
        await stage.until_handled()
        assert faults.calls - before <= 5


async def test_a_fault_of_our_own_in_one_part_is_seen_and_the_part_starts_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.mirror.mirror.RESTART_PAUSE", 0.05)

    def broken() -> Any:
        raise RuntimeError("a fault of ours")

    async with stage.mirror(account={"inventory": True}, session_factory=broken) as mirror:
        await eventually(lambda: stage.metric("restarts_total", part="inventory") >= 2)
        assert not mirror.ready.is_set()
