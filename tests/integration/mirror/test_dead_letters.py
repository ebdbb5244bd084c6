"""From a bad message to a person at a terminal, and back."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.mirror.conftest import ACCOUNT, MAX_RECEIVES, REGION, Stage, ago, workbench_event
from tests.waiting import eventually
from typer.testing import CliRunner

from seatpool.cli.dlq import app
from seatpool.domain.errors import SeatpoolError

ONE, TWO, THREE = "i-0123456789abcdef0", "i-0123456789abcdef1", "i-0123456789abcdef2"
Dlq = Callable[..., Awaitable[str]]


@pytest.fixture
def settings(stage: Stage, tmp_path: Path) -> Path:
    """The operator's settings file; a test may list more accounts in it."""
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump({"mirror": stage.config().model_dump(mode="json", exclude_defaults=True)}))
    return file


@pytest.fixture
def dlq(settings: Path, monkeypatch: pytest.MonkeyPatch) -> Dlq:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr("seatpool.mirror.queue.dead_letters.WAIT_SECONDS", 0)  # the stand-in is one server

    async def run(*arguments: str, code: int = 0) -> str:
        answer = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--config", str(settings)])
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == code, answer.output
        return answer.output

    return run


async def listed(dlq: Dlq, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await dlq("list", "-o", "json", *arguments)).splitlines()]


def list_also(settings: Path, account: str) -> list[Any]:
    """Add an account to the settings file."""
    document = yaml.safe_load(settings.read_text())
    accounts: list[Any] = document["mirror"]["accounts"]
    accounts.append(accounts[0] | {"account": account})
    settings.write_text(yaml.safe_dump(document))
    return accounts


def put(stage: Stage, *bodies: Any) -> None:
    """Into the dead-letter queue as SQS itself does it: without a reason."""
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body)
        stage.aws.client("sqs").send_message(QueueUrl=stage.aws.dead_letter_url, MessageBody=text)


def bad_messages() -> dict[str, Any]:
    good = workbench_event(ONE, "running", ago(1))
    return {
        "not_json": "not json",
        "duplicate_key": '{"source": "vew.workbench", "source": "aws.ec2"}',
        "not_an_envelope": "[1, 2, 3]",
        "unknown_account": good | {"account": "999999999999"},
        "bad_field": {name: value for name, value in good.items() if name != "time"},
        "unknown_state": workbench_event(ONE, "\x1b[2J$(reboot)", ago(1)),
        "too_large": json.dumps(good | {"padding": "x" * (1024 * 1024 - 1000)}),
        "refused_by_api": workbench_event(ONE, "running", ago(1), owner="\u202e" * 256),
    }


async def test_each_kind_of_bad_message_is_dead_with_its_reason_and_the_next_good_one_does_not_wait_for_it(
    stage: Stage, dlq: Dlq
) -> None:
    bad = bad_messages()
    del bad["refused_by_api"]  # the API server takes any owner; the rules refuse it later
    async with stage.mirror(receivers=1, visibility="30s"):  # longer than anybody waits here
        await eventually(lambda: stage.metric("events_connected") == 1)
        for number, (reason, body) in enumerate(bad.items()):
            stage.aws.send(body)
            good = f"i-{number:017x}"
            stage.aws.send(workbench_event(good, "running", ago(1)))
            await stage.until_state(good, "running")
            await eventually(lambda count=number + 1: stage.aws.dead_letters() == count)
            assert stage.metric("malformed_total", flaw=reason) >= 1
    letters = await listed(dlq)
    assert sorted(one["reason"] for one in letters) == sorted(bad)
    by_reason = {one["reason"]: one for one in letters}
    assert all(one["recorded"] for reason, one in by_reason.items() if reason != "too_large")
    assert "field workbench-state" in by_reason["unknown_state"]["detail"]
    assert "add it to mirror.accounts" in by_reason["unknown_account"]["detail"]


