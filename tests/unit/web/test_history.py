"""Usage and plans from a recorded history: their numbers are those of `report` and `plan`, and no computation is without end."""

import asyncio
import json
import threading
import time
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.history.rows import after, capacity, session, wait
from tests.unit.web.test_visible_users import live, objects

from seatpool.api.licensepool import LicensePool
from seatpool.domain.rules import PoolRules
from seatpool.history.config import HistoryConfig
from seatpool.history.schema import Row
from seatpool.history.writing import write_rows
from seatpool.planner.past import NoSuchPast
from seatpool.planner.recorded_past import TooMuchPast, read_history
from seatpool.planner.target import Target
from seatpool.reports.figures import Figures
from seatpool.reports.question import By, Question, UnclearQuestion
from seatpool.reports.report import NothingToReport, report
from seatpool.web import history_work
from seatpool.web.history import HistoryAnswers, HistoryQuestion, run_limited
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.replies import to_json

HOUR = 3600
DAY: list[Row] = [
    capacity(2),
    session("ann", 0, 4 * HOUR, waited_s=0.0),
    session("bob", HOUR, 3 * HOUR, waited_s=0.0),
    wait("cem", 2 * HOUR, 3 * HOUR),
    session("cem", 3 * HOUR, 5 * HOUR, waited_s=float(HOUR)),
    wait("dora", 2 * HOUR, 2 * HOUR + 600, outcome="NeedEnded"),
    session("eve", 0, 9 * HOUR, waited_s=0.0, pool="lab/cad"),
]
TARGET = Target.read("share served within 10m >= 95%")


def asked(**others: Any) -> HistoryQuestion:
    return HistoryQuestion(**{"pool": "lab/matlab", "since": None, "until": None, "zone": UTC} | others)


def put(folder: Path, rows: list[Row]) -> HistoryConfig:
    write_rows(rows, folder)
    return HistoryConfig(location=str(folder))


def test_usage_has_the_seats_the_hours_the_week_and_the_waits_of_one_pool(tmp_path: Path) -> None:
    found = history_work.usage(put(tmp_path, DAY), asked())
    assert (found.since, found.until, found.first, found.last) == (after(0), after(9 * HOUR), after(0), after(9 * HOUR))
    assert [one.used_mean for one in found.steps] == [1, 2, 2, 2, 1, 0, 0, 0, 0]
    assert [one.waiting_peak for one in found.steps] == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert found.steps[2].waiting_mean == pytest.approx(1 + 600 / HOUR, abs=1e-4)
    assert [(one.since, one.seats) for one in found.seats] == [(after(0), 2)]
    assert {(one.day, one.hour): one.peak for one in found.week} == {
        (f"{after(0):%a}", 12 + hour): peak for hour, peak in enumerate([1, 2, 2, 2, 1, 0, 0, 0, 0])
    }
    assert (found.waits.needs, found.waits.never_served, found.waits.wait_max_s) == (4, 1, HOUR)
    assert {one.seconds: one.share for one in found.waits.served_within}[900] == 0.5
    assert {one.seconds: one.share for one in found.waits.served_within}[HOUR] == 0.75
    assert (found.users, found.saturated_hours, found.never_used) == (4, 3, 0)


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "bob", "cem"]), st.integers(0, 40), st.integers(1, 30), st.integers(0, 5),
            st.sampled_from(["lab/matlab", "lab/cad"]),
        ),
        max_size=12,
    ),
    st.integers(0, 3),
)  # fmt: skip
def test_usage_says_what_the_report_says_and_names_no_user(
    tmp_path_factory: pytest.TempPathFactory, held: list[tuple[str, int, int, int, str]], seats: int
) -> None:
    folder = tmp_path_factory.mktemp("history")
    rows: list[Row] = [capacity(seats), session("zoe", 50 * HOUR, 51 * HOUR, waited_s=0.0)]
    rows += [
        session(user, begin * HOUR, (begin + length) * HOUR, waited_s=waited * 600.0, pool=pool)
        for user, begin, length, waited, pool in held
    ]
    config = put(folder, rows)
    found = history_work.usage(config, asked())
    question = Question(since=found.since, until=found.until, pools=("lab/matlab",))
    (row,) = report(folder, question, by=By.POOL, teams={}).rows
    assert isinstance(row, Figures)
    assert (found.users, found.sessions, found.p95, found.peak) == (row.users, row.sessions, row.p95, row.peak)
    assert found.held_hours == pytest.approx(row.held_hours, abs=1e-3)
    assert sum(one.used_mean for one in found.steps) == pytest.approx(row.held_hours, abs=0.01)
    assert max(one.used_peak for one in found.steps) == row.peak
    shares = [one.share for one in found.waits.served_within]
    assert shares == sorted(shares)
    text = to_json(found).decode()
    json.loads(text, parse_constant=pytest.fail)
    assert not any(user in text for user in ("ann", "bob", "cem", "zoe"))


