"""Answers from the recorded history: usage and plans, without holding up any other request.

Each is computed in a process of its own, one at a time, with a lower priority and a limit of time. A thread would share
Python's lock with the event loop, and could not be ended. Answers are kept for some minutes.
"""

import asyncio
import os
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from structlog.typing import FilteringBoundLogger

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import Mode
from seatpool.domain.errors import SeatpoolError
from seatpool.history.config import HistoryConfig
from seatpool.threads import run_in
from seatpool.web.cluster import LiveCluster
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.usage import Plan, Usage

if TYPE_CHECKING:
    from seatpool.domain.rules import PoolRules
    from seatpool.planner.target import Target

T = TypeVar("T")
USUAL_TARGET = "share served within 10m >= 95%"
FRESH = 60.0
"""Seconds for which an answer is used without a look at the history's files."""
UNCHANGED = 600.0
"""Seconds for which it is used if no file is newer."""
LIMIT = 60.0
"""Seconds that a computation may take."""
PATIENCE = 90.0
"""Seconds that a request waits, for those before it and for its own answer."""
MOST_WAITING = 16
"""Computations that may wait for their turn."""
MOST_ANSWERS = 200
NICENESS = 10
LOOK_INTERVAL = 0.2
"""Seconds between two looks whether a computation has to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuestion:
    """What is asked of the history."""

    pool: str
    since: str | None
    """A day, an instant, or a length before the end such as 90d. None: 30 days."""
    until: str | None
    """A day or an instant. None: the end of the history."""
    zone: tzinfo
    dry_run: bool = False
    """Whether seats in DryRun count."""


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: object
    at: float
    stamp: float
    """When a file of the history last came or went, before the answer was computed."""


@dataclass(kw_only=True)
class HistoryAnswers:
    """The answers from one history. Without a location it refuses every question."""

    config: HistoryConfig
    """Where the history is. It is only read."""
    cluster: LiveCluster
    log: FilteringBoundLogger
    limit: float = LIMIT
    monotonic: Callable[[], float] = time.monotonic
    _kept: OrderedDict[Hashable, _Kept] = field(default_factory=OrderedDict, init=False)
    _computing: dict[Hashable, "asyncio.Task[object]"] = field(default_factory=dict, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    _ending: threading.Event = field(default_factory=threading.Event, init=False)

    def end(self) -> None:
        """Ends the computation that runs, and all that wait."""
        self._ending.set()

    async def usage(
        self, pool: LicensePool, *, since: str | None = None, until: str | None = None, zone: tzinfo = UTC
    ) -> Usage:
        """Returns the usage of a pool in a window, which `HistoryQuestion` describes. Raises Refusal."""
        asked = HistoryQuestion(pool=pool.key, since=since, until=until, zone=zone, dry_run=self._is_in_dry_run(pool))
        return cast("Usage", await self._answer(("usage", asked), partial(_usage, self.config, asked)))

    async def plan(
        self, pool: LicensePool, *, since: str | None = None, zone: tzinfo = UTC, target: str | None = None
    ) -> Plan:
        """Returns what other numbers of seats would have given. Raises Refusal.

        `target` is as for `seatpool plan`. None: `USUAL_TARGET`.
        """
        from seatpool.planner.target import InvalidTarget, Target

        text = target or USUAL_TARGET
        try:
            read = Target.read(text)
        except InvalidTarget as error:
            raise _refused("target", text, str(error).removeprefix(f"--target {text!r}: ")) from error
        asked = HistoryQuestion(pool=pool.key, since=since, until=None, zone=zone)
        # A copy is without what the pool's own rules were already compiled to, which no process can be given.
        rules = replace(self.cluster.store.rules[pool.key])
        found = await self._answer(("plan", asked, rules, read), partial(_plan, self.config, asked, rules, read))
        return cast("Plan", found)

    def _is_in_dry_run(self, pool: LicensePool) -> bool:
        server = self.cluster.store.servers.get(pool.server_key)
        return Mode.DRY_RUN in (pool.spec.mode, None if server is None else server.spec.mode)

    async def _answer(self, name: Hashable, work: Callable[[], object]) -> object:
        if self.config.location is None:
            raise Refusal(ProblemId.NO_HISTORY)
        known, now = self._kept.get(name), self.monotonic()
        if known is not None and (
            now - known.at < FRESH or (now - known.at < UNCHANGED and await run_in(None, self._newest) == known.stamp)
        ):
            return known.answer
        computing = self._computing.get(name)
        if computing is None:
            if len(self._computing) > MOST_WAITING:
                raise Refusal(ProblemId.HISTORY_BUSY, retry_after=int(self.limit))
            # One computation for all requests that come meanwhile. It goes on if one of them is given up.
            computing = self._computing[name] = asyncio.create_task(self._compute(name, work))
            computing.add_done_callback(lambda done: self._computed(name, done))
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(computing)
        except TimeoutError as error:
            raise Refusal(ProblemId.HISTORY_BUSY, retry_after=int(self.limit)) from error

    def _computed(self, name: Hashable, done: "asyncio.Task[object]") -> None:
        self._computing.pop(name, None)
        if not done.cancelled():
            done.exception()  # it is retrieved, also if every request was given up

    async def _compute(self, name: Hashable, work: Callable[[], object]) -> object:
        async with self._turn:
            stamp = await run_in(None, self._newest)
            kind, found = await run_in(None, lambda: run_limited(work, seconds=self.limit, ending=self._ending))
        if kind != "answer":
            raise self._refusal(kind, str(found))
        self._kept.pop(name, None)
        self._kept[name] = _Kept(found, self.monotonic(), stamp)
        if len(self._kept) > MOST_ANSWERS:
            self._kept.popitem(last=False)
        return found

    def _newest(self) -> float:
        """Returns when a file of the history last came or went. 0: it is not known."""
        if self.config.is_s3:
            return 0.0
        try:
            days = Path(self.config.location or "").glob("kind=*/day=*")
            return max((day.stat().st_mtime for day in days), default=0.0)
        except OSError:
            return 0.0

    def _refusal(self, kind: str, text: str) -> Refusal:
        """Returns the problem for what a computation ended with. Texts that name files are for the log."""
        match kind:
            case "UnclearQuestion":
                option, _, problem = text.partition(": ")
                name, _, value = option.removeprefix("--").partition(" ")
                return _refused(name, value, problem)
            case "NothingToReport" | "NoSuchPast":
                return Refusal(ProblemId.NOTHING_RECORDED)
            case "TooMuchPast" | "TooSlow":
                return Refusal(ProblemId.TOO_MUCH_HISTORY)
            case _:
                self.log.error("the history was not read", kind=kind, error=text)
                return Refusal(ProblemId.HISTORY_UNREADABLE, retry_after=int(self.limit))


def run_limited(work: Callable[[], object], *, seconds: float, ending: threading.Event) -> tuple[str, object]:
    """Runs `work` in a process of its own. Returns `answer` and its answer, or the name of an error and its text.

    `TooSlow`: it took longer than so many seconds, and was ended. `Ended`: its process ended without an answer, or
    `ending` was set.
    """
    if ending.is_set():
        return "Ended", "the service stops"
    deadline = time.monotonic() + seconds
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(sending, work), daemon=True)
    try:
        process.start()
        sending.close()
        while not receiving.poll(LOOK_INTERVAL):
            if ending.is_set():
                return "Ended", "the service stops"
            if time.monotonic() >= deadline:
                return "TooSlow", ""
        found: tuple[str, object] = receiving.recv()
    except (EOFError, OSError) as error:
        return "Ended", f"its process ended without an answer ({process.exitcode}): {error}"
    finally:
        receiving.close()
        if process.pid is not None:
            process.kill()
            process.join()
            process.close()
    return found


def _in_process(sending: Connection, work: Callable[[], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    try:
        found: tuple[str, object] = "answer", work()
    except SeatpoolError as error:
        found = type(error).__name__, str(error)
    except Exception as error:  # noqa: BLE001
        found = "Unexpected", f"{type(error).__name__}: {error}"
    sending.send(found)


def _usage(config: HistoryConfig, asked: HistoryQuestion) -> Usage:
    from seatpool.web import history_work

    return history_work.usage(config, asked)


def _plan(config: HistoryConfig, asked: HistoryQuestion, rules: "PoolRules", target: "Target") -> Plan:
    from seatpool.web import history_work

    return history_work.plan(config, asked, rules, target)


def _refused(name: str, value: str, problem: str) -> Refusal:
    return Refusal(
        ProblemId.BAD_PARAMETER, parameter=f"{name} (query)", value=ascii(value)[:80], problem=problem.rstrip(".")
    )
