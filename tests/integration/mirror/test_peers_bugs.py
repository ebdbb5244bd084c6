"""Faults that others who read a queue of EC2 events have shipped; each is impossible here.

NTH is aws-node-termination-handler; the numbers are its issues.
"""

from structlog.testing import capture_logs
from tests.integration.mirror.conftest import ACCOUNT, Faults, Stage, ago, state_change, workbench_event
from tests.waiting import eventually

ONE = "i-0123456789abcdef0"
TWO = "i-0123456789abcdef1"


async def test_nth_360_a_message_that_was_received_and_not_handled_is_not_deleted(stage: Stage) -> None:
    async with stage.mirror(account={"namespace": "absent"}, visibility="30s"):
        stage.aws.send(workbench_event(ONE, "running", ago(1)))
        await eventually(lambda: stage.metric("handled_total", result="kept") == 1)
        assert stage.metric("deleted_total") == 0
        assert stage.aws.left_in_queue() == 1


async def test_nth_360_a_mirror_that_is_stopped_with_messages_in_hand_gives_them_to_the_next(stage: Stage) -> None:
    async with stage.mirror(account={"namespace": "absent"}, visibility="2s"):
        stage.aws.send(*(workbench_event(f"i-{n:017x}", "running", ago(1)) for n in range(12)))
        await eventually(lambda: stage.metric("received_total", kind="workbench", outcome="actionable") >= 10)
    async with stage.mirror():
        await stage.until_handled(seconds=15)
        assert [await stage.state(f"i-{n:017x}") for n in range(12)] == ["running"] * 12


async def test_nth_367_307_787_an_instance_that_does_not_exist_any_more_ends_neither_process_nor_queue(
    stage: Stage,
) -> None:
    async with stage.mirror(account={"inventory": True}, resync_interval="1h", receivers=1) as mirror:
        await mirror.ready.wait()
        stage.aws.send(state_change(ONE, "terminated", ago(1)), state_change(TWO, "running", ago(7200)))
        await stage.until_handled()
        instance = stage.aws.start_instance(owner="ann")
        stage.aws.send(workbench_event(instance, "running", ago(1)))
        await stage.until_state(instance, "running")
        assert stage.metric("irrelevant_total", reason="no_such_instance") == 2
        assert stage.aws.dead_letters() == 0


async def test_nth_787_a_new_instance_that_never_shows_is_given_up_and_no_good_message_is_called_dead(
    stage: Stage, soon: None
) -> None:
    async with stage.mirror(account={"inventory": True}, resync_interval="1h") as mirror:
        await mirror.ready.wait()
        stage.aws.send(state_change(ONE, "running", ago(0)))
        await stage.until_handled(seconds=15)
        assert stage.metric("handled_total", result="not_visible_yet") == 3
        assert stage.aws.dead_letters() == 0


async def test_nth_1284_a_message_whose_action_failed_is_parked_with_the_failure_and_not_deleted(stage: Stage) -> None:
    faults = Faults()
    async with stage.mirror(
        account={"inventory": True}, resync_interval="1h", session_factory=faults.session_factory(stage.aws)
    ) as mirror:
        await mirror.ready.wait()
        faults.code = "UnauthorizedOperation"
        stage.aws.send(state_change(ONE, "running", ago(0)))
        await eventually(lambda: stage.metric("handled_total", result="kept") == 1)
        assert (stage.aws.left_in_queue(), stage.aws.dead_letters()) == (1, 0)
        stage.aws.receive_again(times=2)
        await eventually(lambda: stage.aws.dead_letters() == 1)
    assert stage.aws.dead_letter_attributes()["seatpool-reason"] == "AccessDenied"


async def test_rstudio_461_an_instance_that_vanished_without_a_stop_event_does_not_keep_its_seat(stage: Stage) -> None:
    stays, goes = stage.aws.start_instance(owner="ann"), stage.aws.start_instance(owner="bob")
    async with stage.mirror(account={"inventory": True}, resync_interval="200ms") as mirror:
        await mirror.ready.wait()
        assert await stage.state(goes) == "running"
        stage.vanish(goes)
        await stage.until_state(goes, None)
        assert await stage.state(stays) == "running"


async def test_nth_550_an_event_of_another_service_is_dropped_and_counted(stage: Stage) -> None:
    health = state_change(ONE, "running", ago(1)) | {"source": "aws.health", "detail-type": "AWS Health Event"}
    with capture_logs() as lines:
        async with stage.mirror():
            stage.aws.send(health | {"detail": {"service": "S3", "affectedEntities": [{}]}, "account": ACCOUNT})
            await stage.until_handled()
            assert stage.metric("irrelevant_total", reason="unknown_kind") == 1
            assert stage.aws.dead_letters() == 0
    assert not [line for line in lines if line["log_level"] in ("warning", "error")]
