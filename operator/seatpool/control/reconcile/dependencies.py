"""What all reconcilers of one operator share, and nothing that belongs to one server only."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.api.licenseserver import LicenseServer
from seatpool.cache.store import Store
from seatpool.control.aio.shield import Unbroken
from seatpool.control.leader.leadership import Leadership
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.failpoints import Step
from seatpool.control.reconcile.finalizer import Finalizer
from seatpool.control.reconcile.ledger_store import LedgerBook
from seatpool.control.sinks.event_latency import Journeys
from seatpool.control.sinks.kubernetes_events import Announcer
from seatpool.control.state.pool_state import Standing
from seatpool.control.status.server import Parts
from seatpool.policy.ledger_codec import to_milliseconds
from seatpool.servers.client import ServerLink
from seatpool.tracing.spans import UNTRACED, Traces


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The operator, as its reconcilers see it."""

    store: Store
    ledgers: LedgerBook
    finalizer: Finalizer
    announcer: Announcer
    journeys: Journeys
    standings: dict[str, Standing]
    """Of every pool, by key."""
    installation: str
    link_to: Callable[[LicenseServer], ServerLink]
    uninventoried: Callable[[], tuple[str, ...]]
    """Accounts that may hide workbenches: while there are any, nobody is released."""
    mirror_parts: Callable[[], tuple[Parts, ...]] = tuple
    """How current the workbenches are, as conditions."""
    metrics: ControlMetrics
    traces: Traces = UNTRACED
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)
    may_write: asyncio.Event = field(default_factory=_set)
    """Set once everything is known that a list is computed from; license servers may be read before."""
    leadership: Leadership = field(default_factory=Leadership.unelected)
    unbroken: Unbroken = field(default_factory=Unbroken)
    on_step: Callable[[str, Step], None] = lambda _server, _step: None

    def now(self) -> datetime:
        """The instant as the API server can keep it."""
        return to_milliseconds(self.clock())
