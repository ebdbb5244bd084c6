"""How much longer a seat is held is told from seats that were held as long, and only from enough of them."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.history.rows import after, session

from seatpool.history.length import remaining
from seatpool.history.store import opened
from seatpool.history.writing import write

MINUTE = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lasting = [session(f"user{n}", n, n + n * MINUTE) for n in range(1, 101)]
    others = [
        session("forced", 0, 10_000 * MINUTE, release_reason="SeatsReduced"),
        session("still", 0),
        session("elsewhere", 0, 5000 * MINUTE, pool="lab/other"),
    ]
    write([*lasting, *others], tmp_path)
    return tmp_path


@pytest.mark.parametrize(("held", "p50", "p90", "seats"), [(0, 50, 90, 100), (20, 40, 72, 80), (79, 11, 19, 21)])
def test_only_seats_that_were_held_longer_than_this_one_count(
    folder: Path, held: int, p50: int, p90: int, seats: int
) -> None:
    with opened(folder) as database:
        found = remaining(database, pool="lab/matlab", held=timedelta(minutes=held))
    assert found is not None
    assert (found.p50, found.p90, found.seats) == (timedelta(minutes=p50), timedelta(minutes=p90), seats)


def test_from_few_seats_nothing_is_concluded(folder: Path) -> None:
    with opened(folder) as database:
        assert remaining(database, pool="lab/matlab", held=timedelta(minutes=81)) is None
        assert remaining(database, pool="lab/nowhere", held=timedelta(0)) is None
        assert remaining(database, pool="lab/matlab", held=timedelta(0), since=after(90)) is None
