"""What a file of events says of the past, and what it says in spite of damage."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from tests.unit.mirror.wrappings import WRAPPINGS, wrap
from tests.unit.planner.event_texts import START, event, own_event_of_ec2

from seatpool.api.identity import IdentitySettings
from seatpool.domain.globs import matcher
from seatpool.mirror.config import MirrorConfig
from seatpool.planner.event_lines import UnusableEvents, read_events
from seatpool.planner.options import ACTIVE
from seatpool.planner.past import NoSuchPast, Past


def past_of(folder: Path, *lines: str) -> Past:
    file = folder / "events.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return read_events([file], mirror=MirrorConfig(), identity=IdentitySettings())


def needs(past: Past, of_type: str = "vew-a") -> list[tuple[str, float, float]]:
    demand = past.demand("pool", serves=matcher([of_type]), states=ACTIVE)

    def minute(length: timedelta) -> float:
        return length / timedelta(minutes=1)

    return [(need.user, minute(need.begin - START), minute(need.end - START)) for need in demand.needs]


DAY = (
    event("ann", "vew-a", 1, "pending", 0),
    event("ann", "vew-a", 1, "running", 1),
    event("bob", "vew-a", 2, "running", 5),
    event("ann", "vew-a", 3, "running", 10),
    event("ann", "vew-a", 1, "stopped", 20),
    event("ann", "vew-a", 3, "stopping", 30),
    event("ann", "vew-a", 3, "stopped", 31),
    event("bob", "vew-a", 2, "terminated", 40),
    event("ann", "vew-a", 1, "running", 50),
    event("eve", "vew-b", 4, "running", 45),
    event("eve", "vew-b", 4, "stopped", 60),
)


def test_a_need_lasts_from_the_first_workbench_to_the_last(tmp_path: Path) -> None:
    past = past_of(tmp_path, *DAY)
    assert needs(past) == [("ann", 0, 30), ("bob", 5, 40), ("ann", 50, 60)]
    assert past.types() == ("vew-a", "vew-b")


def test_lines_that_are_doubled_and_out_of_order_change_nothing(tmp_path: Path) -> None:
    for seed in range(20):
        lines = [*DAY, *DAY[::2]]
        Random(seed).shuffle(lines)
        assert needs(past_of(tmp_path, *lines)) == [("ann", 0, 30), ("bob", 5, 40), ("ann", 50, 60)]


def test_damaged_lines_are_counted_by_what_is_wrong_with_them(tmp_path: Path) -> None:
    past = past_of(
        tmp_path,
        *DAY,
        "{",
        "[]",
        event("ann", "vew-a", 1, "flying", 3),
        event("ann", "vew-a", 1, "running", 3).replace("111122223333", "x"),
        event("ann", "vew-a", 1, "running", 3).replace("vew.workbench", "somebody.else"),
        event("bad user", "vew-a", 9, "running", 3),
        own_event_of_ec2(77, "running", 3),
    )
    assert needs(past) == [("ann", 0, 30), ("bob", 5, 40), ("ann", 50, 60)]
    assert past.passed_over == {
        "not_json": 1,
        "not_an_envelope": 1,
        "unknown_state": 1,
        "bad_field": 1,
        "other_kind": 1,
        "bad_user": 1,
        "unknown_owner": 1,
    }


def test_spellings_of_a_name_are_one_person(tmp_path: Path) -> None:
    past = past_of(
        tmp_path, event("CORP\\Ann", "vew-a", 1, "running", 0), event("ann@corp.example", "vew-a", 2, "running", 5)
    )
    assert {user for user, _, _ in needs(past)} == {"ann"}


def test_ec2s_own_events_count_once_somebody_said_whose_the_instance_is(tmp_path: Path) -> None:
    past = past_of(
        tmp_path,
        event("ann", "vew-a", 1, "running", 0),
        own_event_of_ec2(1, "stopped", 15),
        event("zoe", "vew-z", 9, "running", 20),
    )
    assert needs(past) == [("ann", 0, 15)]


def test_a_workbench_that_starts_and_stops_within_one_second_is_no_need(tmp_path: Path) -> None:
    lines = event("ann", "vew-b", 1, "stopped", 9), event("ann", "vew-b", 1, "running", 9)
    assert needs(past_of(tmp_path, *lines, *DAY[-2:]), "vew-b") == [("eve", 45, 60)]


def test_one_workbench_taking_over_from_another_in_the_same_second_goes_on(tmp_path: Path) -> None:
    past = past_of(
        tmp_path,
        event("ann", "vew-a", 1, "running", 0),
        event("ann", "vew-a", 1, "stopped", 10),
        event("ann", "vew-a", 2, "running", 10),
        event("ann", "vew-a", 2, "stopped", 20),
    )
    assert needs(past) == [("ann", 0, 20)]


def test_several_files_are_one_past_packed_or_not(tmp_path: Path) -> None:
    plain, packed = tmp_path / "b.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_text("\n".join(DAY[:4]))
    packed.write_bytes(gzip.compress("\n".join(DAY[4:]).encode()))
    past = read_events([packed, plain], mirror=MirrorConfig(), identity=IdentitySettings())
    assert needs(past) == [("ann", 0, 30), ("bob", 5, 40), ("ann", 50, 60)]


def test_an_alias_counts_as_the_type_that_it_stands_for(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(DAY))
    past = read_events([file], mirror=MirrorConfig(type_aliases={"vew-b": "vew-a"}), identity=IdentitySettings())
    assert past.types() == ("vew-a",)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x1f\x8bbroken", b"\xff\xfe{}\n"])
def test_a_file_that_says_nothing_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(content)
    with pytest.raises(UnusableEvents, match=r"events\.jsonl"):
        read_events([file], mirror=MirrorConfig(), identity=IdentitySettings())


def test_an_unknown_type_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(NoSuchPast, match="it has vew-a, vew-b"):
        past_of(tmp_path, *DAY).demand("vew-c", serves=matcher(["vew-c"]), states=ACTIVE)


@pytest.mark.parametrize("name", WRAPPINGS)
def test_wrapped_events_give_the_same_past(tmp_path: Path, name: str) -> None:
    assert needs(past_of(tmp_path, *(wrap(line, [name]) for line in DAY))) == needs(past_of(tmp_path, *DAY))


def _written(content: str, encoding: str, folder: Path) -> Past:
    file = folder / "events.jsonl"
    file.write_bytes(content.encode(encoding))
    return read_events([file], mirror=MirrorConfig(), identity=IdentitySettings())


LAYOUTS = {
    "one a line": "\n".join(DAY),
    "Windows line ends": "\r\n".join(DAY),
    "without any line end": "".join(DAY),
    "with blanks between": " ".join(DAY),
    "an array": "[" + ",".join(DAY) + "]",
    "an array over lines": "[\n" + ",\n".join(DAY) + "\n]\n",
    "written for people": "\n".join(json.dumps(json.loads(line), indent=2) for line in DAY),
    "an array for people": json.dumps([json.loads(line) for line in DAY], indent=4),
    "as the AWS CLI shows messages": json.dumps(
        {"Messages": [{"MessageId": "1", "Body": line} for line in DAY]}, indent=4
    ),
    "a batch of Firehose": "".join(WRAPPINGS["Firehose"](line) for line in DAY),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_documents_may_be_written_in_any_layout_and_with_a_byte_order_mark(
    tmp_path: Path, layout: str, encoding: str
) -> None:
    past = _written(LAYOUTS[layout], encoding, tmp_path)
    assert needs(past) == [("ann", 0, 30), ("bob", 5, 40), ("ann", 50, 60)]
    assert not past.passed_over


@pytest.mark.parametrize("damaged", ["{", '{"source": ', "]", "hello", '{"a": 1} x', DAY[3][:-5], DAY[3] + DAY[4][:-5]])
def test_a_damaged_document_takes_no_other_line_along(tmp_path: Path, damaged: str) -> None:
    whole = needs(past_of(tmp_path, *DAY))
    for place in range(len(DAY) + 1):
        past = past_of(tmp_path, *DAY[:place], damaged, *DAY[place:])
        assert needs(past) == whole
        assert past.passed_over["not_json"] == 1


def test_an_element_that_is_no_event_takes_no_other_along(tmp_path: Path) -> None:
    past = past_of(tmp_path, "[" + ",".join([*DAY, "7", '{"hello": "world"}', DAY[0].replace("running", "x")]) + "]")
    assert needs(past) == [("ann", 0, 30), ("bob", 5, 40), ("ann", 50, 60)]
    assert past.passed_over["not_an_envelope"] == 2


def test_an_archive_of_events_of_ec2_alone_is_refused_because_no_owner_is_in_them(tmp_path: Path) -> None:
    with pytest.raises(
        UnusableEvents, match=r"no event in 2 lines says whose workbench it is about \(1 unknown owner\)"
    ):
        past_of(tmp_path, own_event_of_ec2(1, "running", 0), own_event_of_ec2(1, "stopped", 9))


def test_owners_that_no_list_could_take_are_no_past(tmp_path: Path) -> None:
    with pytest.raises(UnusableEvents, match=r"no user has a workbench for any time in 2 events \(1 bad user\)"):
        past_of(tmp_path, event("bad user", "vew-a", 1, "running", 0), event("bad user", "vew-a", 1, "stopped", 5))


def test_details_without_their_event_are_refused_with_what_to_change(tmp_path: Path) -> None:
    with pytest.raises(UnusableEvents, match="take InputPath and InputTransformer out of the rule's target"):
        past_of(tmp_path, *(json.dumps(json.loads(line)["detail"]) for line in DAY))
