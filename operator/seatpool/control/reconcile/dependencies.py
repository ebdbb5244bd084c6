"""Dependencies shared by all reconcilers."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.api.licenseserver import LicenseServer
from seatpool.backoff import jitter
from seatpool.cache.store import Store
from seatpool.control.aio.shield import ShieldedTasks
from seatpool.control.leader.leadership import Leadership
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.reconcile.finalizer import Finalizer
from seatpool.control.reconcile.ledger_store import LedgerStore
from seatpool.control.sinks.broadcaster import Broadcaster
from seatpool.control.sinks.event_latency import EventLatency
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_states import PoolStates
from seatpool.control.state.server_view import ConditionParts
from seatpool.domain.instants import to_milliseconds
from seatpool.servers.backend import ListBackend
from seatpool.tracing.spans import UNTRACED, Traces


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """The operator, as its reconcilers see it. What belongs to one server only is in its `ServerState`."""

    store: Store
    ledgers: LedgerStore
    finalizer: Finalizer
    broadcaster: Broadcaster
    latency: EventLatency
    pool_states: PoolStates
    """Where each reconciler publishes the states of its pools."""
    installation: str
    backend_of: Callable[[LicenseServer], ListBackend]
    refusal_of: Callable[[LicenseServer], str | None] = lambda _server: None
    """Why the operator's settings do not allow a LicenseServer. None: they do."""
    uninventoried: Callable[[], tuple[str, ...]]
    """Accounts that were never inventoried: while there are any, no user is released."""
    common_parts: Callable[[], tuple[ConditionParts, ...]] = tuple
    """Conditions that are the same on every server: how current the workbenches and the settings are."""
    metrics: ControlMetrics
    traces: Traces = UNTRACED
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)
    may_write: asyncio.Event = field(default_factory=_set)
    """Set once everything is known that a list is computed from; license servers may be read before."""
    leadership: Leadership = field(default_factory=Leadership.unelected)
    shielded: ShieldedTasks = field(default_factory=ShieldedTasks)
    on_failpoint: Callable[[str, Failpoint], None] = lambda _server, _point: None

    def now(self) -> datetime:
        """Returns the instant as the API server can keep it."""
        return to_milliseconds(self.clock())

    def moment(self) -> Moment:
        """Returns the present moment for a pure function."""
        return Moment(self.now(), self.monotonic(), jitter(self.rng))