async def test_a_message_that_sqs_moved_by_itself_gets_its_reason_when_it_is_looked_at(stage: Stage, dlq: Dlq) -> None:
    put(stage, "not json", workbench_event(ONE, "running", ago(1)))
    letters = {one["reason"]: one for one in await listed(dlq)}
    assert letters["not_json"]["recorded"] is False
    assert letters["not_json"]["understood"] is False
    assert letters["not_handled"]["understood"] is True
    assert [one["reason"] for one in await listed(dlq, "--reason", "not_json")] == ["not_json"]


async def test_looking_leaves_everything_where_it_was(stage: Stage, dlq: Dlq) -> None:
    put(stage, *(f"message {n}" for n in range(25)))
    table = await dlq("list", "--limit", "7")
    assert "7 shown, about 25 in" in table
    first = (await listed(dlq))[0]["id"]
    assert len(await listed(dlq)) == 25
    assert "message" in await dlq("show", first[:13])
    assert len(await listed(dlq)) == 25


async def test_the_table_can_be_without_its_headings(stage: Stage, dlq: Dlq) -> None:
    assert (await dlq("list", "--no-headers")).startswith("0 shown")
    put(stage, '{"source": 1}')
    (letter,) = await listed(dlq)
    whole, bare = await dlq("list"), await dlq("list", "--no-headers")
    assert whole.splitlines()[0].split() == ["ID", "SENT", "KIND", "REASON", "NOW", "DETAIL"]
    assert bare.splitlines()[0].split()[0] == letter["id"]
    with pytest.raises(SeatpoolError, match="--no-headers is for tables"):
        await dlq("list", "--no-headers", "-o", "json")


async def test_what_is_shown_of_a_hostile_message_cannot_deceive_a_terminal(stage: Stage, dlq: Dlq) -> None:
    put(stage, '{"source": "\u202egnp.exe", "detail-type": 7, "x": "\x85\x9b2J"}')
    (letter,) = await listed(dlq)
    for text in (await dlq("show", letter["id"]), await dlq("list")):
        assert re.fullmatch(r"[\x20-\x7e\n]*", text), ascii(text)
    with pytest.raises(SeatpoolError, match="message nothing: not in"):
        await dlq("show", "nothing")


async def test_after_an_account_was_listed_its_messages_go_back_and_are_handled_and_the_bad_ones_stay(
    stage: Stage, dlq: Dlq, settings: Path
) -> None:
    other = "999999999999"
    async with stage.mirror():
        stage.aws.send(workbench_event(ONE, "running", ago(1), account=other), "not json")
        await eventually(lambda: stage.aws.dead_letters() == 2)
        await stage.until_handled()  # else one that is parked, and still in its queue, is parked again
    assert "0 moved back, 2 left" in await dlq("redrive")
    accounts = list_also(settings, other)
    assert "1 moved back, 1 left that would not be understood now" in await dlq("redrive")
    async with stage.mirror(accounts=accounts):
        await stage.until_state(ONE, "running")
        await stage.until_handled()
    assert [one["reason"] for one in await listed(dlq)] == ["not_json"]


async def test_a_redrive_that_broke_off_is_done_again_and_nothing_happens_twice(stage: Stage, dlq: Dlq) -> None:
    event = workbench_event(ONE, "running", ago(60))
    put(stage, event)
    with (
        stage.gate.trouble(operation="DeleteMessageBatch", code="AccessDenied"),
        pytest.raises(SeatpoolError, match="allow"),
    ):
        await dlq("redrive")
    assert (stage.aws.left_in_queue(), stage.aws.dead_letters()) == (1, 1)
    assert "1 moved back" in await dlq("redrive")
    assert "0 moved back" in await dlq("redrive")
    async with stage.mirror():
        await stage.until_state(ONE, "running")
        before = await stage.get(ONE)
        await stage.until_handled()
        await eventually(lambda: stage.metric("deleted_total") == 2)
        assert await stage.get(ONE) == before


@pytest.mark.parametrize("can_move", [True, False], ids=["by SQS itself", "message by message"])
async def test_everything_is_moved_back_by_sqs_where_it_can(stage: Stage, dlq: Dlq, can_move: bool) -> None:
    stage.gate.can_move = can_move
    put(stage, "not json", *(workbench_event(f"i-{n:017x}", "running", ago(1)) for n in range(14)))
    text = await dlq("redrive", "--all")
    assert "15 moved back" in text
    assert (stage.aws.left_in_queue(), stage.aws.dead_letters()) == (15, 0)
    assert len(stage.gate.moves) == can_move


