"""Measures reports on a year of history with 6,000 users: `python -m benchmarks.history_year FOLDER`.

Users come on weekdays around nine and one, less on Fridays and in August. A full pool makes them wait in line, and some
give up. The product's own writer writes the files.
"""

import heapq
import os
import random
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from seatpool.history.schema import Capacity, Row, Session, Wait, fact_id
from seatpool.history.writing import write_rows

PEOPLE, POOLS = 6000, 50
YEAR = 2025
SEATS_FOR = 0.72
"""Seats for this share of a pool's users on a busy day."""
REPORTS = (
    ("by pool", ["--since", "2025-01-01"]),
    ("by person", ["--since", "2025-01-01", "--by", "user"]),
    ("by hour of the week", ["--since", "2025-01-01", "--by", "hour"]),
    ("the whole page", ["--since", "2025-01-01", "-o", "html"]),
    ("by pool, the last 30 days", []),
)


def main() -> None:
    folder = Path(sys.argv[1])
    if not folder.is_dir():
        began = time.perf_counter()
        count = sum(len(write_rows(day, folder)) > 0 for day in days(random.Random(7)))
        print(f"wrote {count} days in {time.perf_counter() - began:.0f} s")
    size = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    print(f"{size / 2**20:.0f} MiB")
    for name, options in REPORTS:
        began = time.perf_counter()
        command = [
            shutil.which("seatpool") or "seatpool",
            "report",
            "--history",
            str(folder),
            "--price",
            "1200",
            *options,
        ]
        with Path(os.devnull).open("wb") as nowhere:
            subprocess.run(command, check=True, stdout=nowhere)
        print(f"{name}: {time.perf_counter() - began:.1f} s")


def days(rng: random.Random) -> Iterator[list[Row]]:
    """Yields the rows of each day, of all pools."""
    pools = [Pool(number, rng) for number in range(POOLS)]
    day = date(YEAR, 1, 1)
    while day.year == YEAR:
        yield [row for pool in pools for row in pool.day(day)]
        day += timedelta(days=1)


class Pool:
    """One pool with its users and seats."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self._rng = rng
        kind = ("matlab", "simulation", "cad", "eda", "fem")[number % 5]
        name = f"{kind}-{number // 5}" if number >= 5 else kind
        self._people = [f"user{number * PEOPLE // POOLS + index:04d}" for index in range(PEOPLE // POOLS)]
        self._seats = round(len(self._people) * SEATS_FOR * rng.uniform(0.75, 1.25))
        self._type = f"vew-{kind}"
        self._facts = {
            "installation": "example",
            "pool": f"seatpool/{name}",
            "product": name,
            "server": f"seatpool/licenses-{number % 3}",
            "mode": "Enforce",
            "source": "operator",
        }

    def day(self, day: date) -> Iterator[Row]:
        """Yields the users of a day, in the order of time."""
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if day.timetuple().tm_yday in (1, 182):
            if day.month > 1:
                self._seats += self._seats // 10
            yield Capacity(
                id=fact_id(self._facts["pool"], day), **self._facts, seen_at=begin, since=begin, seats=self._seats
            )
        busy = 0.03 if day.weekday() > 4 else {4: 0.55}.get(day.weekday(), 0.8)
        busy *= 0.5 if day.month == 8 else 1.0
        needs = sorted(self._needs(busy))
        ends: list[float] = []
        line: deque[tuple[float, float, str]] = deque()
        for start, length, person in [*needs, (2 * 86_400.0, 0.0, "")]:
            while ends and ends[0] <= start:
                now = heapq.heappop(ends)
                while line:
                    came, wanted, waiting = line.popleft()
                    if came + wanted <= now:
                        yield self._wait(begin, waiting, came, came + wanted, "NeedEnded")
                        continue
                    heapq.heappush(ends, came + wanted)
                    yield self._wait(begin, waiting, came, now, "Granted")
                    yield self._session(begin, waiting, now, came + wanted, now - came)
                    break
            if not person:
                continue
            if len(ends) < self._seats:
                heapq.heappush(ends, start + length)
                yield self._session(begin, person, start, start + length, 0.0)
            else:
                line.append((start, length, person))

    def _needs(self, busy: float) -> Iterator[tuple[float, float, str]]:
        rng = self._rng
        for person in self._people:
            if rng.random() < busy:
                morning = rng.gauss(9 * 3600, 3600)
                noon = rng.gauss(12.3 * 3600, 1800)
                yield max(0.0, morning), max(300.0, noon - morning), person
                if rng.random() < 0.9:
                    after = max(noon + 600, morning + 1200, rng.gauss(13.2 * 3600, 1800))
                    yield after, max(300.0, rng.gauss(17 * 3600, 4000) - after), person

    def _session(self, begin: datetime, person: str, start: float, end: float, waited: float) -> Session:
        granted, released = begin + timedelta(seconds=start), begin + timedelta(seconds=end)
        return Session(
            id=fact_id("session", self._facts["pool"], person, granted),
            **self._facts,
            seen_at=released,
            user_id=person,
            workbench_type=self._type,
            account=f"{100000000000 + int(person[4:]) % 20}",
            granted_at=granted,
            grant_reason="Granted",
            waited_s=waited,
            granted_revision=int(granted.timestamp() // 7),
            listed_at=granted + timedelta(seconds=0.6),
            released_at=released,
            release_reason="WorkbenchesStopped",
            released_revision=int(released.timestamp() // 7),
            unlisted_at=released + timedelta(seconds=0.6),
        )

    def _wait(self, begin: datetime, person: str, start: float, end: float, outcome: str) -> Wait:
        began, ended = begin + timedelta(seconds=start), begin + timedelta(seconds=end)
        return Wait(
            id=fact_id("wait", self._facts["pool"], person, began),
            **self._facts,
            seen_at=ended,
            user_id=person,
            workbench_type=self._type,
            began_at=began,
            reason="PoolFull",
            ended_at=ended,
            outcome=outcome,
        )


if __name__ == "__main__":
    main()
