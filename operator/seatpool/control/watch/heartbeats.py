"""Whether each kind is still being watched.

When a watch of Kopf ends by an error, Kopf logs it and never starts another one, and the process lives on, blind. So the
watch itself is looked at, as the task that it is; a kind whose task is gone has no heartbeat, and liveness fails.
A watch that hangs is Kopf's own business: it reconnects when not even a bookmark came for 70 seconds.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from seatpool.api.base import GROUP, VERSION, Resource
from seatpool.control.metrics import ControlMetrics

INTERVAL = 2.0


def watch_tasks(resource: type[Resource]) -> list["asyncio.Task[object]"]:
    """Kopf's living tasks that watch a kind."""
    prefix = f"watcher for {resource.plural}.{VERSION}.{GROUP}@"
    return [task for task in asyncio.all_tasks() if task.get_name().startswith(prefix)]


class WatchHeartbeats:
    """When the watch of each kind was last seen alive."""

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
        self._alive = {kind.kind: monotonic() for kind in kinds}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(INTERVAL)

    def look(self) -> None:
        now = self._monotonic()
        for kind in self._kinds:
            if len(watch_tasks(kind)) >= self._watches:
                self._alive[kind.kind] = now
            self._metrics.watch_age.labels(kind.kind).set(now - self._alive[kind.kind])

    def problems(self, *, limit: float) -> dict[str, str | None]:
        """For each kind what is wrong with its watch, or None."""
        now = self._monotonic()
        return {
            f"watch of {kind}": None if now - alive <= limit else f"not alive for {now - alive:.0f} s"
            for kind, alive in self._alive.items()
        }