async def test_bad_messages_that_are_dead_again_at_once_are_not_moved_for_ever(stage: Stage, dlq: Dlq) -> None:
    async with stage.mirror():
        await eventually(lambda: stage.metric("events_connected") == 1)
        stage.aws.send(*["not json"] * 4)
        await eventually(lambda: stage.aws.dead_letters() == 4)
        await stage.until_handled()
        assert "4 moved back" in await dlq("redrive", "--all")
        await eventually(lambda: stage.aws.dead_letters() == 4)


async def test_a_move_that_is_under_way_is_watched_and_not_started_again(stage: Stage, dlq: Dlq) -> None:
    stage.gate.can_move = True
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{stage.aws.queue}-dlq"
    under_way = {"SourceArn": arn, "Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 3}
    stage.gate.moves.append(under_way)
    put(stage, "not json")
    running = asyncio.create_task(dlq("redrive", "--all"))
    # The second question is asked when the first was answered.
    await eventually(lambda: stage.gate.calls.get((ACCOUNT, REGION, "ListMessageMoveTasks"), 0) >= 2)
    under_way |= {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 9}
    assert "completed: 9 moved back" in await running
    assert len(stage.gate.moves) == 1
    assert stage.aws.dead_letters() == 1


async def test_messages_are_deleted_by_id_by_reason_or_all_and_never_by_accident(stage: Stage, dlq: Dlq) -> None:
    put(stage, "not json", "[]", "{}", workbench_event(ONE, "running", ago(1)))
    with pytest.raises(SeatpoolError, match="say what to delete"):
        await dlq("purge")
    await dlq("purge", "--all", code=1)  # nobody said yes
    assert "1 deleted" in await dlq("purge", "--reason", "not_json", "--yes")
    (good,) = [one["id"] for one in await listed(dlq) if one["understood"]]
    assert "1 deleted" in await dlq("purge", good, "--yes")
    assert {one["reason"] for one in await listed(dlq)} == {"not_an_envelope"}
    assert "about 2 deleted" in await dlq("purge", "--all", "--yes")
    assert await listed(dlq) == []


async def test_without_a_dead_letter_queue_it_says_what_to_do(stage: Stage, dlq: Dlq) -> None:
    queue = f"{stage.aws.queue}-plain"
    stage.aws.client("sqs").create_queue(QueueName=queue)
    with pytest.raises(SeatpoolError, match="give the queue a dead-letter queue"):
        await dlq("list", "--queue", queue)


async def test_where_parking_is_not_allowed_sqs_moves_the_message_and_the_reason_is_found_out(
    stage: Stage, dlq: Dlq
) -> None:
    async with stage.mirror(receivers=1):
        await eventually(lambda: stage.metric("events_connected") == 1)
        with stage.gate.trouble(operation="SendMessage", code="AccessDenied"):
            put_body = workbench_event(TWO, "sleeping", ago(1))
            stage.aws.send(put_body)
            await eventually(lambda: stage.aws.dead_letters() == 1)
        assert stage.metric("malformed_total", flaw="unknown_state") == MAX_RECEIVES
    (letter,) = await listed(dlq)
    assert (letter["reason"], letter["recorded"]) == ("unknown_state", False)


async def test_a_message_that_could_not_be_parked_and_deleted_is_twice_there_and_never_lost(
    stage: Stage, dlq: Dlq
) -> None:
    async with stage.mirror(receivers=1, visibility="2s"):
        await eventually(lambda: stage.metric("events_connected") == 1)
        with stage.gate.trouble(operation="DeleteMessageBatch", code="InternalError"):
            stage.aws.send("not json")
            await eventually(lambda: stage.aws.dead_letters() >= 1)
        await stage.until_handled(seconds=15)
    assert {one["reason"] for one in await listed(dlq)} == {"not_json"}
