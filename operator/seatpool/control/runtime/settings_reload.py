"""Applies settings files that change while the operator runs, for example when Helm updates a mounted ConfigMap.

The files are polled every 5 s, because a mounted ConfigMap changes by a swapped link that not every kind of file watch sees.

- Accounts, aliases and the normalisation of owners are applied at once, all or none.
- Invalid settings change nothing. They are logged once and counted, and the old settings stay.
- So do mappings that lost many entries, because a failed export looks like everybody leaving.
- All other settings wait for a restart. The log and a metric say so.
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
from seatpool.control.state.server_view import ConditionParts
from seatpool.control.status.settings import settings_part
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import KubeError
from seatpool.mirror.mirror import Mirror
from seatpool.settings.lost_entries import check_losses
from seatpool.settings.settings import Settings, load_again
from seatpool.threads import run_in

INTERVAL = 5.0
"""Seconds between two checks."""
LIVE_SECTIONS = ("mirror", "identity", "reload")
"""Sections of which at least some fields are applied without a restart."""


@dataclass(kw_only=True)
class SettingsReload:
    """Polls the settings files of one operator and applies changes."""

    settings: Settings
    mirror: Mirror
    store: Store
    metrics: ControlMetrics
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    _handled_digest: str = field(default="", init=False)
    """Digest of the files that were applied or refused last."""
    _refused_since: datetime | None = field(default=None, init=False)
    _waiting: tuple[str, ...] = field(default=(), init=False)
    """Changed settings that need a restart."""

    def __post_init__(self) -> None:
        self._handled_digest = _digest(self.settings)
        self.metrics.settings_valid.set(True)

    @property
    def condition(self) -> ConditionParts:
        """Whether the files are in use, as every LicenseServer says it."""
        return settings_part(self._refused_since, waiting=self._waiting)

    async def run(self) -> None:
        """Checks the files until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.check()

    async def check(self) -> None:
        """Applies the settings files if they changed."""
        digest = await run_in(None, lambda: _digest(self.settings))
        if digest == self._handled_digest:
            return
        try:
            changed = await run_in(None, lambda: load_again(self.settings))
            check_losses(self.settings, changed)
            waiting = await self.mirror.reconfigure(changed.mirror)
        except KubeError as error:
            self.log.warning("settings not taken over yet", error=str(error))
            return  # the next check tries again
        except SeatpoolError as error:
            self._handled_digest = digest
            self.metrics.settings_valid.set(False)
            self.metrics.settings_reloads.labels("refused").inc()
            self.log.error("changed settings refused, the old ones stay", error=str(error))
            self._refused_since = self._refused_since or to_milliseconds(self.clock())
            self._wake_servers()
            return
        self._handled_digest = _digest(changed)
        self.store.set_identity(changed.identity, now=self.clock())
        need_restart = sorted({f"mirror.{name}" for name in waiting} | self._other_changes(changed))
        self.settings = changed
        self.metrics.settings_valid.set(True)
        self.metrics.settings_reloads.labels("applied").inc()
        self.metrics.settings_waiting.set(len(need_restart))
        self._refused_since, self._waiting = None, tuple(need_restart)
        self._wake_servers()
        self.log.info("changed settings taken over", waiting_for_a_restart=need_restart)

    def _wake_servers(self) -> None:
        """Has the condition written."""
        for key in self.store.servers:
            self.store.wake_server(key)

    def _other_changes(self, changed: Settings) -> set[str]:
        return {
            name
            for name in Settings.model_fields
            if name not in LIVE_SECTIONS and getattr(changed, name) != getattr(self.settings, name)
        }


def _digest(settings: Settings) -> str:
    """Returns a digest of the files. A file that is missing during a swap counts as empty."""
    content = hashlib.sha256()
    for file in (type(settings).file, settings.identity.mapping_file):
        content.update(b"|" + _read(file) if file is not None else b"-")
    return content.hexdigest()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