def test_a_plan_tries_numbers_around_the_present_one_and_names_no_user(tmp_path: Path) -> None:
    rules = PoolRules(seats=2, protected=("ann",))
    found = history_work.plan(put(tmp_path, DAY), asked(), rules, TARGET)
    assert (found.seats_now, found.seats, found.needs, found.users, found.most_at_once) == (2, 4, 4, 4, 4)
    points = {one.seats: one for one in found.points}
    assert list(points) == list(range(1, 15))
    assert (points[2].meets_target, points[4].meets_target) == (False, True)
    assert points[4].share_served == 1
    text = to_json(found).decode()
    json.loads(text, parse_constant=pytest.fail)
    assert not any(user in text for user in ("ann", "bob", "cem", "dora"))


def test_a_wait_without_end_is_absent_and_no_infinity(tmp_path: Path) -> None:
    rules = PoolRules(seats=1, readmit_after=timedelta(days=1))
    found = history_work.plan(put(tmp_path, DAY), asked(), rules, TARGET)
    first = found.points[0]
    assert first.never_served > 0
    assert first.wait_p95_s is None
    assert b"Infinity" not in to_json(found)


def test_a_window_does_not_begin_before_the_history(tmp_path: Path) -> None:
    config = put(tmp_path, DAY)
    whole = history_work.usage(config, asked())
    assert history_work.usage(config, asked(since="9000d")) == whole
    assert history_work.usage(config, asked(since="2001-01-01")) == whole
    with pytest.raises(NoSuchPast):
        history_work.usage(config, asked(since="2001-01-01", until="2002-01-01"))


def test_a_pool_or_time_without_history_is_told(tmp_path: Path) -> None:
    config = put(tmp_path, DAY)
    with pytest.raises(NothingToReport):
        history_work.usage(config, asked(pool="lab/other"))
    with pytest.raises(NoSuchPast):
        history_work.plan(config, asked(pool="lab/other"), PoolRules(seats=2), TARGET)
    with pytest.raises(UnclearQuestion):
        history_work.usage(config, asked(since="2099-01-01"))


def test_a_past_may_have_only_so_many_rows(tmp_path: Path) -> None:
    put(tmp_path, DAY)
    with pytest.raises(TooMuchPast):
        read_history(tmp_path, since=None, linger=timedelta(0), by_type=False, most=3)
    assert read_history(tmp_path, since=None, linger=timedelta(0), by_type=False, pool="lab/cad", most=3).lines == 1


def forever() -> object:
    """Holds Python's lock as long as it may."""
    while True:
        sum(range(10_000))


def dies() -> object:
    import os

    os._exit(3)


def test_a_computation_that_does_not_end_is_ended_and_one_that_dies_is_told() -> None:
    assert run_limited(forever, seconds=1, ending=threading.Event())[0] == "TooSlow"
    assert run_limited(dies, seconds=60, ending=threading.Event())[0] == "Ended"


NIGHT = [{"name": "night", "seats": 1, "users": ["ann"]}]


