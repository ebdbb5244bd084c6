"""Writes the statuses of many objects: in batches, with a delay, and only if they changed.

A status shows the present state. Of ten changes in a short time only the last is worth a write. So callers pass no status. They
mark the key of an object, and its status is rendered when its turn comes.
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
"""Seconds between two tries if statuses cannot be written: the first pause, and the longest."""
LATER_INTERVAL = 15.0
"""Seconds after which statuses of `mark_later` are rendered."""
LEADERSHIP_INTERVAL = 0.2
"""Seconds between two checks whether this process leads again."""
UNDECIDED_LIMIT = 3.0
"""Seconds for which an undecided status is postponed. Most are decided within 1 s."""


class Postponed(Enum):
    """A rendered status that should not be written yet."""

    UNDECIDED = auto()


class Render(Protocol):
    """Renders the status of an object. It changes nothing.

    None: the status is stored already, or the object is gone. `Postponed`: it should not be written yet. That is never
    returned if `due` is true.
    """

    def __call__(self, key: str, *, due: bool) -> Body | Postponed | None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits the writes of statuses of one kind."""

    delay: float
    """Seconds for which changes are collected."""
    per_second: float
    """Sustained writes a second."""
    concurrency: int
    """Concurrent writes."""


class StatusWriter:
    """Writes the statuses of the objects of one kind."""

    def __init__(
        self,
        resource: type[Resource],
        render: Render,
        *,
        pace: Pace,
        kube: KubeClient,
        metrics: ControlMetrics,
        log: FilteringBoundLogger,
        on_written: Callable[[str, Body], None] = lambda _key, _raw: None,
        leads: Callable[[], bool] = lambda: True,
        version_of: Callable[[str], str | None] = lambda _key: None,
    ) -> None:
        """`version_of` returns the version of an object on which alone it may be written. None: on any."""
        self._resource = resource
        self._version_of = version_of
        self._render = render
        self._pace = pace
        self._kube = kube
        self._metrics = metrics
        self._log = log
        self._on_written = on_written
        self._leads = leads
        self._marked: dict[str, None] = {}
        self._later: dict[str, None] = {}
        self._later_at = 0.0
        self._undecided: dict[str, float] = {}
        """When the status of an object is written even if it is not decided."""
        self._wake = asyncio.Event()

    def mark(self, key: str) -> None:
        """Requests that the status of this object is rendered soon."""
        self._marked[key] = None
        self._wake.set()

    def mark_later(self, key: str) -> None:
        """Requests that a status is rendered within 15 s. It is for changes that may be late, as a place in a long line."""
        self._later[key] = None

    async def run(self) -> None:
        """Writes statuses until cancelled."""
        backoff = Retry()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._longest_rest()):
                    await self._wake.wait()
            await asyncio.sleep(self._pace.delay)
            self._wake.clear()
            now = asyncio.get_running_loop().time()
            self._marked |= dict.fromkeys(key for key, due in self._undecided.items() if due <= now)
            if now - self._later_at >= LATER_INTERVAL:
                self._marked |= self._later
                self._later, self._later_at = {}, now
            while self._marked:
                if not self._leads():
                    await asyncio.sleep(LEADERSHIP_INTERVAL)
                    continue
                batch = list(self._marked)[: self._pace.concurrency]
                for key in batch:
                    del self._marked[key]
                began = asyncio.get_running_loop().time()
                written = await asyncio.gather(*(self._write(key) for key in batch))
                if all(count is not None for count in written):
                    backoff = Retry()
                    rest = sum(filter(None, written)) / self._pace.per_second
                    await asyncio.sleep(max(0.0, rest - (asyncio.get_running_loop().time() - began)))
                else:
                    now = asyncio.get_running_loop().time()
                    backoff = backoff.failed(monotonic=now, first=FIRST_PAUSE, longest=MAX_PAUSE)
                    await asyncio.sleep(backoff.remaining(now))

    def _longest_rest(self) -> float:
        """Returns for how many seconds the writer may rest if nothing is marked."""
        now = asyncio.get_running_loop().time()
        first = min(self._undecided.values(), default=now + LATER_INTERVAL)
        return min(LATER_INTERVAL, max(0.0, first - now))

    async def _write(self, key: str) -> int | None:
        """Writes one status. Returns the number of writes. None: it has to be tried again."""
        body = self._rendered(key)
        if body is None:
            return 0
        namespace, name = key.split("/", 1)
        self._metrics.writes.labels(f"{self._resource.singular}_status").inc()
        document: Body = {"status": body}
        version = self._version_of(key)
        if version is not None:
            document["metadata"] = {"resourceVersion": version}
        try:
            raw = await self._kube.apply(self._resource, namespace, name, document, status=True)
        except NotFound:
            return 1
        except KubeError as error:
            self._log.warning("status not written", kind=self._resource.kind, object=key, error=str(error))
            self.mark(key)
            return None
        self._on_written(key, raw)
        return 1

    def _rendered(self, key: str) -> Body | None:
        """Renders a status. An undecided one is rendered again when it is due."""
        now = asyncio.get_running_loop().time()
        due = self._undecided.get(key)
        body = self._render(key, due=due is not None and due <= now)
        if isinstance(body, Postponed):
            self._undecided.setdefault(key, now + UNDECIDED_LIMIT)
            return None
        self._undecided.pop(key, None)
        return body


def without_times(status: Any) -> Any:
    """Returns the status without transition times. They alone are no change."""
    if isinstance(status, dict):
        return {key: without_times(value) for key, value in status.items() if key != "lastTransitionTime"}
    if isinstance(status, list):
        return [without_times(item) for item in status]
    return status
