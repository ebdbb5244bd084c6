"""Lines go at their own times, compressed, and as many in a request as it takes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.sim_demo.happenings import event

from seatpool.sim.demo.event_file import Line
from seatpool.sim.demo.options import DemoError
from seatpool.sim.demo.pacing import Sender, batches, due_times


def line(at: float | None, text: str = "{}") -> Line:
    return Line(text, None if at is None else event(1, "ann", "running", at))


class Queue:
    """Takes messages in the shape of boto3's call."""

    def __init__(self, *, refuses: str | None = None) -> None:
        self.requests: list[list[str]] = []
        self._refuses = refuses

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "url"
        self.requests.append([entry["MessageBody"] for entry in Entries])
        refused = [entry for entry in Entries if entry["MessageBody"] == self._refuses]
        return {"Failed": [{"Id": entry["Id"], "Message": "too long"} for entry in refused]} if refused else {}


def test_lines_are_due_at_their_own_times_from_the_first_one_on() -> None:
    assert due_times([line(100), line(160), line(220)], speed=60) == [0, 1, 2]


def test_a_line_that_is_out_of_order_or_without_a_time_goes_when_its_turn_comes() -> None:
    assert due_times([line(0), line(120), line(60), line(None), line(180)], speed=60) == [0, 2, 2, 2, 3]


def test_without_a_speed_everything_is_due_at_once() -> None:
    assert due_times([line(0), line(1e6)], speed=0) == [0, 0]


def test_what_is_due_together_goes_by_tens() -> None:
    made = [line(0, str(n)) for n in range(23)]
    assert [len(batch) for _, batch in batches(made, [0.0] * 23)] == [10, 10, 3]


def test_what_is_due_later_goes_in_a_request_of_its_own() -> None:
    made = [line(0, str(n)) for n in range(4)]
    assert [(due, [one.text for one in batch]) for due, batch in batches(made, [0, 0.01, 0.5, 0.51])] == [
        (0, ["0", "1"]),
        (0.5, ["2", "3"]),
    ]


def test_a_request_never_has_more_bytes_than_a_queue_takes() -> None:
    made = [line(0, "x" * 100_000) for _ in range(5)]
    assert [len(batch) for _, batch in batches(made, [0.0] * 5)] == [2, 2, 1]


def test_every_line_is_sent_once_in_order_and_told_when_the_queue_has_it() -> None:
    queue, told = Queue(), []
    made = [line(n, json.dumps(n)) for n in range(12)]
    sender = Sender(queue, "url", speed=0, sent=lambda one, at: told.append((one.text, at)))
    began = datetime.now(UTC)
    sender.send(made)
    assert [text for request in queue.requests for text in request] == [one.text for one in made]
    assert [text for text, _ in told] == [one.text for one in made]
    assert all(0 <= at - began.timestamp() < 5 for _, at in told)
    assert (sender.done, sender.now) == (12, made[-1].event.at if made[-1].event else None)


def test_it_waits_until_a_line_is_due() -> None:
    pauses: list[float] = []
    Sender(Queue(), "url", speed=60, sent=lambda *_: None, pause=pauses.append).send([line(0), line(600)])
    assert pauses == [pytest.approx(10, abs=0.5)]
    assert timedelta(seconds=pauses[0]) < timedelta(seconds=10)


def test_a_line_that_the_queue_refuses_is_named() -> None:
    sender = Sender(Queue(refuses="bad"), "url", speed=0, sent=lambda *_: None)
    with pytest.raises(DemoError, match=r"too long: bad"):
        sender.send([line(0, "good"), line(0, "bad")])
