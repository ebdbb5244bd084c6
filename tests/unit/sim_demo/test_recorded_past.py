"""The past of the demo is one that its pool could have had."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seatpool.history.schema import Capacity, Row, Session, Wait
from seatpool.sim.demo.recorded_past import WEEKS, recorded_past

EVENTS = Path(__file__).parents[3] / "examples" / "events-matlab-lab.jsonl.gz"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SEATS = 4


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(
        recorded_past(
            EVENTS,
            installation="demo",
            pool="seatpool/matlab",
            product="matlab",
            server="seatpool/license-server",
            seats=SEATS,
            now=NOW,
        )
    )


def finished(rows: list[Row]) -> list[Session]:
    return [row for row in rows if isinstance(row, Session) and row.released_at is not None]


def test_it_has_all_weeks_and_ends_now(rows: list[Row]) -> None:
    assert [(row.since, row.seats) for row in rows if isinstance(row, Capacity)] == [
        (NOW - timedelta(weeks=WEEKS), SEATS)
    ]
    days = {row.granted_at.date() for row in finished(rows)}
    assert max(days) - min(days) > timedelta(weeks=WEEKS - 1)
    assert all(NOW - timedelta(weeks=WEEKS) <= row.granted_at <= NOW for row in finished(rows))


def test_every_seat_that_was_given_was_freed_once(rows: list[Row]) -> None:
    given = [row for row in rows if isinstance(row, Session) and row.released_at is None]
    assert sorted(row.id for row in given) == sorted(row.id for row in finished(rows))
    assert len({row.id for row in given}) == len(given) > 500


def test_there_are_never_more_holders_than_seats_and_users_wait_only_while_all_are_taken(rows: list[Row]) -> None:
    steps = [(row.granted_at, 1) for row in finished(rows)] + [(row.released_at, -1) for row in finished(rows)]
    held, full_since, full = 0, None, []
    for at, change in sorted(steps, key=lambda step: (step[0], step[1])):
        held += change
        assert 0 <= held <= SEATS
        if held == SEATS:
            full_since = full_since or at
        elif full_since is not None and full_since != at:
            full.append((full_since, at))
            full_since = None
    waits = [row for row in rows if isinstance(row, Wait)]
    assert waits
    joined: list[tuple[datetime, datetime]] = []
    for begin, end in full:
        if joined and joined[-1][1] == begin:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
    for wait in waits:
        assert any(begin <= wait.began_at and wait.ended_at <= end for begin, end in joined), wait
