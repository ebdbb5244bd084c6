"""The figures of a report, by hand, and against counting second by second."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.unit.history.rows import NOON, after, capacity, session, wait

from seatpool.history.schema import Row
from seatpool.history.writing import write_rows
from seatpool.reports.facts import LATENCY_S
from seatpool.reports.figures import Figures
from seatpool.reports.question import By, PerPool, Question
from seatpool.reports.report import NothingToReport, Report, report

HOUR = 3600
YEAR = 365 * 24


def asked(begin: float, end: float, **others: Any) -> Question:
    return Question(since=after(begin), until=after(end), **others)


def made(
    folder: Path, rows: list[Row], question: Question, by: By = By.POOL, teams: Mapping[str, str] | None = None
) -> Report:
    write_rows(rows, folder)
    return report(folder, question, by=by, teams=teams or {})


def only(found: Report) -> Figures:
    (row,) = found.rows
    assert isinstance(row, Figures)
    return row


DAY = [
    capacity(2),
    session("ann", 0, 4 * HOUR, waited_s=0.0, account="1", workbench_type="vew-matlab"),
    session("bob", HOUR, 3 * HOUR, waited_s=0.0, account="1", workbench_type="vew-matlab"),
    wait("cem", 2 * HOUR, 3 * HOUR),
    session("cem", 3 * HOUR, 5 * HOUR, waited_s=float(HOUR), account="2", workbench_type="vew-big"),
    wait("dora", 2 * HOUR, 2 * HOUR + 600, outcome="NeedEnded"),
]


def test_a_pool_is_told_with_its_seats_peaks_waits_and_cost(tmp_path: Path) -> None:
    row = only(made(tmp_path, DAY, asked(0, 10 * HOUR, price=PerPool(YEAR))))
    assert (row.name, row.seats, row.users, row.sessions) == ("lab/matlab", 2, 4, 3)
    assert (row.peak, row.p95, row.never_used) == (2, 2, 0)
    assert (row.held_hours, row.mean, row.utilisation) == (8, 0.8, 0.4)
    assert row.saturated_hours == 3
    assert (row.needs, row.share_waiting, row.gave_up) == (4, 0.5, 1)
    assert (row.wait_p50_s, row.wait_p95_s, row.wait_max_s) == (0, HOUR, HOUR)
    assert row.cost == pytest.approx(20), "two seats for ten hours, at one an hour"
    assert row.idle_cost == pytest.approx(12)


def test_by_account_and_type_the_cost_of_a_pool_is_divided_by_the_hours(tmp_path: Path) -> None:
    question = asked(0, 10 * HOUR, price=PerPool(YEAR))
    rows = made(tmp_path, DAY, question, By.ACCOUNT).rows
    told = {row.name: (row.held_hours, row.peak, row.cost) for row in rows if isinstance(row, Figures)}
    assert told == {"1": (6, 2, 15), "2": (2, 1, 5), "(not known)": (0, 0, 0)}
    types = report(tmp_path, question, by=By.TYPE, teams={}).rows
    assert [row.name for row in types if isinstance(row, Figures)] == ["vew-matlab", "vew-big", "(not known)"]


def test_by_team_there_are_those_without_a_team_and_those_who_were_never_seen(tmp_path: Path) -> None:
    teams = {"ann": "alpha", "bob": "alpha", "dora": "beta", "zoe": "beta", "yan": "gamma"}
    found = made(tmp_path, DAY, asked(0, 10 * HOUR), By.TEAM, teams)
    told = {row.name: (row.users, row.held_hours) for row in found.rows if isinstance(row, Figures)}
    assert told == {"alpha": (2, 6), "(no team)": (1, 2), "beta": (1, 0)}
    assert found.never_seen == ("yan", "zoe")


def test_only_what_lies_in_the_window_counts(tmp_path: Path) -> None:
    row = only(made(tmp_path, DAY, asked(2 * HOUR, 3.5 * HOUR)))
    assert (row.sessions, row.held_hours, row.peak) == (3, 1.5 + 1 + 0.5, 2)
    assert (row.needs, row.gave_up) == (2, 1), "ann and bob came before"
    assert (row.saturated_hours, row.utilisation) == (1.5, 1)


def test_a_seat_that_is_held_still_counts_until_the_end(tmp_path: Path) -> None:
    rows = [capacity(3), session("ann", 0, waited_s=0.0)]
    row = only(made(tmp_path, rows, asked(0, 2 * HOUR)))
    assert (row.held_hours, row.never_used) == (2, 2)


def test_seats_that_come_and_go_change_what_full_means(tmp_path: Path) -> None:
    rows = [
        capacity(1),
        capacity(3, 2 * HOUR),
        session("ann", 0, 4 * HOUR),
        session("bob", 3 * HOUR, 4 * HOUR),
    ]
    row = only(made(tmp_path, rows, asked(0, 4 * HOUR)))
    assert (row.seats, row.saturated_hours) == (3, 2)
    assert row.utilisation == pytest.approx(5 / 8)
    assert row.never_used == 1


def test_a_pool_counts_from_when_it_is_known(tmp_path: Path) -> None:
    rows = [capacity(1, 6 * HOUR), session("ann", 6 * HOUR, 8 * HOUR)]
    row = only(made(tmp_path, rows, asked(0, 10 * HOUR)))
    assert (row.utilisation, row.mean) == (0.5, 0.5)


def test_a_pool_that_nobody_used_is_told_too(tmp_path: Path) -> None:
    row = only(made(tmp_path, [capacity(7)], asked(0, HOUR, price=PerPool(None, {"matlab": 100.0}))))
    assert (row.seats, row.never_used, row.sessions, row.utilisation, row.share_waiting) == (7, 7, 0, 0, None)
    assert row.cost == row.idle_cost == pytest.approx(700 / YEAR)


def test_where_the_number_of_seats_is_not_known_it_can_be_said(tmp_path: Path) -> None:
    rows: list[Row] = [session("ann", 0, HOUR, waited_s=0.0, source="flexnet", server="host", pool="MATLAB")]
    unknown = made(tmp_path, rows, asked(0, 2 * HOUR))
    assert (only(unknown).seats, only(unknown).utilisation, only(unknown).saturated_hours) == (None, None, None)
    assert unknown.remarks == ("Number of seats unknown for MATLAB: give --seats POOL=NUMBER.",)
    told = report(tmp_path, asked(0, 2 * HOUR, seats=PerPool(None, {"MATLAB": 2})), by=By.POOL, teams={})
    assert (only(told).seats, only(told).utilisation) == (2, 0.25)
    assert told.remarks == ()


def test_seats_in_dry_run_count_only_when_asked_for(tmp_path: Path) -> None:
    rows = [
        capacity(1),
        session("ann", 0, HOUR, waited_s=0.0, mode="DryRun"),
        wait("bob", 0, 600, outcome="NeedEnded", mode="DryRun"),
    ]
    without = made(tmp_path, rows, asked(0, HOUR))
    assert (only(without).sessions, only(without).needs) == (0, 0)
    assert without.remarks == (
        "1 seat interval in DryRun, on no license server, not counted here; --dry-run counts them.",
    )
    found = report(tmp_path, asked(0, HOUR, dry_run=True), by=By.POOL, teams={})
    assert (only(found).sessions, only(found).needs, found.remarks) == (1, 2, ())


def test_only_the_pools_that_were_asked_for_are_there_by_name_or_pattern(tmp_path: Path) -> None:
    rows = [session("ann", 0, HOUR, pool=f"lab/{name}") for name in ("matlab", "matlab-big", "cad")]
    found = made(tmp_path, list(rows), asked(0, HOUR, pools=("matlab*",)))
    assert [row.name for row in found.rows if isinstance(row, Figures)] == ["lab/matlab", "lab/matlab-big"]
    with pytest.raises(NothingToReport, match=r"no pool that --pool eda names has any history from 2026-03-09"):
        report(tmp_path, asked(0, HOUR, pools=("eda",)), by=By.POOL, teams={})


def test_latency_is_no_wait_and_what_is_longer_is(tmp_path: Path) -> None:
    quick = [session(f"user{index}", index * 10, HOUR, waited_s=0.75 + index * 0.02) for index in range(60)]
    edge = [session("at", 0, HOUR, waited_s=float(LATENCY_S)), session("above", HOUR, waited_s=LATENCY_S + 0.5)]
    row = only(made(tmp_path / "quick", [capacity(100), *quick], asked(0, 2 * HOUR)))
    assert (row.needs, row.share_waiting, row.wait_p95_s, row.wait_max_s) == (60, 0, 0, 0)
    row = only(made(tmp_path / "edge", [capacity(100), *edge], asked(0, 2 * HOUR)))
    assert (row.needs, row.share_waiting, row.wait_max_s) == (2, 0.5, LATENCY_S + 0.5)


@pytest.mark.parametrize("by", By)
def test_a_wait_that_is_not_known_is_in_no_figure_about_waits(tmp_path: Path, by: By) -> None:
    teams = {"ann": "alpha", "bob": "alpha"}
    unknown: list[Row] = [session("ann", 0, HOUR), session("bob", 0, HOUR)]
    found = made(tmp_path, unknown, asked(0, 2 * HOUR), by, teams)
    assert all((row.share_waiting, row.wait_p95_s) == (None, None) for row in found.rows)
    assert sum(row.needs for row in found.rows) == 2
    assert (
        "How long users waited is not known of 2 of 2 starts: the figures about waits are without these."
        in found.remarks
    )
    write_rows([session("cem", 600, HOUR, waited_s=60.0)], tmp_path)
    (row,) = [
        row for row in report(tmp_path, asked(0, 2 * HOUR), by=By.POOL, teams={}).rows if isinstance(row, Figures)
    ]
    assert (row.needs, row.share_waiting, row.wait_p50_s) == (3, 1, 60)


PEOPLE = ("ann", "bob", "cem")
stays = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.integers(-30, 150), st.integers(1, 90), st.none() | st.integers(0, 40)),
    min_size=1,
    max_size=12,
    unique_by=lambda stay: stay[:2],
)


@settings(max_examples=25)
@given(stays, st.integers(1, 4))
def test_figures_are_what_counting_second_by_second_gives(
    tmp_path_factory: pytest.TempPathFactory, stays: list[tuple[str, int, int, int | None]], seats: int
) -> None:
    begin, end = 0, 120
    rows: list[Row] = [capacity(seats, -100)]
    rows += [
        session(
            user, start, start + length, waited_s=None if waited is None else float(waited), installation=f"site{index}"
        )
        for index, (user, start, length, waited) in enumerate(stays)
    ]
    unknown = {(user, start) for user, start, _, waited in stays if waited is None}
    counted = [(*stay, 0 if waited is None or waited <= LATENCY_S else waited) for *stay, waited in stays]
    row = only(made(tmp_path_factory.mktemp("history"), rows, asked(begin, end)))
    found = [(user, start, length, waited) for user, start, length, waited in counted if start - waited < end]
    taken = [
        len({user for user, start, length, _ in found if start <= second < start + length})
        for second in range(begin, end)
    ]
    needs = [
        (None if (user, start) in unknown else min(start, end) - (start - waited))
        for user, start, _, waited in found
        if begin <= start - waited
        and not any(one == user and other < start < other + length for one, other, length, _ in found)
    ]
    waits = sorted(wait for wait in needs if wait is not None)
    assert row.held_hours == pytest.approx(sum(taken) / HOUR)
    assert row.peak == max(taken)
    assert row.mean == pytest.approx(sum(taken) / len(taken))
    assert row.p95 == sorted(taken)[round(0.95 * len(taken)) - 1]
    assert row.saturated_hours == pytest.approx(sum(level >= seats for level in taken) / HOUR)
    assert row.utilisation == pytest.approx(sum(min(level, seats) for level in taken) / len(taken) / seats)
    assert row.never_used == max(0, seats - max(taken))
    assert row.needs == len(needs)
    assert waits or (row.share_waiting, row.wait_p50_s, row.wait_p95_s, row.wait_max_s) == (None, None, None, None)
    if waits:
        assert row.share_waiting == pytest.approx(sum(waited > 0 for waited in waits) / len(waits))
        ranks = {share: waits[max(0, -(-len(waits) * share // 100) - 1)] for share in (50, 95)}
        assert (row.wait_p50_s, row.wait_p95_s, row.wait_max_s) == (ranks[50], ranks[95], waits[-1])


ends = st.sampled_from(["PoolDeleted", "NotSeenAgain"])
lives = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE), st.integers(-30, 110), st.integers(2, 90), st.integers(0, 40),
        st.none() | st.tuples(st.integers(1, 89), ends),
    ),
    min_size=1, max_size=10, unique_by=lambda life: life[:2],
)  # fmt: skip


@settings(max_examples=25)
@given(lives, st.lists(st.tuples(st.sampled_from(("dora", "eve")), st.integers(0, 50), st.integers(1, 60)), max_size=4))
def test_a_pool_that_is_deleted_and_created_again_changes_no_figure(
    tmp_path_factory: pytest.TempPathFactory,
    lives: list[tuple[str, int, int, int, tuple[int, str] | None]],
    given_up: list[tuple[str, int, int]],
) -> None:
    """The seats and waits that went on are noted twice, each time from their beginning."""
    for user, start, length, *_ in lives:
        assume(not any(one == user and start < other < start + length for one, other, *_ in lives))
    whole: list[Row] = [capacity(2, -100)]
    twice: list[Row] = [capacity(2, -100)]
    for user, start, length, waited, cut in lives:
        row = session(user, start, start + length, waited_s=float(waited))
        whole.append(row)
        if cut is not None and cut[0] < length:
            first = session(user, start, start + cut[0], waited_s=float(waited))
            twice.append(replace(first, release_reason=cut[1]))
            row = session(user, start, start + length, waited_s=None, id=f"again {row.id}")
        twice.append(row)
    for user, began, length in {one[:2]: one for one in given_up}.values():
        gone = wait(user, began, began + length, outcome="NeedEnded")
        whole.append(gone)
        twice += [wait(user, began, began + 1, outcome="PoolDeleted"), replace(gone, id=f"again {gone.id}")]
    for user, start, _, waited, cut in lives:
        if cut is not None and waited > LATENCY_S:
            granted = wait(user, start - waited, start, id=f"wait {user} {start}")
            whole.append(granted)
            twice += [granted, wait(user, start - waited, start - waited + 1, outcome=cut[1], id=f"cut {user} {start}")]
    figures = [only(made(tmp_path_factory.mktemp("history"), rows, asked(0, 120))) for rows in (whole, twice)]
    assert figures[0] == figures[1]


def test_the_window_may_begin_in_another_time_zone(tmp_path: Path) -> None:
    assert NOON.tzinfo is UTC
    local = Question(since=NOON.astimezone(None), until=NOON + timedelta(hours=10))
    assert only(made(tmp_path, DAY, local)).held_hours == 8
