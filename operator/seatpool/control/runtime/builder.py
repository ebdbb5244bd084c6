"""Building the parts of an operator and telling them of each other. Nothing is started here."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.aws.sessions import SessionFactory
from seatpool.cache.store import Store
from seatpool.control.aio.shield import ShieldedTasks
from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.leader.leadership import Leadership
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.controller import Controller
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.reconcile.finalizer import Finalizer
from seatpool.control.reconcile.ledger_store import LedgerStore
from seatpool.control.reconcile.reconciler import ServerReconciler
from seatpool.control.reconcile.write_ahead_log import WriteAheadLog
from seatpool.control.runtime.settings_reload import SettingsReload
from seatpool.control.sinks.event_latency import EventLatency
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.sinks.history import Chronicle
from seatpool.control.sinks.kubernetes_events import Announcer
from seatpool.control.sinks.mirror_health import MirrorHealthSink
from seatpool.control.sinks.notifications import Telling
from seatpool.control.sinks.pending_notifications import PendingNotifications
from seatpool.control.sinks.seat_tags import SeatTagSink
from seatpool.control.state.pool_state import PoolState
from seatpool.control.status.mirror import mirror_parts
from seatpool.control.status.render import StatusRenderer
from seatpool.control.status.writer import Pace, StatusWriter
from seatpool.control.watch.informer import Informer
from seatpool.control.watch.resync import Resync
from seatpool.history.factory import make_recording
from seatpool.history.pseudonyms import Pseudonyms
from seatpool.kube.client import KubeClient
from seatpool.mirror.mirror import Mirror
from seatpool.notify.factory import make_outbox
from seatpool.notify.outbox import Outbox
from seatpool.policy.ended_entries import IsRecorded
from seatpool.servers.client import LicenseServerClient
from seatpool.servers.ssm import SsmTransport
from seatpool.settings.settings import Settings
from seatpool.tracing.spans import Traces
from seatpool.trail.trail import Trail

KINDS: tuple[type[Resource], ...] = (LicenseServer, LicensePool, SeatLedger, Workbench)
"""In the order in which they are listed: a pool without its server, or without its memory, is something else."""
WORKBENCH_DELAY = 0.5
AT_ONCE = 8
POOL_PACE = Pace(delay=0.2, per_second=50, at_once=AT_ONCE)


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """What an operator is given from outside its process, and what it is known by."""

    settings: Settings
    holder: str
    kube: KubeClient
    transport: SsmTransport
    session_factory: SessionFactory
    registry: CollectorRegistry
    metrics: ControlMetrics
    traces: Traces
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    rng: random.Random
    leadership: Leadership
    unbroken: ShieldedTasks
    on_failpoint: Callable[[str, Failpoint], None]


@dataclass(frozen=True, kw_only=True)
class Components:
    """Those that are started, and those that are looked at."""

    store: Store
    mirror: Mirror
    recorder: EventRecorder
    view: Informer
    audit: Resync
    mirror_watch: MirrorHealthSink
    reloading: SettingsReload
    pool_statuses: StatusWriter
    workbench_statuses: StatusWriter
    outbox: Outbox
    chronicle: Chronicle | None
    reactions: Controller
    seat_signal: SeatTagSink | None


def assemble(outside: OperatorConfig, *, installation: str, tasks: Supervisor, may_write: asyncio.Event) -> Components:
    """All parts, ready to be started. Reconcilers read the license servers at once, and write when `may_write` is set.

    Nothing reacts to what the store is told before `reactions.attach`.
    """
    settings, kube, metrics, log, clock = outside.settings, outside.kube, outside.metrics, outside.log, outside.clock
    leadership = outside.leadership
    standings: dict[str, PoolState] = {}
    store = Store(settings.identity)
    mirror = Mirror(
        settings.mirror, kube, registry=outside.registry, log=log, session_factory=outside.session_factory, clock=clock,
        traces=outside.traces, leads=lambda: leadership.leads,
    )  # fmt: skip
    journeys = EventLatency(take=mirror.origins.take, metrics=metrics, traces=outside.traces, log=log, clock=clock)
    store.on_moved = journeys.seen
    recorder = EventRecorder(
        kube, instance=outside.holder, metrics=metrics, log=log, clock=clock, speaks=leadership.taken.is_set
    )
    view = Informer(store=store, mirror=mirror, recorder=recorder, metrics=metrics, log=log, clock=clock)
    rendering = StatusRenderer(store, standings, clock, later=lambda key: workbench_statuses.mark_later(key))
    pool_statuses = StatusWriter(
        LicensePool, rendering.pool, pace=POOL_PACE, kube=kube, metrics=metrics, log=log,
        written=lambda _key, raw: view.renewed(LicensePool, raw), leads=lambda: leadership.leads,
    )  # fmt: skip
    workbench_statuses = StatusWriter(
        Workbench, rendering.workbench, pace=_workbench_pace(settings), kube=kube, metrics=metrics, log=log,
        written=lambda _key, raw: view.renewed(Workbench, raw), leads=lambda: leadership.leads,
    )  # fmt: skip
    finalizer = Finalizer(kube, metrics)
    chronicle = _chronicle(outside, store, installation)
    outbox, telling = _telling(outside, store, installation, chronicle)
    around = Dependencies(
        store=store,
        ledgers=LedgerStore(store, kube, metrics, _is_known_outside(chronicle, telling)),
        finalizer=finalizer,
        announcer=Announcer(
            store=store,
            recorder=recorder,
            metrics=metrics,
            telling=telling,
            mark_pool=pool_statuses.mark,
            mark_workbench=workbench_statuses.mark,
            mark_workbench_later=workbench_statuses.mark_later,
            log=log,
        ),
        journeys=journeys,
        standings=standings,
        installation=installation,
        link_to=_links(settings, outside.transport),
        uninventoried=mirror.unknown_sources,
        mirror_parts=lambda: mirror_parts(mirror.health),
        metrics=metrics,
        traces=outside.traces,
        log=log,
        clock=clock,
        rng=outside.rng,
        may_write=may_write,
        leadership=leadership,
        unbroken=outside.unbroken,
        on_failpoint=outside.on_failpoint,
    )
    reactions = Controller(
        store=store,
        standings=standings,
        journeys=journeys,
        metrics=metrics,
        recorder=recorder,
        finalizer=finalizer,
        pool_statuses=pool_statuses,
        workbench_statuses=workbench_statuses,
        tasks=tasks,
        make_reconciler=_reconcilers(outside, around, view),
        rng=outside.rng,
        log=log,
        pool_gone=chronicle.pool_gone if chronicle is not None else lambda _pool: None,
    )
    audit = Resync(
        kinds=KINDS, namespaces=settings.namespaces, kube=kube, store=store, take=view.took, forget=view.lost,
        metrics=metrics, log=log, clock=clock,
    )  # fmt: skip
    return Components(
        store=store,
        mirror=mirror,
        recorder=recorder,
        view=view,
        audit=audit,
        reloading=SettingsReload(settings=settings, mirror=mirror, store=store, metrics=metrics, log=log, clock=clock),
        mirror_watch=MirrorHealthSink(mirror=mirror, store=store, recorder=recorder),
        pool_statuses=pool_statuses,
        workbench_statuses=workbench_statuses,
        outbox=outbox,
        chronicle=chronicle,
        reactions=reactions,
        seat_signal=_seat_signal(store, mirror),
    )


def _workbench_pace(settings: Settings) -> Pace:
    return Pace(delay=WORKBENCH_DELAY, per_second=settings.status.workbenches_per_second, at_once=AT_ONCE)


def _seat_signal(store: Store, mirror: Mirror) -> SeatTagSink | None:
    tags = mirror.seat_tags
    return SeatTagSink(store=store, wish=tags.wish, forget=tags.forget) if tags is not None else None


def _telling(
    outside: OperatorConfig, store: Store, installation: str, chronicle: Chronicle | None
) -> tuple[Outbox, Telling]:
    settings, log = outside.settings, outside.log
    outbox = make_outbox(
        settings.notify, session_factory=outside.session_factory, registry=outside.registry, log=log,
        clock=outside.clock, rng=outside.rng,
    )  # fmt: skip
    trail = Trail(settings.audit, holder=outside.holder, registry=outside.registry, log=log)
    trail.bind({"installation": installation})
    telling = Telling(
        store=store,
        installation=installation,
        tell=outbox.tell if outbox.is_used else None,
        trail=trail,
        config=settings.notify,
        departures=PendingNotifications(store=store, is_on_its_way=outbox.holds),
        clock=outside.clock,
        chronicle=chronicle,
    )
    return outbox, telling


def _is_known_outside(chronicle: Chronicle | None, telling: Telling) -> IsRecorded | None:
    """When the ledger may forget what ended: once the history has it and everybody was told."""
    told = telling.is_told if telling.tell is not None else None
    if chronicle is None or told is None:
        return chronicle.is_recorded if chronicle is not None else told
    return lambda pool, ended: chronicle.is_recorded(pool, ended) and told(pool, ended)


def _chronicle(outside: OperatorConfig, store: Store, installation: str) -> Chronicle | None:
    config = outside.settings.history
    recording = make_recording(
        config, session_factory=outside.session_factory, registry=outside.registry, log=outside.log, clock=outside.clock
    )
    if recording is None:
        return None
    return Chronicle(
        store=store,
        installation=installation,
        recording=recording,
        pseudonyms=Pseudonyms.from_file(config.salt_file),
        clock=outside.clock,
    )


def _links(settings: Settings, transport: SsmTransport) -> Callable[[LicenseServer], LicenseServerClient]:
    pin = None if settings.servers.document_hash else ""
    return lambda server: LicenseServerClient(server.spec, transport, name=server.key, pinned_hash=pin)


def _reconcilers(outside: OperatorConfig, around: Dependencies, view: Informer) -> Callable[[str], ServerReconciler]:
    def make(key: str) -> ServerReconciler:
        book = WriteAheadLog(
            key,
            kube=outside.kube,
            holder=outside.holder,
            metrics=outside.metrics,
            clock=outside.clock,
            written=lambda raw: view.renewed(LicenseServer, raw),
        )
        return ServerReconciler(key, book, around)

    return make
