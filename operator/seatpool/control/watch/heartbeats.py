"""Tracks whether each kind is still watched.

If a watch of Kopf fails, Kopf logs it and never starts another one. The process lives on and sees no changes. So the task of
the watch itself is checked. If it is gone, the kind has no heartbeat and liveness fails.

Kopf itself handles a watch that hangs: it reconnects if not even a bookmark came for 70 s.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from seatpool.api.base import GROUP, VERSION, Resource
from seatpool.control.metrics import ControlMetrics

INTERVAL = 2.0
"""Seconds between two checks."""


def watch_tasks(resource: type[Resource]) -> list["asyncio.Task[object]"]:
    """Returns Kopf's running tasks that watch a kind."""
    prefix = f"watcher for {resource.plural}.{VERSION}.{GROUP}@"
    return [task for task in asyncio.all_tasks() if task.get_name().startswith(prefix)]


class WatchHeartbeats:
    """Tracks when the watch of each kind was last seen alive."""

    def __init__(
        self,
        kinds: Sequence[type[Resource]],
        *,
        watches: int,
        metrics: ControlMetrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinds = tuple(kinds)
        self._watches = watches
        self._metrics = metrics
        self._monotonic = monotonic
        self._alive_at = {kind.kind: monotonic() for kind in kinds}

    async def run(self) -> None:
        """Checks the watches until cancelled."""
        while True:
            self.check()
            await asyncio.sleep(INTERVAL)

    def check(self) -> None:
        """Records which kinds are watched now."""
        now = self._monotonic()
        for kind in self._kinds:
            if len(watch_tasks(kind)) >= self._watches:
                self._alive_at[kind.kind] = now
            self._metrics.watch_age.labels(kind.kind).set(now - self._alive_at[kind.kind])

    def problems(self, *, limit: float) -> dict[str, str | None]:
        """Returns the problem of each kind's watch. None: it was seen alive within `limit` seconds."""
        now = self._monotonic()
        return {
            f"watch of {kind}": None if now - alive <= limit else f"not alive for {now - alive:.0f} s"
            for kind, alive in self._alive_at.items()
        }
