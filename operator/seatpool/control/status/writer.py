"""Writes the statuses of many objects in batches, late, and only where they changed.

A status says how things are, not how they came to be: of ten changes within a moment only the last is worth a write. So
callers hand over no status. They mark the key of an object, and its status is rendered when its turn comes.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource
from seatpool.backoff import Retry
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError, NotFound

FIRST_PAUSE, MAX_PAUSE = 0.4, 30.0
"""Seconds between two tries when statuses cannot be written."""
LATER = 15.0
PAUSED = 0.2
"""Seconds between two looks whether this process leads again."""


UNDECIDED_FOR = 3.0
"""Seconds for which a status that is not decided yet is not written: most are decided within one."""


class Postponed(Enum):
    """A rendered status that should not be written yet."""

    UNDECIDED = auto()


class Render(Protocol):
    """Renders the status of an object now, and changes nothing.

    None: the object says so already, or is gone. `Postponed`: it should not be written yet; never if it is `due`.
    """

    def __call__(self, key: str, *, due: bool) -> Body | Postponed | None: ...


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
    """Writes the status of every object of one kind."""

    def __init__(
        self,
        resource: type[Resource],
        render: Render,
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
        self._undecided: dict[str, float] = {}
        self._wake = asyncio.Event()

    def mark(self, key: str) -> None:
        """Has the status of this object rendered soon."""
        self._marked[key] = None
        self._wake.set()

    def mark_later(self, key: str) -> None:
        """Has a status rendered within some seconds, if it may be so old, such as a place in a long line."""
        self._later[key] = None

    @property
    def waiting(self) -> int:
        return len(self._marked)

    async def run(self) -> None:
        """Writes until cancelled."""
        backoff = Retry()
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
                    backoff = Retry()
                    rest = sum(filter(None, answers)) / self._pace.per_second
                    await asyncio.sleep(max(0.0, rest - (asyncio.get_running_loop().time() - began)))
                else:
                    now = asyncio.get_running_loop().time()
                    backoff = backoff.failed(monotonic=now, first=FIRST_PAUSE, longest=MAX_PAUSE)
                    await asyncio.sleep(backoff.remaining(now))

    async def _write(self, key: str) -> int | None:
        """Writes one status. Returns the number of writes; None: it has to be tried again."""
        body = self._rendered(key)
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

    def _rendered(self, key: str) -> Body | None:
        """Renders a status; one that is not decided yet is looked at again later."""
        now = asyncio.get_running_loop().time()
        since = self._undecided.get(key)
        body = self._render(key, due=since is not None and now - since >= UNDECIDED_FOR)
        if isinstance(body, Postponed):
            self._undecided.setdefault(key, now)
            self.mark_later(key)
            return None
        self._undecided.pop(key, None)
        return body


def without_times(status: Any) -> Any:
    """A status as it is compared: transition times alone are no change."""
    if isinstance(status, dict):
        return {key: without_times(value) for key, value in status.items() if key != "lastTransitionTime"}
    if isinstance(status, list):
        return [without_times(item) for item in status]
    return status
