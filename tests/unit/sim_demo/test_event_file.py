"""Which lines of a file tell of a workbench, and what they say."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.messages.parsed import Actionable
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.sim.demo.event_file import read_event, read_event_file
from seatpool.sim.demo.options import DemoError

ENVELOPE: dict[str, Any] = {
    "source": "vew.workbench",
    "detail-type": "Workbench State Change",
    "account": "111122223333",
    "region": "eu-central-1",
    "time": "2022-06-09T10:25:38Z",
    "detail": {
        "user-id": "ann",
        "workbench-type": "vew-matlab",
        "workbench-state": "running",
        "instance-id": "i-69c958aa85162caea",
    },
}
EXAMPLE = Path(__file__).parents[3] / "examples" / "events-matlab-lab.jsonl.gz"


def changed(**changes: Any) -> str:
    return json.dumps(ENVELOPE | changes)


def detail(**changes: Any) -> str:
    return changed(detail=ENVELOPE["detail"] | {name.replace("_", "-"): value for name, value in changes.items()})


DAMAGED = {
    "no JSON": '{"source": ',
    "no object": "[1, 2]",
    "a number": "7",
    "no detail": json.dumps({key: value for key, value in ENVELOPE.items() if key != "detail"}),
    "a detail that is a list": changed(detail=[]),
    "another source": changed(source="aws.s3"),
    "another kind": changed(**{"detail-type": "Something Else"}),
    "an unknown state": detail(workbench_state="running,stopped"),
    "a state that is a number": detail(workbench_state=1),
    "an instance id of another kind": detail(instance_id="../../etc"),
    "no instance id": changed(detail={"user-id": "ann", "workbench-type": "t", "workbench-state": "running"}),
    "a time without a zone": changed(time="2022-06-09T10:25:38"),
    "a time that is none": changed(time="yesterday"),
    "an account of 11 digits": changed(account="11112222333"),
    "an account that is a number": changed(account=111122223333),
    "an empty owner": detail(user_id=""),
    "an owner that is too long": detail(user_id="x" * 257),
    "a key twice": changed()[:-1] + ', "source": "vew.workbench"}',
    "not a number": changed(extra=float("nan")),
}


def test_the_custom_event_says_whose_the_workbench_is() -> None:
    found = read_event(json.dumps(ENVELOPE))
    assert found is not None
    assert (found.owner, found.type, found.state) == ("ann", "vew-matlab", "running")
    assert found.at == datetime(2022, 6, 9, 10, 25, 38, tzinfo=UTC)


def test_an_event_of_ec2_does_not() -> None:
    detail = {"instance-id": "i-69c958aa85162caea", "state": "stopped"}
    found = read_event(
        changed(source="aws.ec2", **{"detail-type": "EC2 Instance State-change Notification"}, detail=detail)
    )
    assert found is not None
    assert (found.owner, found.type, found.state) == (None, None, "stopped")


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_line_tells_nothing(text: str) -> None:
    assert read_event(text) is None


@pytest.mark.parametrize("text", [*DAMAGED.values(), json.dumps(ENVELOPE)], ids=[*DAMAGED.keys(), "a sound one"])
def test_the_operator_takes_the_same_lines_for_events_as_the_judge(text: str) -> None:
    config = MirrorConfig(accounts=(AccountConfig(account="111122223333", regions=("eu-central-1",)),))
    parsed = Registry(config, ServedRegions(config), TypeAliases({})).parse(text, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert isinstance(parsed, Actionable) == (read_event(text) is not None)


def test_damaged_lines_are_kept_to_be_sent_and_blank_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(f"{json.dumps(ENVELOPE)}\n\nnot JSON\r\n   \n")
    assert [line.text for line in read_event_file(path).lines] == [json.dumps(ENVELOPE), "not JSON"]


def test_a_compressed_file_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(gzip.compress(json.dumps(ENVELOPE).encode()))
    assert len(read_event_file(path).lines) == 1


@pytest.mark.parametrize("content", [b"", b"nothing\nof use\n", gzip.compress(b"{}", mtime=0)[:-4]])
def test_a_file_without_any_workbench_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    with pytest.raises(DemoError, match=r"events\.jsonl"):
        read_event_file(path)


def test_a_file_tells_its_accounts_regions_and_types(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    other = json.dumps(json.loads(detail(workbench_type="vew-cad")) | {"region": "us-east-1"})
    path.write_text(f"{json.dumps(ENVELOPE)}\n{other}\n")
    file = read_event_file(path)
    assert file.places() == {"111122223333": ("eu-central-1", "us-east-1")}
    assert file.types() == ("vew-cad", "vew-matlab")


def test_the_example_file_is_whole() -> None:
    file = read_event_file(EXAMPLE)
    assert sum(1 for _ in file.events) == len(file.lines) == 6022
    assert len({event.owner for event in file.events}) == 99
