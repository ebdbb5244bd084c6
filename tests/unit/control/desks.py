"""Desks to sit down at."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger
from tests.unit.control.objects import later, raw_pool, raw_server

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.finalizer import Finalizer
from seatpool.control.reconcile.ledger_store import LedgerStore
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.reconcile.write_ahead_log import WriteAheadLog
from seatpool.control.sinks.event_latency import EventLatency
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.sinks.kubernetes_events import Announcer
from seatpool.control.sinks.notifications import Telling
from seatpool.control.sinks.pending_notifications import PendingNotifications
from seatpool.control.state.pool_state import ObservedList, PoolState
from seatpool.kube.client import KubeClient
from seatpool.mirror.workbenches.message_context import MessageContexts
from seatpool.notify.config import NotifyConfig
from seatpool.servers.client import LicenseServerClient
from seatpool.servers.ssm import SsmTransport
from seatpool.tracing.spans import UNTRACED
from seatpool.trail.config import TrailConfig
from seatpool.trail.trail import Trail


class Clock:
    """Both clocks of a reconciler, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return later(self.seconds - 1000)


@dataclass(kw_only=True)
class DeskMaker:
    kube: KubeClient
    clock: Clock
    registry: CollectorRegistry
    log: FilteringBoundLogger
    rng: random.Random

    def desk(
        self,
        standings: Mapping[str, PoolState],
        *,
        pool: Mapping[str, Any] | None = None,
        server: Mapping[str, Any] | None = None,
    ) -> Desk:
        """A desk whose pools, called by these names, stand like this, after it looked round once."""
        store = Store(IdentitySettings())
        metrics = ControlMetrics(self.registry)
        recorder = EventRecorder(self.kube, instance="me", metrics=metrics, log=self.log, clock=self.clock.now)
        around = Dependencies(
            store=store,
            ledgers=LedgerStore(store, self.kube, metrics),
            finalizer=Finalizer(self.kube, metrics),
            announcer=Announcer(
                store=store,
                recorder=recorder,
                metrics=metrics,
                telling=Telling(
                    store=store,
                    installation="ours",
                    tell=lambda _notice: None,
                    trail=Trail(TrailConfig(), holder="me", registry=self.registry, log=self.log),
                    config=NotifyConfig(),
                    departures=PendingNotifications(store=store, is_on_its_way=lambda _id: False),
                    clock=self.clock.now,
                ),
                mark_pool=lambda _key: None,
                mark_workbench=lambda _key: None,
                mark_workbench_later=lambda _key: None,
                log=self.log,
            ),
            journeys=EventLatency(
                take=MessageContexts().take, metrics=metrics, traces=UNTRACED, log=self.log, clock=self.clock.now
            ),
            standings={f"lab/{name}": standing for name, standing in standings.items()},
            installation="ours",
            link_to=lambda server: LicenseServerClient(server.spec, SsmTransport(), name=server.key),
            uninventoried=lambda: (),
            metrics=metrics,
            log=self.log,
            clock=self.clock.now,
            monotonic=self.clock.monotonic,
            rng=self.rng,
        )
        store.put(LicenseServer, raw_server(**(server or {})), now=self.clock.now())
        for name in standings:
            store.put(LicensePool, raw_pool(name, **(pool or {})), now=self.clock.now())
        book = WriteAheadLog(
            "lab/licenses",
            kube=self.kube,
            holder="me",
            metrics=metrics,
            clock=self.clock.now,
            written=lambda _raw: None,
        )
        desk = Desk("lab/licenses", book, around)
        lists: dict[str, ObservedList] = {name: one.known for name, one in standings.items() if one.known is not None}
        desk.view.known = lists
        desk.look_round(store.servers["lab/licenses"])
        return desk
