"""kill -9 at random, again and again: the history says afterwards what the license server's own journal says.

SEATPOOL_KILLS is how often; a few in the suite, 200 when it has to be known.
"""

import asyncio
import itertools
import os
import random
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.integration.control.conftest import Stage, event
from tests.waiting import eventually

from seatpool.history.store import open_history
from seatpool.sim.license_host import JournalEntry

KILLS = int(os.environ.get("SEATPOOL_KILLS", "5"))
SEATS = 2
PEOPLE = ("ann", "bob", "cem", "dora")
LONGEST_LIFE = 3.0
LOST_DISKS = 0.25
AT_WORK = 0.5
PATIENCE = 90.0

Interval = tuple[datetime, datetime]


@dataclass
class Line:
    """Who should have a seat, who waits, and who ever had to: first come, first served."""

    seated: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)

    def toggle(self, user: str) -> None:
        if user in self.seated:
            self.seated.remove(user)
            if self.waiting:
                self.seated.append(self.waiting.pop(0))
        elif user in self.waiting:
            self.waiting.remove(user)
        elif len(self.seated) < SEATS:
            self.seated.append(user)
        else:
            self.waiting.append(user)
            self.waits.append(user)

    def __contains__(self, user: str) -> bool:
        return user in self.seated or user in self.waiting


class Killer:
    """Starts the operator, kills it at a random moment, and starts it again. Its disk is lost now and then too."""

    def __init__(self, stage: Stage, folder: Path, rng: random.Random) -> None:
        self._stage, self._rng = stage, rng
        self._spool = stage.tmp_path / "spool"
        self.settings: dict[str, Any] = {
            "mirror": stage.mirror_settings(visibility="2s"),
            "history": {"location": str(folder), "spool": str(self._spool), "flush_interval": "1s"},
        }
        self._log = stage.tmp_path / "operator.log"
        self._running: subprocess.Popen[bytes] | None = None
        self.kills = self.lost_disks = 0

    async def run(self) -> None:
        """Half of them die while they start, the others at work."""
        while True:
            told = self._log.stat().st_size if self._log.exists() else 0
            self.start()
            if self._rng.random() < AT_WORK:
                await eventually(lambda: self._says_ready(told), seconds=PATIENCE, what="the operator is ready")  # noqa: B023
            await asyncio.sleep(self._rng.uniform(0, LONGEST_LIFE))
            self.kill()
            self.kills += 1
            if self._rng.random() < LOST_DISKS:
                shutil.rmtree(self._spool, ignore_errors=True)
                self.lost_disks += 1

    def _says_ready(self, told: int) -> bool:
        with self._log.open("rb") as log:
            log.seek(told)
            return b'"event": "ready"' in log.read()

    def start(self) -> None:
        self._running = self._stage.start_process(**self.settings)

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait(10)


def intervals(journal: Iterable[JournalEntry]) -> dict[str, list[Interval]]:
    """Who was on the list from when to when, as the license server says."""
    began: dict[str, datetime] = {}
    found: dict[str, list[Interval]] = defaultdict(list)
    for entry in journal:
        for user in set(began) - set(entry.users):
            found[user].append((began.pop(user), entry.at))
        for user in set(entry.users) - set(began):
            began[user] = entry.at
    assert not began
    return found


async def test_after_many_kills_the_history_is_what_the_license_server_saw_interval_by_interval(
    stage: Stage, tmp_path: Path
) -> None:
    seed = int(os.environ.get("SEATPOOL_SEED", random.randrange(10**6)))
    print(f"SEATPOOL_SEED={seed}")  # noqa: T201
    rng = random.Random(seed)
    folder = tmp_path / "history"
    stage.apply(stage.server(), stage.pool(seats=SEATS))
    line, numbers, active = Line(), itertools.count(1), dict[str, int]()
    killer = Killer(stage, folder, rng)
    killing = asyncio.create_task(killer.run())

    async def step(users: list[str]) -> None:
        """Some start or stop; the world goes on when the license server has it, so that it sees every change."""
        for user in users:
            is_in = user in line
            line.toggle(user)
            number = active.pop(user) if is_in else active.setdefault(user, next(numbers))
            stage.send(event(number, "stopped" if is_in else "running", user))
            # One after the other: two who come within one message batch may be seen in either order.
            await stage.until_list(line.seated, seconds=PATIENCE)
            await eventually(lambda: waiting_of(stage) == len(line.waiting), seconds=PATIENCE, what="the line is known")

    try:
        while killer.kills < KILLS:
            stepping = asyncio.create_task(step(rng.sample(PEOPLE, rng.randint(1, 2))))
            await asyncio.wait({killing, stepping}, return_when=asyncio.FIRST_COMPLETED)
            if killing.done():
                stepping.cancel()
                killing.result()
            await stepping
    finally:
        killing.cancel()
        await asyncio.wait([killing])
        killer.kill()
    async with stage.operator(**killer.settings):
        await step([user for user in PEOPLE if user in line])
        await stage.until_ready(seconds=PATIENCE)

    truth = intervals(entry for entry in stage.host.journal() if entry.accepted)
    recorded: dict[str, list[Interval]] = defaultdict(list)
    with open_history(folder) as database:
        sessions = database.execute(
            "SELECT user_id, granted_at, released_at FROM sessions ORDER BY granted_at"
        ).fetchall()
        waits = database.execute("SELECT user_id, outcome FROM waits ORDER BY began_at").fetchall()
    for user, granted, released in sessions:
        assert released is not None, f"{user} has a seat for ever since {granted}"
        recorded[user].append((granted.replace(tzinfo=UTC), released.replace(tzinfo=UTC)))
    assert {user: len(found) for user, found in recorded.items()} == {user: len(found) for user, found in truth.items()}
    late = []
    for user, found in truth.items():
        for (granted, released), (listed, unlisted) in zip(recorded[user], found, strict=True):
            assert granted <= listed <= released <= unlisted, f"{user}: the intervals are not the same"
            late += [(listed - granted).total_seconds(), (unlisted - released).total_seconds()]
    assert max(late) <= PATIENCE
    assert [user for user, _ in waits] == line.waits
    count = sum(map(len, truth.values()))
    print(  # noqa: T201
        f"{killer.kills} kills, {killer.lost_disks} spools lost: {count} intervals and {len(waits)} waits are the same;"
    )
    late.sort()
    print(f"decision before the list: median {late[len(late) // 2]:.2f} s, at most {late[-1]:.1f} s")  # noqa: T201


def waiting_of(stage: Stage) -> int:
    found = stage.plane.kubectl(
        "get", "seatledger", "-n", stage.namespace, "-o", "jsonpath={.items[*].spec.waiting[*].user}"
    )
    return len(found.split())
