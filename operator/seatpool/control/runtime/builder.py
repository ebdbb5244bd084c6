"""Builds the components of an operator and connects them. Nothing is started here."""

import asyncio
import random
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, OperatorStatus
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
from seatpool.control.sinks.audit_trail import AuditTrail
from seatpool.control.sinks.broadcaster import Broadcaster, Sink
from seatpool.control.sinks.event_latency import EventLatency
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.sinks.history import History
from seatpool.control.sinks.kubernetes_events import KubernetesEvents
from seatpool.control.sinks.log_lines import LogLines
from seatpool.control.sinks.merged_owners import MergedOwners
from seatpool.control.sinks.mirror_health import MirrorHealthSink
from seatpool.control.sinks.notifications import Notifications
from seatpool.control.sinks.pending_notifications import PendingNotifications
from seatpool.control.sinks.pool_metrics import PoolMetrics
from seatpool.control.sinks.seat_notes import SeatNoteSink
from seatpool.control.sinks.seat_tags import SeatTagSink
from seatpool.control.sinks.status_marks import StatusMarks
from seatpool.control.state.pool_states import PoolStates
from seatpool.control.status.mirror import mirror_parts
from seatpool.control.status.render import StatusRenderer
from seatpool.control.status.writer import Pace, StatusWriter
from seatpool.control.watch.informer import Informer
from seatpool.control.watch.resync import Resync
from seatpool.history.factory import make_recording
from seatpool.history.pseudonyms import Pseudonyms
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Forbidden, NotFound
from seatpool.mirror.mirror import Mirror
from seatpool.notify.factory import make_outbox
from seatpool.notify.outbox import Outbox
from seatpool.policy.allowed_servers import refusal
from seatpool.policy.ended_entries import IsRecorded
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.factory import Backends
from seatpool.servers.ssm.transport import SsmTransport
from seatpool.settings.settings import Settings
from seatpool.tracing.spans import Traces
from seatpool.trail.trail import Trail

