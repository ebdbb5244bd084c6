"""A recording that runs, and what can be seen of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry
from tests.unit.history.rows import NOON
from tests.waiting import PATIENCE

from seatpool.history.archive import FolderArchive
from seatpool.history.config import HistoryConfig
from seatpool.history.metrics import HistoryMetrics
from seatpool.history.recording import Recording
from seatpool.history.store import open_history


class Running:
    def __init__(self, folder: Path, archive: FolderArchive | None = None, **settings: Any) -> None:
        self.folder = folder
        self.registry = CollectorRegistry()
        values = {"location": str(folder), "flush_interval": "1s"} | settings
        self.recording = Recording(
            HistoryConfig.model_validate(values),
            archive or FolderArchive(folder),
            metrics=HistoryMetrics(self.registry),
            log=structlog.get_logger(),
            clock=lambda: NOON,
        )

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.recording.run())
        try:
            yield
            assert not task.done()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"seatpool_history_{name}", labels) or 0

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        if not self.folder.is_dir():
            return []
        with open_history(self.folder) as database:
            return database.execute(question).fetchall()

    def people(self) -> list[str]:
        return [user for (user,) in self.ask("SELECT user_id FROM sessions ORDER BY 1")]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
