"""What the pages say: the answer first, and what is for the reader."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.explain import cluster as objects
from tests.unit.web.test_visible_users import live

from seatpool.web.answers import Answers, Me
from seatpool.web.pages.views.badge import Tone
from seatpool.web.pages.views.buyer import plan_view
from seatpool.web.pages.views.developer import calls
from seatpool.web.pages.views.pool import pool_row
from seatpool.web.pages.views.seat import MySeats, my_seats
from seatpool.web.usage import Plan, PlanPoint
from seatpool.web.visible_users import VisibleUsers

NOW = datetime(2026, 3, 9, tzinfo=UTC)


def seats_of(user: str, *raws: Any) -> MySeats:
    answer = Answers(live(*raws)).user(user, VisibleUsers(user, all_named=False), UTC)
    return my_seats(Me(name=user, user=user, answer=answer), {"lab/matlab": "matlab"})


def test_a_seat_is_said_in_one_sentence() -> None:
    found = seats_of(
        "ann", objects.server(), objects.pool(), objects.ledger(assigned={"ann": 30}), objects.workbench("ann")
    )
    assert found.news in ("matlab: You have a seat", "matlab: Your seat is on its way: do not start the tool yet")


def test_a_place_in_line_is_said_in_one_sentence() -> None:
    found = seats_of(
        "ann", objects.server(), objects.pool(seats=1), objects.ledger(assigned={"carl": 30}, waiting={"ann": 5}),
        objects.workbench("carl", number=1), objects.workbench("ann", number=2),
    )  # fmt: skip
    assert found.news == "matlab: You are number 1 of 1 in line"
    assert found.seats[0].badge.tone is Tone.WAIT


def test_a_user_is_told_no_command_of_an_admin_and_nothing_that_does_not_concern_the_seat() -> None:
    held = objects.server(conditions={"Guarded": "True TooManyReleases 3 users would leave"})
    world = (
        held, objects.pool(seats=1), objects.ledger(assigned={"carl": 30}, waiting={"ann": 5}),
        objects.workbench("carl", number=1), objects.workbench("ann", number=2),
    )  # fmt: skip
    (waiting,) = seats_of("ann", *world).seats
    assert waiting.problems
    assert "seatpool approve" not in " ".join(waiting.problems)
    assert all(text.endswith(".") for text in waiting.problems)
    (holding,) = seats_of("carl", *world).seats
    assert holding.problems == ()


def test_who_is_no_user_is_told_so() -> None:
    assert my_seats(Me(name="x", user=None, answer=None), {}).news == "You are no user of Seatpool"


@pytest.mark.parametrize(
    ("status", "text", "tone"),
    [
        ({"used": 1, "waiting": 0}, "1 free", Tone.GOOD),
        ({"used": 2, "waiting": 0}, "Full", Tone.WAIT),
        ({"used": 2, "waiting": 3}, "3 waiting", Tone.WAIT),
        ({}, "Not known yet", Tone.QUIET),
    ],
)
def test_a_pool_has_its_state_in_a_word(status: dict[str, int], text: str, tone: Tone) -> None:
    pool = objects.pool(seats=2)
    pool["status"] |= status
    line = Answers(live(objects.server(), pool)).pool_line("lab/matlab")
    assert line is not None
    assert (pool_row(line).badge.text, pool_row(line).badge.tone) == (text, tone)


def plan(seats: int | None, now: int) -> Plan:
    points = tuple(
        PlanPoint(
            seats=count, share_served=0.9, share_waiting=0.1, never_served=1, share_never_served=0.01, wait_p50_s=0,
            wait_p95_s=60, wait_p95_low_s=None, wait_p95_high_s=None, wait_max_s=60, utilisation=0.5, meets_target=True,
        )
        for count in (3, 4, 5)
    )  # fmt: skip
    return Plan(
        pool="lab/matlab", since=NOW, until=NOW, target="share served within 10m >= 95%", seats_now=now, seats=seats,
        seats_low=3, seats_high=5, range_note=None, nobody_waits_for_a_seat=9, needs=9, users=3, most_at_once=3,
        waits_not_known=0, points=points,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seats", "now", "answer"),
    [
        (5, 4, "5 seats would be enough: 1 more than now"),
        (3, 4, "3 seats would be enough: 1 fewer than now"),
        (4, 4, "The 4 seats of now are just enough"),
        (None, 4, "No number of seats that was tried meets the target (share served within 10m >= 95%)"),
    ],
)
def test_a_plan_answers_how_many_seats_are_enough(seats: int | None, now: int, answer: str) -> None:
    assert plan_view(plan(seats, now), None).answer == answer


def test_a_plan_says_how_sure_it_is() -> None:
    made = plan(5, 4)
    assert plan_view(made, None).range == "In 90 % of resampled pasts it is 3 to 5."
    narrow = replace(made, seats_low=5, range_note="short past: few days")
    assert plan_view(narrow, None).range == "In 90 % of resampled pasts it is 5. Short past: few days."
    assert plan_view(replace(made, seats_low=None, range_note="no days"), None).range == "No days."


def test_the_reader_chooses_a_number_of_seats() -> None:
    found = plan_view(plan(5, 4), 3)
    assert found.chosen is not None
    assert found.chosen.seats == 3
    assert found.chosen.told.startswith("With 3 seats, 90 % of the starts are served in time and 10 % wait; 1 % never")
    beyond = plan_view(plan(5, 4), 99)
    assert beyond.chosen == beyond.rows[0]


def test_a_call_with_a_body_has_an_example_of_it() -> None:
    document = {
        "paths": {
            "/api/v1/keys": {
                "post": {
                    "operationId": "postKeys", "summary": "Ask for a key",
                    "description": "One line\nof text.\n\nAnother.\n", "responses": {"201": {"description": "It is."}},
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}},
                }
            },
            "/api/v1/pools/{name}": {
                "get": {
                    "operationId": "getPool", "responses": {"404": {"description": "- `NotFound`: none.\n- `NoRoute`: no."}},
                    "parameters": [
                        {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 100}},
                        {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
                    ],
                }
            },
        },
        "components": {
            "schemas": {
                "Asked": {
                    "type": "object", "required": ["scope", "days"],
                    "properties": {"scope": {"enum": ["Own", "Pool"]}, "days": {"type": "integer"}, "more": {}},
                }
            }
        },
    }  # fmt: skip
    post, get = calls(document)
    assert post.body == '{\n  "scope": "Own",\n  "days": 1\n}'
    assert post.curl.startswith(
        "curl -X POST -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d "
    )
    assert [(one.name, one.kind, one.default) for one in get.parameters] == [
        ("name", "text", ""),
        ("limit", "number", "100"),
    ]
    assert get.curl.endswith('"$SEATS/api/v1/pools/NAME"')
    assert get.problems == (("404", ("NotFound: none.", "NoRoute: no.")),)
    assert post.paragraphs == ("One line of text.", "Another.")
