"""Status of many objects, written in batches, late, and only where it changed.

A status says how things are, not how they came to be: of ten changes within a moment only the last is worth a write. So
nobody hands a status over; the key of an object is marked, and what it is by then is rendered when its turn comes.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError, NotFound

MAX_PAUSE = 30.0
LATER = 15.0
PAUSED = 0.2
"""Between two looks whether this process leads again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast statuses of a kind may be written."""

    delay: float
    """Seconds that changes are collected."""
    per_second: float
    """Sustained writes in a second."""
    at_once: int
    """Writes at the same time."""


class StatusWriter:
    """The status of every object of one kind."""

    def __init__(
        self,
        resource: type[Resource],
        render: Callable[[str], Body | None],
        *,
        pace: Pace,
        kube: KubeClient,
        metrics: ControlMetrics,
        log: FilteringBoundLogger,
        written: Callable[[str, Body], None] = lambda _key, _raw: None,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._resource = resource
        self._render = render
        self._pace = pace
        self._kube = kube
        self._metrics = metrics
        self._log = log
        self._written = written
        self._leads = leads
        self._marked: dict[str, None] = {}
        self._later: dict[str, None] = {}
        self._later_at = 0.0
        self._wake = asyncio.Event()

    def mark(self, key: str) -> None:
        """The status of this object may be another one now."""
        self._marked[key] = None
        self._wake.set()

    def mark_later(self, key: str) -> None:
        """As `mark`, for what may be some seconds out of date, such as a place in a long line."""
        self._later[key] = None

    @property
    def waiting(self) -> int:
        return len(self._marked)

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LATER):
                    await self._wake.wait()
            await asyncio.sleep(self._pace.delay)
            self._wake.clear()
            now = asyncio.get_running_loop().time()
            if now - self._later_at >= LATER:
                self._marked |= self._later
                self._later, self._later_at = {}, now
            while self._marked:
                if not self._leads():
                    await asyncio.sleep(PAUSED)
                    continue
                batch = list(self._marked)[: self._pace.at_once]
                for key in batch:
                    del self._marked[key]
                began = asyncio.get_running_loop().time()
                answers = await asyncio.gather(*(self._write(key) for key in batch))
                if all(answer is not None for answer in answers):
                    failures = 0
                    rest = sum(filter(None, answers)) / self._pace.per_second
                    await asyncio.sleep(max(0.0, rest - (asyncio.get_running_loop().time() - began)))
                else:
                    failures += 1
                    await asyncio.sleep(min(MAX_PAUSE, 0.2 * 2.0 ** min(failures, 10)))

    async def _write(self, key: str) -> int | None:
        """Writes made, 0 when there was nothing to write; None when it has to be tried again."""
        body = self._render(key)
        if body is None:
            return 0
        namespace, name = key.split("/", 1)
        self._metrics.writes.labels(f"{self._resource.singular}_status").inc()
        try:
            raw = await self._kube.apply(self._resource, namespace, name, {"status": body}, status=True)
        except NotFound:
            return 1
        except KubeError as error:
            self._log.warning("status not written", kind=self._resource.kind, object=key, error=str(error))
            self.mark(key)
            return None
        self._written(key, raw)
        return 1


def without_times(status: Any) -> Any:
    """A status as it is compared: transition times alone are no change."""
    if isinstance(status, dict):
        return {key: without_times(value) for key, value in status.items() if key != "lastTransitionTime"}
    if isinstance(status, list):
        return [without_times(item) for item in status]
    return status
