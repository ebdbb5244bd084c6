"""Builds and runs the parts of the mirror. A process may have several mirrors, because nothing is global."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import boto3
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.api.workbench import SourceKind, WorkbenchSpec
from seatpool.aws.sessions import SessionFactory
from seatpool.backoff import Backoff, retry_call
from seatpool.clock import utc_now
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import KubeError
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.aws_source import AwsReader, AwsSource
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ec2.instances import Ec2Reader
from seatpool.mirror.ec2.tag_writer import TagWriter
from seatpool.mirror.ecs.tasks import EcsReader
from seatpool.mirror.health import HealthBoard, MirrorHealth
from seatpool.mirror.inventory.describe_batcher import DescribeBatcher, IgnoredInstances
from seatpool.mirror.inventory.inventory import Inventory
from seatpool.mirror.inventory.scheduler import InventoryScheduler
from seatpool.mirror.kubernetes.object_watch import DELETED, ObjectWatch
from seatpool.mirror.kubernetes.objects import KubernetesObjects, ServedRule
from seatpool.mirror.kubernetes.seat_writer import SeatWriter
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.queue.consumer import Consumer
from seatpool.mirror.queue.dead_letter_writer import DeadLetterWriter
from seatpool.mirror.queue.handler import MessageHandler
from seatpool.mirror.queue.resolver import Resolver
from seatpool.mirror.queue.sqs_queue import EventQueue
from seatpool.mirror.rate_limited_log import RateLimitedLog
from seatpool.mirror.regions import Place, ServedRegion, ServedRegions, rule_key
from seatpool.mirror.source import MachineSource
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.mirror.unknown_accounts import UnknownAccounts
from seatpool.mirror.workbenches.message_context import MessageContexts
from seatpool.mirror.workbenches.orphans import Orphans
from seatpool.mirror.workbenches.tombstones import Tombstones
from seatpool.mirror.workbenches.writer import WorkbenchWriter
from seatpool.tracing.spans import UNTRACED, Traces

FIRST_PAUSE = 0.2
MAX_PAUSE = 30.0
RESTART_PAUSE = 10.0
LIVE = frozenset({"accounts", "type_aliases"})
"""Settings that `reconfigure` can change while the mirror runs."""


class Mirror:
    """Keeps Workbench objects in step with EC2. Owns its AWS clients, its tasks and its state."""

    def __init__(
        self,
        config: MirrorConfig,
        kube: KubeClient,
        *,
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
        session_factory: SessionFactory = boto3.Session,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        traces: Traces = UNTRACED,
        leads: Callable[[], bool] = lambda: True,
        namespaces: tuple[str, ...] = (),
    ) -> None:
        """`namespaces`: where objects of the cluster are looked for by rules that name none. Empty: everywhere."""
        self.ready = asyncio.Event()
        """Set when the objects were read and each inventory was tried once. `health.waiting_for` names those that failed."""
        self.config = config
        self.message_contexts = MessageContexts()
        self._traces = traces
        self._log = log
        self._clock = clock
        self._monotonic = monotonic
        self._rng = rng or random.Random()  # noqa: S311
        self._regions = ServedRegions(config)
        self._aliases = TypeAliases(config.type_aliases)
        self._metrics = MirrorMetrics(registry)
        self._limited_log = RateLimitedLog(log, self._metrics, monotonic=monotonic)
        self._clients = AwsClients(config, session_factory)
        self._unknown_accounts = UnknownAccounts(clock)
        self._board = HealthBoard(
            log=log, metrics=self._metrics, unknown_accounts=self._unknown_accounts, now=clock(),
            has_queue=config.queue is not None, max_inventory_age=config.inventory_limit,
            tags=str(config.tags), monotonic=monotonic,
        )  # fmt: skip
        self._rules = tuple(ServedRule(rule, rule.namespaces or namespaces) for rule in config.kubernetes)
        self._board.set_regions(self._places(), now=clock())
        self._workbenches = WorkbenchWriter(
            kube, metrics=self._metrics, clock=clock, concurrency=config.write_concurrency,
            contexts=self.message_contexts, log=self._limited_log, future_tolerance=config.future_tolerance,
            monotonic=monotonic, traces=traces,
        )  # fmt: skip
        self._slots = asyncio.Semaphore(config.inventory_concurrency)
        self._inventories = InventoryScheduler(
            self._make_inventory, lambda inventory: self._keep_running("inventory", inventory.run)
        )
        objects = {
            served.rule.name: KubernetesObjects(served=served, kube=kube, aliases=self._aliases, log=self._limited_log)
            for served in self._rules
        }
        self._object_watches = {
            rule_key(name): ObjectWatch(one, self._workbenches, log=self._limited_log, clock=clock, rng=self._rng)
            for name, one in objects.items()
        }
        self.seat_writer = SeatWriter(objects, kube, log=self._limited_log, leads=leads, rng=self._rng)
        self.tag_writer = self._make_tag_writer(leads)
        self._loaded = False
        self._handler = self._make_handler()

    @property
    def health(self) -> MirrorHealth:
        """The health of all parts now."""
        return self._board.snapshot()

    @property
    def object_watches(self) -> tuple[ObjectWatch, ...]:
        """What watches brought of each rule's objects."""
        return tuple(self._object_watches.values())

    def unknown_regions(self) -> tuple[str, ...]:
        """Returns the account/region pairs that may hide workbenches.

        Such a pair has no complete inventory yet and no known object.
        """
        missing = self.health.waiting_for
        return tuple(
            str(served)
            for served in self._places()
            if str(served) in missing and next(self._workbenches.entries_in(served.key), None) is None
        )

    def observe(self, raw: dict[str, Any], spec: WorkbenchSpec | None = None) -> None:
        """Records a Workbench from a watch, of any writer. `spec` is its spec if the caller has parsed it."""
        self._workbenches.observe(raw, spec)

    def observe_object(self, rule: str, event: str, raw: dict[str, Any]) -> None:
        """Records an object that a watch brought for a rule. `event` is ADDED, MODIFIED, DELETED or empty."""
        self._object_watches[rule_key(rule)].observe(event, raw)
        if event != DELETED:
            self.seat_writer.observe(rule, raw)

    def forget(self, key: str, *, uid: str | None = None) -> None:
        """Drops the Workbench `namespace/name` after a watch saw its deletion."""
        self._workbenches.forget(key, uid=uid)

    async def reconfigure(self, config: MirrorConfig) -> tuple[str, ...]:
        """Takes over new accounts and aliases. Returns the names of other changed settings, which need a restart.

        Raises KubeError, and then nothing has changed. An account that is no longer configured releases no user.
        """
        if self._loaded:
            await self._workbenches.load(
                {account.namespace for account in config.accounts} - set(self._regions.namespaces)
            )
        live = {name: getattr(config, name) for name in LIVE}
        changed = live != {name: getattr(self.config, name) for name in LIVE}
        self.config = self.config.model_copy(update=live)
        if changed:
            self._regions.replace(self.config)
            self._aliases.replace(config.type_aliases)
            self._board.set_regions(self._places(), now=self._clock())
            for served in self._regions:
                self._unknown_accounts.forget(served.key)
            if self._loaded:
                self._inventories.set_regions(self._places())
                self._inventories.trigger_all()
        return tuple(name for name in MirrorConfig.model_fields if getattr(config, name) != getattr(self.config, name))

    async def run(self, *, observed: frozenset[str] | None = frozenset()) -> None:
        """Runs until cancelled. No failure of AWS or Kubernetes ends it.

        `observed` are the namespaces whose objects were all given to `observe` already, so they are not listed again.
        None: all namespaces.
        """
        try:
            if observed is not None and not observed.issuperset(self._namespaces()):
                await self._load()
            self._board.set_kubernetes(ok=True, reason="Connected", now=self._clock())
            self._loaded = True
            async with asyncio.TaskGroup() as tasks:
                if self.config.queue is not None:
                    tasks.create_task(self._keep_running("receivers", self._consumer().run))
                if self.tag_writer is not None:
                    tasks.create_task(self._keep_running("seat tags", self.tag_writer.run))
                if self.seat_writer.is_used:
                    tasks.create_task(self._keep_running("seat annotations", self.seat_writer.run))
                for watch in self._object_watches.values():
                    tasks.create_task(self._keep_running("objects", watch.run))
                self._inventories.set_regions(self._places())
                for part, run in (("tombstones", self._tombstones().run), ("unlisted", self._orphans().run)):
                    tasks.create_task(self._keep_running(part, run))
                await self._inventories.wait_until_tried()
                self.ready.set()
        finally:
            self._loaded = False
            await self._inventories.close()
            self._clients.close()

    def _places(self) -> tuple[Place, ...]:
        return (*self._regions, *self._rules)

    def _namespaces(self) -> set[str]:
        return {place.namespace for place in self._places()}

    async def _load(self) -> None:
        def record(error: Exception) -> None:
            reason, message = type(error).__name__, str(error)
            self._board.set_kubernetes(ok=False, reason=reason, message=message, now=self._clock())

        await retry_call(
            lambda: self._workbenches.load(self._namespaces()),
            errors=KubeError,
            backoff=Backoff(self._rng, first=FIRST_PAUSE, longest=MAX_PAUSE),
            on_error=record,
        )

    async def _keep_running(self, part: str, run: Callable[[], Awaitable[None]]) -> None:
        """Runs a part, and starts it again after a bug. A bug must not end the other parts or go unseen."""
        while True:
            try:
                await run()
            except Exception:  # noqa: BLE001
                self._metrics.restarts.labels(part).inc()
                self._log.error("mirror part failed and is started again", part=part, exc_info=True)
            await asyncio.sleep(self._rng.uniform(0.5, 1.0) * RESTART_PAUSE)

    def _make_tag_writer(self, leads: Callable[[], bool]) -> TagWriter | None:
        if self.config.seat_tag is None:
            return None
        return TagWriter(
            self.config.seat_tag, self._clients, self._regions, metrics=self._metrics, log=self._limited_log,
            leads=leads, rng=self._rng,
        )  # fmt: skip

    def _make_handler(self) -> MessageHandler:
        resolver = Resolver(
            config=self.config, workbenches=self._workbenches, health=self._board, clock=self._clock, rng=self._rng,
            describe={
                reader.kind: DescribeBatcher(reader, self._clients, monotonic=self._monotonic)
                for reader in self._readers(Purpose.DESCRIBE)
            },
            ignored=IgnoredInstances(monotonic=self._monotonic),
        )  # fmt: skip
        return MessageHandler(
            regions=self._regions,
            registry=Registry(self.config, self._regions, self._aliases),
            resolver=resolver,
            unknown_accounts=self._unknown_accounts,
            metrics=self._metrics,
            log=self._limited_log,
            clock=self._clock,
            traces=self._traces,
        )

    def _consumer(self) -> Consumer:
        queue = EventQueue(self.config, self._clients)
        return Consumer(
            self.config,
            queue,
            self._handler,
            DeadLetterWriter(
                queue, self._clients, metrics=self._metrics, log=self._limited_log, monotonic=self._monotonic
            ),
            health=self._board, metrics=self._metrics, log=self._limited_log, clock=self._clock, rng=self._rng,
        )  # fmt: skip

    def _readers(self, purpose: Purpose) -> list[AwsReader]:
        args = (self.config, self._clients, self._aliases, purpose)
        by_kind: dict[SourceKind, AwsReader] = {SourceKind.EC2: Ec2Reader(*args), SourceKind.ECS: EcsReader(*args)}
        return [by_kind[kind] for kind in dict.fromkeys(self.config.sources)]

    def _sources_of(self, place: Place) -> list[MachineSource]:
        if not isinstance(place, ServedRegion):
            return [self._object_watches[place.key]]
        return [
            AwsSource(reader=reader, served=place, clients=self._clients, lag=self.config.describe_lag)
            for reader in self._readers(Purpose.INVENTORY)
        ]

    def _make_inventory(self, place: Place) -> Inventory:
        return Inventory(
            place, self._sources_of(place), config=self.config, slots=self._slots, workbenches=self._workbenches,
            health=self._board, metrics=self._metrics, log=self._limited_log, clock=self._clock, rng=self._rng,
        )  # fmt: skip

    def _tombstones(self) -> Tombstones:
        return Tombstones(
            self._workbenches, self._regions, config=self.config, log=self._limited_log, monotonic=self._monotonic
        )

    def _orphans(self) -> Orphans:
        kinds = {*self.config.sources, SourceKind.KUBERNETES}
        return Orphans(self._workbenches, self._places, kinds, metrics=self._metrics, log=self._log)
