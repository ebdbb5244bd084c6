"""Records rows beside the reconcile loop. Recording never waits and never fails.

A row goes into a bounded queue, from there in batches to the spool, and from the spool into Parquet files. Each step
has a thread of its own, so a disk that hangs or a bucket that is away delays no seat. Rows that cannot be written are
kept and counted, and one error is logged. If the queue is full, the oldest row is dropped.
"""

import asyncio
import contextlib
import functools
import json
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from seatpool.history.archive import Archive
from seatpool.history.compaction import Compactor
from seatpool.history.config import HistoryConfig
from seatpool.history.metrics import HistoryMetrics
from seatpool.history.schema import Row, row_to_json
from seatpool.history.spool import Spool
from seatpool.history.writing import HistoryNotWritten
from seatpool.threads import UnexpectedEnd, run_in

BATCH = 2000
PAUSE = 1.0
COMPACT_INTERVAL = 600.0
CHECK_INTERVAL = 60.0
LAST_TRY = 3.0
MOST_FAILURES = 3
"""After so many segments that cannot be archived the others wait for the next round."""

Mark = Hashable


class Recording:
    """Queue of rows on their way to files. `note` belongs to the event loop that runs `run`."""

    def __init__(
        self,
        config: HistoryConfig,
        archive: Archive,
        *,
        metrics: HistoryMetrics,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
    ) -> None:
        self._archive = archive
        self._spool = Spool(config.spool_folder)
        self._compactor = Compactor(archive, retention_days=config.retention_days)
        self._interval = config.flush_interval.total_seconds()
        self._metrics = metrics
        self._log = log.bind(history=archive.name)
        self._clock = clock
        self._waiting: deque[tuple[Row, Mark | None]] = deque(maxlen=config.capacity)
        self._news = asyncio.Event()
        self._marks: dict[Mark, bool] = {}
        self._in_segments: dict[Path, set[Mark]] = {}
        self._failing: set[str] = set()
        self._spool_thread = ThreadPoolExecutor(1, thread_name_prefix="history-spool")
        self._archive_thread = ThreadPoolExecutor(1, thread_name_prefix="history-archive")

    # -- what others do ------------------------------------------------------------------------------------------------

    def note(self, row: Row, *, mark: Mark | None = None) -> None:
        """Queues a row. By `mark` the caller can ask what became of it."""
        if len(self._waiting) == self._waiting.maxlen:
            self._metrics.rows.labels("dropped").inc()
            _, lost = self._waiting[0]
            self._marks.pop(lost, None)
        self._waiting.append((row, mark))
        if mark is not None:
            self._marks[mark] = False
        self._metrics.waiting.set(len(self._waiting))
        self._news.set()

    def knows(self, mark: Mark) -> bool:
        """Tells whether the row of this mark was queued and was not dropped since."""
        return mark in self._marks

    def has_archived(self, mark: Mark) -> bool:
        """Tells whether the row of this mark is in a Parquet file."""
        return self._marks.get(mark, False)

    def forget(self, mark: Mark) -> None:
        """Forgets a mark that the caller does not need any more."""
        self._marks.pop(mark, None)

    # -- the work ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Records until it is cancelled. Then it tries once more to write what is queued, for at most 3 s."""
        parts = {"spool": self._keep_spooling, "archive": self._keep_archiving}
        working = [asyncio.ensure_future(self._keep(part, work)) for part, work in parts.items()]
        try:
            await asyncio.gather(*working)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            with contextlib.suppress(TimeoutError, OSError, UnexpectedEnd):
                async with asyncio.timeout(LAST_TRY):
                    await self._end()
            self._spool_thread.shutdown(wait=False, cancel_futures=True)
            self._archive_thread.shutdown(wait=False, cancel_futures=True)

    async def run_check(self) -> None:
        """Tries to write to the spool and to the archive, again and again until both worked once.

        It needs no row and no leadership. So settings with which nothing can ever be written are known at the start.
        """
        left = {
            "spool": (self._spool_thread, self._spool.check),
            "archive": (self._archive_thread, self._archive.check),
        }
        while True:
            for part, (thread, check) in list(left.items()):
                try:
                    await run_in(thread, check)
                except (HistoryNotWritten, OSError) as error:
                    self._failed(part, str(error))
                else:
                    self._works(part)
                    del left[part]
            if not left:
                return
            await asyncio.sleep(CHECK_INTERVAL)

    async def _keep(self, part: str, work: Callable[[], Awaitable[None]]) -> None:
        """Runs a part again after any error. A fault in the history must not end the operator."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001
                self._failed(part, f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE)

    async def _end(self) -> None:
        while self._waiting and await self._spool_some():
            pass
        await self._archive_all()

    async def _keep_spooling(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                if not await self._spool_some():
                    await asyncio.sleep(PAUSE)

    async def _keep_archiving(self) -> None:
        compacted_at = float("-inf")
        loop = asyncio.get_running_loop()
        while True:
            await self._archive_all()
            if loop.time() - compacted_at >= COMPACT_INTERVAL:
                await self._compact()
                compacted_at = loop.time()
            await asyncio.sleep(self._interval)

    async def _spool_some(self) -> bool:
        batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
        try:
            path = await run_in(self._spool_thread, lambda: self._spool.append(map(_line, batch)))
        except OSError as error:
            self._failed("spool", f"{self._spool.folder}: {error.strerror or error}")
            return False
        self._works("spool")
        for row, mark in batch:
            if self._waiting and self._waiting[0][0] is row:  # a full queue may have dropped it meanwhile
                self._waiting.popleft()
            if mark in self._marks:
                self._in_segments.setdefault(path, set()).add(mark)
        self._metrics.rows.labels("spooled").inc(len(batch))
        self._metrics.waiting.set(len(self._waiting))
        return True

    async def _archive_all(self) -> None:
        """Archives every finished segment, the oldest first, also those of earlier processes.

        One segment that fails does not stop the others.
        """
        failures = 0
        segments = await run_in(self._spool_thread, self._finish)
        if not segments and "archive" in self._failing:
            # To archive nothing is no proof that the archive can be written.
            try:
                await run_in(self._archive_thread, self._archive.check)
            except (HistoryNotWritten, OSError) as error:
                self._failed("archive", str(error))
                return
        for path in segments:
            try:
                await run_in(self._archive_thread, functools.partial(self._archive_one, path))
            except (HistoryNotWritten, OSError) as error:
                self._failed("archive", str(error))
                failures += 1
                if failures == MOST_FAILURES:
                    break
                continue
            for mark in self._in_segments.pop(path, ()):
                if mark in self._marks:
                    self._marks[mark] = True
        if not failures:
            self._works("archive")
            self._metrics.archived.set(self._clock().timestamp())

    def _finish(self) -> list[Path]:
        self._spool.cut()
        return self._spool.finished()

    def _archive_one(self, path: Path) -> None:
        if path.exists():  # else another process or an earlier round has archived it
            self._archive.add(path, batch=path.stem)
            path.unlink(missing_ok=True)

    async def _compact(self) -> None:
        today = self._clock().date()
        try:
            await run_in(self._archive_thread, lambda: self._compactor.compact(today=today))
        except (HistoryNotWritten, OSError) as error:
            self._failed("tidying", str(error))
        else:
            self._works("tidying")

    # -- what is told --------------------------------------------------------------------------------------------------

    def _failed(self, part: str, error: str) -> None:
        self._metrics.errors.labels(part).inc()
        self._metrics.failing.labels(part).set(1)
        if part not in self._failing:
            self._failing.add(part)
            self._log.error("history cannot be written; seats are given all the same", part=part, error=error)

    def _works(self, part: str) -> None:
        self._metrics.failing.labels(part).set(0)
        if part in self._failing:
            self._failing.remove(part)
            self._log.info("history can be written again", part=part)


def _line(noted: tuple[Row, Mark | None]) -> str:
    return json.dumps(row_to_json(noted[0]), ensure_ascii=False)
