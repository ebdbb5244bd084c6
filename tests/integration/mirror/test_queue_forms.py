"""Queues of each kind and by each form of name, and events that other services wrapped on their way."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.mirror.conftest import ACCOUNT, MAX_RECEIVES, REGION, Stage, ago, eventually, workbench_event
from tests.unit.mirror.wrappings import WRAPPINGS, wrap
from typer.testing import CliRunner

from seatpool.cli.dlq import app

FIFO = "events.fifo"


def instance(number: int) -> str:
    return f"i-{number:017x}"


def make_fifo(stage: Stage) -> None:
    """A FIFO queue with its dead-letter queue, instead of the stage's own."""
    sqs = stage.aws.client("sqs")
    fifo = {"FifoQueue": "true"}
    dead = sqs.create_queue(QueueName="events-dlq.fifo", Attributes=fifo)["QueueUrl"]
    policy = {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events-dlq.fifo",
        "maxReceiveCount": str(MAX_RECEIVES),
    }
    url = sqs.create_queue(QueueName=FIFO, Attributes=fifo | {"RedrivePolicy": json.dumps(policy)})["QueueUrl"]
    stage.aws.queue, stage.aws.queue_url, stage.aws.dead_letter_url = FIFO, url, dead


def send_in_group(stage: Stage, body: object, *, group: str, number: int) -> None:
    stage.aws.client("sqs").send_message(
        QueueUrl=stage.aws.queue_url,
        MessageBody=body if isinstance(body, str) else json.dumps(body),
        MessageGroupId=group,
        MessageDeduplicationId=str(number),
    )


async def dlq(settings: Path, *arguments: str) -> str:
    answer = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--config", str(settings)])
    if answer.exception is not None:
        raise answer.exception
    return answer.output


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr("seatpool.mirror.queue.dead_letters.WAIT_SECONDS", 0)  # the stand-in is one server


def settings_file(stage: Stage, folder: Path, **changes: Any) -> Path:
    file = folder / "settings.yaml"
    plain = stage.config(**changes).model_dump(mode="json", exclude_defaults=True)
    file.write_text(yaml.safe_dump({"mirror": plain}))
    return file


async def test_an_event_that_was_wrapped_on_its_way_is_as_good_as_any(stage: Stage) -> None:
    async with stage.mirror():
        for number, name in enumerate(WRAPPINGS):
            stage.aws.send(wrap(json.dumps(workbench_event(instance(number), "running", ago(1))), [name]))
        for number in range(len(WRAPPINGS)):
            await stage.until_state(instance(number), "running", seconds=60)
        await stage.until_handled(seconds=60)
    assert stage.aws.dead_letters() == 0


async def test_a_dead_letter_says_which_wrapping_lost_a_part_of_the_event_and_what_to_change(
    stage: Stage, tmp_path: Path, credentials: None
) -> None:
    async with stage.mirror():
        stage.aws.send(workbench_event(instance(1), "running", ago(1))["detail"])
        await eventually(lambda: stage.aws.dead_letters() == 1, seconds=60)
        await stage.until_handled(seconds=60)
    (letter,) = (await dlq(settings_file(stage, tmp_path), "list", "-o", "json")).splitlines()
    assert json.loads(letter)["reason"] == "not_an_envelope"
    assert "take InputPath and InputTransformer out of the rule's target" in json.loads(letter)["detail"]


async def test_a_wrapped_event_that_sqs_moved_is_understood_and_goes_back(
    stage: Stage, tmp_path: Path, credentials: None
) -> None:
    settings = settings_file(stage, tmp_path)
    body = wrap(json.dumps(workbench_event(instance(1), "running", ago(1))), ["SNS"])
    stage.aws.client("sqs").send_message(QueueUrl=stage.aws.dead_letter_url, MessageBody=body)
    (letter,) = (await dlq(settings, "list", "-o", "json")).splitlines()
    assert json.loads(letter)["understood"] is True
    assert "1 moved back" in await dlq(settings, "redrive")
    async with stage.mirror():
        await stage.until_state(instance(1), "running", seconds=60)


@pytest.mark.parametrize("form", ["name", "ARN", "URL"])
async def test_a_fifo_queue_by_any_form_of_name_feeds_the_mirror_and_keeps_its_dead_letters(
    stage: Stage, tmp_path: Path, credentials: None, form: str
) -> None:
    make_fifo(stage)
    queue = {"name": FIFO, "ARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{FIFO}", "URL": stage.aws.queue_url}[form]
    settings = settings_file(stage, tmp_path, queue=queue)
    other = "999999999999"
    async with stage.mirror(queue=queue):
        send_in_group(stage, workbench_event(instance(1), "running", ago(1)), group="a", number=1)
        send_in_group(stage, workbench_event(instance(2), "running", ago(1), account=other), group="b", number=2)
        send_in_group(stage, "not json", group="b", number=3)
        await stage.until_state(instance(1), "running", seconds=60)
        await eventually(lambda: stage.aws.dead_letters() == 2, seconds=60)
        await stage.until_handled(seconds=60)
    letters = [json.loads(line) for line in (await dlq(settings, "list", "-o", "json")).splitlines()]
    assert {one["reason"] for one in letters} == {"unknown_account", "not_json"}
    assert all(one["recorded"] for one in letters)
    plain = yaml.safe_load(settings.read_text())
    plain["mirror"]["accounts"].append(plain["mirror"]["accounts"][0] | {"account": other})
    settings.write_text(yaml.safe_dump(plain))
    assert "1 moved back" in await dlq(settings, "redrive")
    async with stage.mirror(queue=queue, accounts=plain["mirror"]["accounts"]):
        await stage.until_state(instance(2), "running", seconds=60)


async def test_the_european_sovereign_cloud_is_served_like_any_region(stage: Stage) -> None:
    region = "eusc-de-east-1"
    name = stage.aws.queue
    stage.aws.queue_url = stage.aws.client("sqs", region).create_queue(QueueName=name)["QueueUrl"]
    event = workbench_event(instance(1), "running", ago(1)) | {"region": region}
    async with stage.mirror(queue=f"arn:aws-eusc:sqs:{region}:{ACCOUNT}:{name}", account={"regions": [region]}):
        stage.aws.client("sqs", region).send_message(QueueUrl=stage.aws.queue_url, MessageBody=json.dumps(event))
        await stage.until_state(instance(1), "running", seconds=60)
    found = await stage.get(instance(1))
    assert found is not None
    assert found["spec"]["region"] == region