KINDS: tuple[type[Resource], ...] = (LicenseServer, LicensePool, SeatLedger, Workbench)
"""The kinds in the order in which they are listed: a pool needs its server and its ledgers first."""
WORKBENCH_DELAY = 0.5
"""Seconds for which changes of workbench statuses are collected."""
CONCURRENCY = 8
"""Concurrent status writes of a kind."""
POOL_PACE = Pace(delay=0.2, per_second=50, concurrency=CONCURRENCY)


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Settings and clients that an operator gets from its process."""

    settings: Settings
    installation: str
    holder: str
    """Name of this process in the Lease, in statuses and in the audit trail."""
    lease: str | None
    """Namespace and name of the Lease that tells that this process is alive. None: there is none."""
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
    shielded: ShieldedTasks
    supervisor: Supervisor
    may_write: asyncio.Event
    """Reconcilers read license servers at once, and write once this is set."""
    on_failpoint: Callable[[str, Failpoint], None]

    def leads(self) -> bool:
        """Whether this process holds the Lease now."""
        return self.leadership.leads


@dataclass(frozen=True, kw_only=True)
class Components:
    """Components that are started, or that others read."""

    store: Store
    mirror: Mirror
    recorder: EventRecorder
    informer: Informer
    resync: Resync
    mirror_health: MirrorHealthSink
    merged_owners: MergedOwners
    settings_reload: SettingsReload
    pool_statuses: StatusWriter
    workbench_statuses: StatusWriter
    server_statuses: StatusWriter
    outbox: Outbox
    history: History | None
    controller: Controller
    seat_tags: SeatTagSink | None
    backends: Backends
    seat_notes: SeatNoteSink | None


def build(config: OperatorConfig) -> Components:
    """Builds all components, ready to be started. Nothing reacts to the cache before `controller.start`."""
    settings, kube, metrics, log, clock = config.settings, config.kube, config.metrics, config.log, config.clock
    store, pool_states = Store(settings.identity), PoolStates()
    mirror = Mirror(
        settings.mirror, kube, registry=config.registry, log=log, session_factory=config.session_factory, clock=clock,
        traces=config.traces, leads=config.leads, namespaces=settings.namespaces,
    )  # fmt: skip
    recorder = EventRecorder(
        kube, instance=config.holder, metrics=metrics, log=log, clock=clock,
        may_post=config.leadership.acquired.is_set, user_names=settings.events.user_names,
    )  # fmt: skip
    informer = Informer(store=store, mirror=mirror, recorder=recorder, metrics=metrics, log=log, clock=clock)
    pools, workbenches, servers = _status_writers(config, store, pool_states, informer)
    latency = EventLatency(
        pop_contexts=mirror.message_contexts.pop, metrics=metrics, traces=config.traces, log=log, clock=clock
    )
    history = _history(config, store)
    outbox, notifications = _notifications(config, store)
    sinks: list[Sink] = [
        latency,
        PoolMetrics(store, metrics),
        *_optional(history),
        AuditTrail(store, _trail(config)),
        *_optional(notifications),
        KubernetesEvents(recorder),
        LogLines(log),
        StatusMarks(
            store=store, mark_pool=pools.mark, mark_workbench=workbenches.mark,
            mark_workbench_later=workbenches.mark_later,
        ),
    ]  # fmt: skip
    broadcaster = Broadcaster(sinks, metrics=metrics, log=log)
    settings_reload = SettingsReload(
        settings=settings, mirror=mirror, store=store, metrics=metrics, log=log, clock=clock
    )
    backends = _backends(config)
    deps = _dependencies(
        config, store, pool_states, mirror, settings_reload, latency, history, notifications, broadcaster, backends
    )
    store.subscribe(latency)
    if history is not None:
        store.subscribe(history)
    return Components(
        store=store,
        mirror=mirror,
        recorder=recorder,
        informer=informer,
        resync=Resync(
            kinds=KINDS, namespaces=settings.namespaces, kube=kube, store=store, upsert=informer.upserted,
            delete=informer.deleted, metrics=metrics, log=log, clock=clock,
        ),
        settings_reload=settings_reload,
        mirror_health=MirrorHealthSink(mirror=mirror, store=store, recorder=recorder),
        merged_owners=MergedOwners(store=store, recorder=recorder, log=log),
        pool_statuses=pools,
        workbench_statuses=workbenches,
        server_statuses=servers,
        outbox=outbox,
        history=history,
        controller=_controller(config, deps, informer, recorder, pools, workbenches, servers),
        seat_tags=_seat_tags(store, mirror),
        backends=backends,
        seat_notes=_seat_notes(store, mirror),
    )  # fmt: skip


def _dependencies(
    config: OperatorConfig,
    store: Store,
    pool_states: PoolStates,
    mirror: Mirror,
    settings_reload: SettingsReload,
    latency: EventLatency,
    history: History | None,
    notifications: Notifications | None,
    broadcaster: Broadcaster,
    backends: Backends,
) -> Dependencies:
    return Dependencies(
        store=store,
        ledgers=LedgerStore(store, config.kube, config.metrics, _is_known_outside(history, notifications)),
        finalizer=Finalizer(config.kube, config.metrics),
        broadcaster=broadcaster,
        latency=latency,
        pool_states=pool_states,
        installation=config.installation,
        backend_of=backends.of,
        refusal_of=lambda server: refusal(server, config.settings.servers.allowed),
        uninventoried=mirror.unknown_regions,
        common_parts=lambda: (*mirror_parts(mirror.health), settings_reload.condition),
        metrics=config.metrics,
        traces=config.traces,
        log=config.log,
        clock=config.clock,
        rng=config.rng,
        may_write=config.may_write,
        leadership=config.leadership,
        shielded=config.shielded,
        on_failpoint=config.on_failpoint,
    )


def _status_writers(
    config: OperatorConfig, store: Store, states: PoolStates, informer: Informer
) -> tuple[StatusWriter, StatusWriter, StatusWriter]:
    renderer = StatusRenderer(store, states, config.clock)
    pools = StatusWriter(
        LicensePool, renderer.pool, pace=POOL_PACE, kube=config.kube, metrics=config.metrics, log=config.log,
        on_written=lambda _key, raw: informer.written(LicensePool, raw), leads=config.leads,
    )  # fmt: skip
    pace = Pace(
        delay=WORKBENCH_DELAY, per_second=config.settings.status.workbenches_per_second, concurrency=CONCURRENCY
    )
    workbenches = StatusWriter(
        Workbench, renderer.workbench, pace=pace, kube=config.kube, metrics=config.metrics, log=config.log,
        on_written=lambda _key, raw: informer.written(Workbench, raw), leads=config.leads,
    )  # fmt: skip
    servers = StatusWriter(
        LicenseServer, renderer.server, pace=POOL_PACE, kube=config.kube, metrics=config.metrics, log=config.log,
        on_written=lambda _key, raw: informer.written(LicenseServer, raw), leads=config.leads,
        version_of=renderer.server_version,
    )  # fmt: skip
    return pools, workbenches, servers


def _controller(
    config: OperatorConfig,
    deps: Dependencies,
    informer: Informer,
    recorder: EventRecorder,
    pools: StatusWriter,
    workbenches: StatusWriter,
    servers: StatusWriter,
) -> Controller:
    def operator() -> OperatorStatus:
        return OperatorStatus(
            holder=config.holder,
            version=version("seatpool"),
            lease=config.lease,
            identity=deps.store.identity.fingerprint,
        )

    def make_reconciler(key: str) -> ServerReconciler:
        wal = WriteAheadLog(
            key,
            kube=config.kube,
            operator=operator,
            metrics=config.metrics,
            clock=config.clock,
            on_written=lambda raw: informer.written(LicenseServer, raw),
        )
        return ServerReconciler(key, wal, deps)

    return Controller(
        store=deps.store,
        pool_states=deps.pool_states,
        latency=deps.latency,
        metrics=config.metrics,
        recorder=recorder,
        finalizer=deps.finalizer,
        pool_statuses=pools,
        workbench_statuses=workbenches,
        server_statuses=servers,
        supervisor=config.supervisor,
        make_reconciler=make_reconciler,
        rng=config.rng,
        log=config.log,
    )


def _seat_tags(store: Store, mirror: Mirror) -> SeatTagSink | None:
    tags = mirror.tag_writer
    return SeatTagSink(store=store, set_tag=tags.set_desired, drop_tag=tags.forget) if tags is not None else None


def _seat_notes(store: Store, mirror: Mirror) -> SeatNoteSink | None:
    writer = mirror.seat_writer
    if not writer.is_used:
        return None
    return SeatNoteSink(store=store, set_note=writer.set_desired, drop_note=writer.forget)


def _trail(config: OperatorConfig) -> Trail:
    trail = Trail(config.settings.audit, holder=config.holder, registry=config.registry, log=config.log)
    trail.bind({"installation": config.installation})
    return trail


def _notifications(config: OperatorConfig, store: Store) -> tuple[Outbox, Notifications | None]:
    """The outbox, and the sink that fills it; None: no receiver is configured."""
    settings = config.settings.notify
    outbox = make_outbox(
        settings, session_factory=config.session_factory, registry=config.registry, log=config.log, clock=config.clock,
        rng=config.rng,
    )  # fmt: skip
    if not outbox.is_used:
        return outbox, None
    return outbox, Notifications(
        store=store,
        installation=config.installation,
        send=outbox.tell,
        config=settings,
        pending=PendingNotifications(store=store, is_in_outbox=outbox.holds),
        clock=config.clock,
    )


def _history(config: OperatorConfig, store: Store) -> History | None:
    """The sink of the history; None: no history is recorded."""
    settings = config.settings.history
    recording = make_recording(
        settings, session_factory=config.session_factory, registry=config.registry, log=config.log, clock=config.clock
    )
    if recording is None:
        return None
    return History(
        store=store,
        installation=config.installation,
        recording=recording,
        pseudonyms=Pseudonyms.from_file(settings.salt_file),
        clock=config.clock,
    )


def _is_known_outside(history: History | None, notifications: Notifications | None) -> IsRecorded | None:
    """Returns when the ledger may drop a seat or wait that ended: the history and every receiver have it.

    None: neither is configured.
    """
    is_delivered = notifications.may_forget if notifications is not None else None
    if history is None or is_delivered is None:
        return history.is_recorded if history is not None else is_delivered
    return lambda pool, ended: history.is_recorded(pool, ended) and is_delivered(pool, ended)


def _backends(config: OperatorConfig) -> Backends:
    """Returns the back ends of all LicenseServers."""
    settings = config.settings.servers

    async def read_secret(namespace: str, name: str) -> Mapping[str, str]:
        try:
            body = await config.kube.get_raw(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        except (NotFound, Forbidden) as error:
            why = "does not exist" if isinstance(error, NotFound) else "may not be read by the operator"
            raise TransportError(
                CommandFault.SECRET_MISSING,
                f"Secret {namespace}/{name} {why}",
                maybe_applied=False,
                is_known_to_have_ended=True,
            ) from error
        data = body.get("data") or {}
        return {key: b64decode(value).decode(errors="replace") for key, value in data.items()}

    return Backends(
        transport=config.transport,
        read_secret=read_secret,
        permit=config.leadership.check,
        refusal_of=lambda server: refusal(server, settings.allowed),
        pinned_hash=None if settings.document_hash else "",
    )


def _optional(sink: Sink | None) -> tuple[Sink, ...]:
    return () if sink is None else (sink,)