def answers(config: HistoryConfig, **others: Any) -> HistoryAnswers:
    cluster = live(objects.server(), objects.pool(reservations=NIGHT), objects.pool("other"))
    return HistoryAnswers(config=config, cluster=cluster, log=structlog.get_logger(), **others)


def pool(name: str = "matlab") -> LicensePool:
    return LicensePool.model_validate(objects.pool(name))


async def test_the_event_loop_goes_on_while_something_is_computed(tmp_path: Path) -> None:
    service, turns = answers(put(tmp_path, DAY)), 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    counting = asyncio.create_task(count())
    first, second = await asyncio.gather(service.usage(pool()), service.usage(pool()))
    counting.cancel()
    assert first is second, "one computation for both"
    assert turns > 3
    assert await service.usage(pool()) is first


async def test_what_new_files_say_is_told_after_a_minute(tmp_path: Path) -> None:
    now = [0.0]
    service = answers(put(tmp_path, DAY), monotonic=lambda: now[0])
    first = await service.usage(pool())
    now[0] = 120.0
    assert await service.usage(pool()) is first, "no file came"
    await asyncio.sleep(0.01)
    put(tmp_path, [session("zoe", 8 * HOUR, 10 * HOUR, waited_s=0.0)])
    now[0] = 240.0
    assert (await service.usage(pool())).users == first.users + 1


async def test_the_rules_of_a_pool_that_is_in_use_can_be_planned(tmp_path: Path) -> None:
    service = answers(put(tmp_path, DAY))
    assert service.cluster.store.rules["lab/matlab"].reservation_of("ann") is not None
    found = await service.plan(pool())
    assert (found.seats_now, found.needs) == (2, 4)


@pytest.mark.parametrize(
    ("name", "question", "expected", "told"),
    [
        (
            "matlab",
            {"since": "yesterday"},
            ProblemId.BAD_PARAMETER,
            "since (query) is 'yesterday': write a date such as",
        ),
        ("matlab", {"until": "soon"}, ProblemId.BAD_PARAMETER, "until (query) is 'soon'"),
        ("other", {}, ProblemId.NOTHING_RECORDED, "Nothing"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    tmp_path: Path, name: str, question: dict[str, str], expected: ProblemId, told: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await answers(put(tmp_path, DAY)).usage(pool(name), **question)
    assert refused.value.id is expected
    details = refused.value.details()
    assert told in details["detail"] + details["title"]


def break_files(folder: Path) -> None:
    for file in folder.rglob("*.parquet"):
        file.write_bytes(b"no parquet")


async def test_without_a_history_or_with_a_broken_one_a_problem_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        await answers(HistoryConfig()).usage(pool())
    assert refused.value.id is ProblemId.NO_HISTORY
    config = put(tmp_path, DAY)
    break_files(tmp_path)
    with pytest.raises(Refusal) as refused:
        await answers(config).usage(pool())
    assert refused.value.id is ProblemId.HISTORY_UNREADABLE
    assert str(tmp_path) not in refused.value.details()["detail"]


async def test_a_computation_ends_with_the_service(tmp_path: Path) -> None:
    service = answers(put(tmp_path, DAY))
    asking = asyncio.create_task(service._answer("slow", forever))
    await asyncio.sleep(0.5)
    service.end()
    with pytest.raises(Refusal):
        async with asyncio.timeout(60):
            await asking


async def test_only_so_many_wait_for_their_turn(tmp_path: Path) -> None:
    service = answers(put(tmp_path, DAY))
    asking = [asyncio.create_task(service._answer(number, forever)) for number in range(20)]
    began = time.monotonic()
    await asyncio.sleep(0.1)
    refused = [one.exception() for one in asking if one.done()]
    assert len(refused) == 3
    assert all(isinstance(one, Refusal) and one.id is ProblemId.HISTORY_BUSY for one in refused)
    service.end()
    await asyncio.gather(*asking, return_exceptions=True)
    assert time.monotonic() - began < 60
