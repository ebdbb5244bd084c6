"""Writes the statuses of APIKeys: what became of each, and when its key was used.

Every replica does it. Each write is a compare-and-swap, so one of them succeeds, and the one whose write it was notes it in the
audit trail. While the settings change, replicas may differ about an APIKey. A replica whose word was replaced waits before it
writes the same again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from structlog.typing import FilteringBoundLogger

from seatpool.api.apikey import APIKey, APIKeyStatus, KeyPhase
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Conflict, KubeError, NotFound
from seatpool.trail.trail import Action, Trail
from seatpool.web.keys import audit
from seatpool.web.keys.index import KeyIndex
from seatpool.web.keys.lifecycle import KeyState, status_of

INTERVAL = 15.0
"""Seconds after which a key that ended by itself is seen to have ended, and a write that failed is tried again."""
USED_INTERVAL = timedelta(hours=1)
"""Between two writes that a key was used."""
_AGAIN = timedelta(seconds=INTERVAL)
"""Between two writes that say the same about an APIKey."""
_NOTED = {
    KeyPhase.APPROVED: Action.KEY_APPROVE,
    KeyPhase.REFUSED: Action.KEY_REFUSE,
    KeyPhase.ENDED: Action.KEY_END,
}


@dataclass(kw_only=True)
class KeyStatuses:
    """The statuses that one process writes."""

    index: KeyIndex
    kube: KubeClient
    state_of: Callable[[APIKey], KeyState]
    trail: Trail
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _used: dict[str, str] = field(default_factory=dict, init=False)
    """Keys of APIKeys that were used, and whose status does not have it yet: the uid by `namespace/name`."""
    _written: dict[tuple[object, ...], datetime] = field(default_factory=dict, init=False)
    """When this replica wrote what: uid, generation and reasons."""
    _is_failing: bool = field(default=False, init=False)

    def wake(self) -> None:
        """Notes that some statuses may differ now."""
        self._woken.set()

    def used(self, key: APIKey) -> None:
        """Notes that a key was used. It is written once in an hour, and if that fails not with each use."""
        last = key.status.last_used_at
        if (last is None or self.clock() - last >= USED_INTERVAL) and key.key not in self._used:
            self._used[key.key] = key.metadata.uid

    async def run(self) -> None:
        """Writes what differs, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._woken.wait()
            self._woken.clear()
            now = self.clock()
            self._written = {said: at for said, at in self._written.items() if now - at < _AGAIN}
            for key in self.index:
                await self._write_state(key)
            used, self._used = self._used, {}
            for name, uid in used.items():
                found = self.index.get(name)
                if found is not None and found.metadata.uid == uid:
                    await self._write_use(found)

    async def _write_state(self, key: APIKey) -> None:
        state, now = self.state_of(key), self.clock()
        status = status_of(key, state, now=now)
        if status == key.status:
            return
        said = (key.metadata.uid, key.metadata.generation, state.ready, state.approval)
        if said in self._written:
            return  # another replica replaced it
        written = await self.write(key, status)
        if written is not None:
            self._written[said] = now
        if written is not None and key.status.phase is not state.phase and state.phase in _NOTED:
            reason = state.approval if state.phase is KeyPhase.APPROVED else state.ready
            audit.note(self.trail, _NOTED[state.phase], written, reason=reason.value)

    async def _write_use(self, key: APIKey) -> None:
        is_first = key.status.last_used_at is None
        written = await self.write(key, key.status.model_copy(update={"last_used_at": self.clock()}))
        if written is not None and is_first:
            audit.note(self.trail, Action.KEY_USE, written)

    async def write(self, key: APIKey, status: APIKeyStatus) -> APIKey | None:
        """Writes a status over that of this very version. Returns the object. None: it was not written."""
        try:
            raw = await write_status(self.kube, key, status)
        except (Conflict, NotFound):
            return None  # another write was first, and the watch brings it
        except KubeError as error:
            if not self._is_failing:
                self._is_failing = True
                self.log.warning("the status of an APIKey was not written", key=key.key, error=str(error))
            return None
        self._is_failing = False
        self.index.upsert(raw)
        return APIKey.model_validate(raw)


async def write_status(kube: KubeClient, key: APIKey, status: APIKeyStatus) -> Mapping[str, Any]:
    """Writes a status over that of this very version. Raises KubeError, of it Conflict if there is a newer one."""
    metadata = key.metadata
    body = {"metadata": {"resourceVersion": metadata.resource_version}, "status": status.wire()}
    return await kube.merge_patch(APIKey, metadata.namespace, metadata.name, body, status=True)
