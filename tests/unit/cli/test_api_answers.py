"""What the HTTP API sends becomes the very objects from which it was made."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.web.test_document import everything
from tests.unit.web.test_visible_users import UTC, live, worlds

from seatpool.cli.api_access import read_url, zone_name
from seatpool.cli.api_answers import UnexpectedAnswer, decode
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.overview import Overview, PoolLine
from seatpool.explain.who import Who
from seatpool.explain.why import Explanation
from seatpool.web.answers import Answers
from seatpool.web.replies import to_json
from seatpool.web.visible_users import VisibleUsers


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_an_answer_is_the_same_after_the_way_through_json(raws: list[Any]) -> None:
    cluster, visible = live(*raws), VisibleUsers("me", all_named=True)
    answers = Answers(cluster)
    for kind, answer in (
        (Overview, answers.status(everything(), visible, {}, UTC)),
        (Explanation, answers.user("me", visible, UTC)),
        (Who, answers.pool(cluster.store.pools["lab/matlab"], visible, UTC).who),
        (PoolLine, answers.pool_line("lab/matlab")),
    ):
        text = to_json(answer)
        again = decode(kind, json.loads(text))  # type: ignore[type-var]
        assert type(again) is kind
        assert to_json(again) == text
        assert repr(again.is_well) == repr(answer.is_well) if hasattr(answer, "is_well") else True  # type: ignore[union-attr]


@given(worlds())
def test_fields_of_a_newer_version_are_left_out(raws: list[Any]) -> None:
    found = json.loads(to_json(Answers(live(*raws)).pool_line("lab/matlab")))
    assert decode(PoolLine, found | {"newer": [1], "_odd": None}) == decode(PoolLine, found)


@pytest.mark.parametrize(
    "value", [None, [], "x", {}, {"user": 1, "workbenches": [], "pools": [], "said": []}, {"pools": 3}]
)
def test_what_is_no_answer_is_told_by_its_field(value: Any) -> None:
    with pytest.raises(UnexpectedAnswer, match="field "):
        decode(Explanation, value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://seats.example.com", ("https://seats.example.com", False)),
        ("https://seats.example.com/", ("https://seats.example.com", False)),
        ("https://example.com/seats/api/v1/", ("https://example.com/seats", False)),
        ("http://localhost:8081", ("http://localhost:8081", True)),
        ("http://[::1]:8081", ("http://[::1]:8081", True)),
        ("http://127.9.9.9:8081", ("http://127.9.9.9:8081", True)),
    ],
)
def test_an_address_is_taken(text: str, expected: tuple[str, bool]) -> None:
    assert read_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "seats", "ftp://a", "https://", "https://a:99999", "https://a?b=c", "https://a#b", "https://u@a", "https://a b",
        "http://10.0.0.1", "http://localhost.example.com", "http://127.0.0.1.example.com", "http://a\n", "https://[", "//a",
    ],
)  # fmt: skip
def test_another_address_is_refused(text: str) -> None:
    with pytest.raises(SeatpoolError, match="--server"):
        read_url(text)


@pytest.mark.parametrize(
    ("zone", "expected"), [("Europe/Berlin", "Europe/Berlin"), (":UTC", "UTC"), ("Asia/Tokyo", "Asia/Tokyo")]
)
def test_the_zone_of_the_machine_has_a_name(monkeypatch: pytest.MonkeyPatch, zone: str, expected: str) -> None:
    monkeypatch.setenv("TZ", zone)
    assert zone_name(None) == expected
