"""Settings that change while the operator runs: Helm renews a mounted file, and nobody should have to restart for it.

The files are read again and again, because a mounted ConfigMap changes by a swapped link that not every kind of watching
sees. Accounts, aliases and the normalisation of owners are taken over at once, all or none. New content that cannot
be used changes nothing: it is told once, counted, and the old goes on. Everything else waits for a restart, and that is
told too.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.errors import KubeError
from seatpool.mirror.mirror import Mirror
from seatpool.settings.settings import Settings, load_again

INTERVAL = 5.0
NOT_LIVE = ("mirror", "identity")
"""Sections that are looked at field by field, or taken over as a whole."""


@dataclass(kw_only=True)
class SettingsReload:
    """Of one operator, whose settings came from files."""

    settings: Settings
    mirror: Mirror
    store: Store
    metrics: ControlMetrics
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    _seen: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._seen = _digest(self.settings)
        self.metrics.settings_valid.set(True)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.look()

    async def look(self) -> None:
        """Once; nothing happens while the files are as they were."""
        digest = await asyncio.to_thread(_digest, self.settings)
        if digest == self._seen:
            return
        try:
            fresh = await asyncio.to_thread(load_again, self.settings)
            waiting = await self.mirror.reconfigure(fresh.mirror)
        except KubeError as error:
            self.log.warning("settings not taken over yet", error=str(error))
            return  # and looked at again
        except SeatpoolError as error:
            self._seen = digest
            self.metrics.settings_valid.set(False)
            self.metrics.settings_reloads.labels("refused").inc()
            self.log.error("changed settings refused, the old ones stay", error=str(error))
            return
        self._seen = _digest(fresh)
        self.store.identify(fresh.identity, now=self.clock())
        waits = sorted({f"mirror.{name}" for name in waiting} | self._other_changes(fresh))
        self.settings = fresh
        self.metrics.settings_valid.set(True)
        self.metrics.settings_reloads.labels("applied").inc()
        self.metrics.settings_waiting.set(len(waits))
        self.log.info("changed settings taken over", waiting_for_a_restart=waits)

    def _other_changes(self, fresh: Settings) -> set[str]:
        return {
            name
            for name in Settings.model_fields
            if name not in NOT_LIVE and getattr(fresh, name) != getattr(self.settings, name)
        }


def _digest(settings: Settings) -> str:
    """Of what the files say now; a file that is away for the moment of a swap is as if it were empty."""
    content = hashlib.sha256()
    for file in (type(settings).file, settings.identity.mapping_file):
        content.update(b"|" + _read(file) if file is not None else b"-")
    return content.hexdigest()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
