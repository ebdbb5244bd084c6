"""A history as the past: needs are made from seat intervals and from waits that came to nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from seatpool.domain.globs import matcher
from seatpool.history.schema import Row, Session, Wait
from seatpool.history.writing import write_rows
from seatpool.planner.options import ACTIVE
from seatpool.planner.past import NoSuchPast, Past
from seatpool.planner.recorded_past import read_history

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def session(
    user: str, granted: int, released: int | None, *, waited: float = 0, why: str = "WorkbenchesStopped"
) -> Session:
    return Session(
        id=f"s-{user}-{granted}",
        installation="i",
        pool="team/matlab",
        product="matlab",
        server="team/lic",
        mode="Enforce",
        source="operator",
        seen_at=START + (granted if released is None else released) * MINUTE,
        user_id=user,
        workbench_type="vew-matlab",
        granted_at=START + granted * MINUTE,
        grant_reason="Granted",
        waited_s=waited,
        released_at=None if released is None else START + released * MINUTE,
        release_reason=None if released is None else why,
    )


def wait(user: str, began: int, ended: int, outcome: str) -> Wait:
    return Wait(
        id=f"w-{user}-{began}",
        installation="i",
        pool="team/matlab",
        product="matlab",
        server="team/lic",
        mode="Enforce",
        source="operator",
        seen_at=START + ended * MINUTE,
        user_id=user,
        workbench_type="vew-matlab",
        began_at=START + began * MINUTE,
        reason="PoolFull",
        ended_at=START + ended * MINUTE,
        outcome=outcome,
    )


def past(folder: Path, *rows: Row, linger: int = 0, by_type: bool = False, since: date | None = None) -> Past:
    write_rows(rows, folder)
    return read_history(folder, since=since, linger=linger * MINUTE, by_type=by_type)


def needs(found: Past, name: str = "team/matlab") -> list[tuple[str, float, float]]:
    demand = found.demand(name, serves=matcher([name]), states=ACTIVE)
    return [(need.user, (need.begin - START) / MINUTE, (need.end - START) / MINUTE) for need in demand.needs]


def test_a_need_begins_with_its_wait_and_ends_before_the_linger_time(tmp_path: Path) -> None:
    found = past(tmp_path, session("ann", 10, 40, waited=300), session("bob", 20, 30, why="UserDenied"), linger=15)
    assert needs(found) == [("ann", 5, 25), ("bob", 20, 30)]


def test_a_linger_time_longer_than_the_interval_leaves_no_need(tmp_path: Path) -> None:
    found = past(tmp_path, session("ann", 10, 20), session("bob", 20, 60), linger=15)
    assert needs(found) == [("bob", 20, 45)]


def test_a_wait_that_came_to_nothing_was_a_need_and_a_denial_was_none(tmp_path: Path) -> None:
    found = past(
        tmp_path,
        session("ann", 10, 40, waited=300),
        wait("ann", 5, 10, "Granted"),
        wait("bob", 7, 22, "NeedEnded"),
        wait("eve", 1, 90, "Denied"),
    )
    assert needs(found) == [("ann", 5, 40), ("bob", 7, 22)]


def test_what_goes_on_counts_until_the_history_ends(tmp_path: Path) -> None:
    found = past(tmp_path, session("ann", 10, None), session("bob", 20, 60))
    assert needs(found) == [("ann", 10, 60), ("bob", 20, 60)]


def test_the_pools_are_planned_or_the_types_when_these_are_asked_for(tmp_path: Path) -> None:
    rows = session("ann", 10, 40), replace(session("bob", 20, 50), workbench_type=None)
    assert past(tmp_path, *rows).types() == ("team/matlab",)
    found = past(tmp_path, *rows, by_type=True)
    assert found.types() == ("team/matlab", "vew-matlab")
    assert needs(found, "vew-matlab") == [("ann", 10, 40)]


def test_only_what_ended_since_a_day_is_read(tmp_path: Path) -> None:
    found = past(tmp_path, session("ann", 10, 40), session("bob", 3000, 3050), since=date(2026, 3, 4))
    assert needs(found) == [("bob", 3000, 3050)]


def test_what_began_before_that_day_is_cut_and_the_past_begins_with_it(tmp_path: Path) -> None:
    day = 24 * 60
    found = past(tmp_path, session("ann", 10, 3 * day), session("bob", 3 * day, 3 * day + 5), since=date(2026, 3, 4))
    midnight = 2 * day - 9 * 60
    assert needs(found) == [("ann", midnight, 3 * day), ("bob", 3 * day, 3 * day + 5)]
    assert found.since == START + midnight * MINUTE
    with pytest.raises(NoSuchPast, match="no user has a seat for any time after 2026-03-05"):
        past(tmp_path / "other", session("ann", 10, 3 * day - 9 * 60), since=date(2026, 3, 5))


def test_seats_whose_wait_is_not_known_are_counted(tmp_path: Path) -> None:
    found = past(tmp_path, replace(session("ann", 10, 40), waited_s=None), session("bob", 20, 30))
    assert found.waits_not_known == 1
    assert needs(found) == [("ann", 10, 40), ("bob", 20, 30)]


def test_a_history_without_intervals_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "kind=sessions").mkdir()
    with pytest.raises(NoSuchPast, match="record some, or import a log into it"):
        read_history(tmp_path, since=None, linger=timedelta(0), by_type=False)
