"""The mirror as one object: it owns its clients, its tasks and its knowledge, and two can live in a process."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from seatpool.api.workbench import WorkbenchSpec
from seatpool.aws.sessions import SessionFactory
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import KubeError
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ec2.describe import Ec2Reader
from seatpool.mirror.ec2.describe_batcher import Enquiries, Strangers
from seatpool.mirror.ec2.inventory import Inventory
from seatpool.mirror.ec2.inventory_scheduler import Inventories
from seatpool.mirror.ec2.tag_writer import SeatTags
from seatpool.mirror.health import HealthBoard, MirrorHealth
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.queue.consumer import Receivers
from seatpool.mirror.queue.dead_letter_writer import Parking
from seatpool.mirror.queue.handler import Handling
from seatpool.mirror.queue.resolver import Settling
from seatpool.mirror.queue.sqs_queue import EventQueue
from seatpool.mirror.rate_limited_log import SparingLog
from seatpool.mirror.regions import Source, Sources
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.mirror.unknown_accounts import RefusedSources
from seatpool.mirror.workbenches.message_context import MessageContexts
from seatpool.mirror.workbenches.orphans import Unlisted
from seatpool.mirror.workbenches.tombstones import Tombstones
from seatpool.mirror.workbenches.writer import WorkbenchObjects
from seatpool.tracing.spans import UNTRACED, Traces

MAX_PAUSE = 30.0
RESTART_PAUSE = 10.0
LIVE = frozenset({"accounts", "type_aliases"})
"""Settings that `reconfigure` can change while the mirror runs."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Mirror:
    """EC2 and SQS on one side, Workbench objects on the other."""

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
    ) -> None:
        self.ready = asyncio.Event()
        """Set when the objects were read and each inventory was tried once; `health.waiting_for` tells which failed."""
        self.config = config
        self.origins = MessageContexts()
        self._traces = traces
        self._log = log
        self._clock = clock
        self._monotonic = monotonic
        self._rng = rng or random.Random()  # noqa: S311
        self._sources = Sources(config)
        self._aliases = TypeAliases(config.type_aliases)
        self._metrics = MirrorMetrics(registry)
        self._sparing_log = SparingLog(log, self._metrics, monotonic=monotonic)
        self._clients = AwsClients(config, session_factory)
        self._refused = RefusedSources(clock)
        self._board = HealthBoard(
            log=log, metrics=self._metrics, refused=self._refused, now=clock(), has_queue=config.queue is not None
        )
        self._board.serve(self._sources, now=clock())
        self._objects = WorkbenchObjects(
            kube,
            metrics=self._metrics,
            clock=clock,
            concurrency=config.write_concurrency,
            origins=self.origins,
            traces=traces,
        )
        self._slots = asyncio.Semaphore(config.inventory_concurrency)
        self._inventories = Inventories(
            self._inventory_of, lambda inventory: self._kept_running("inventory", inventory.run)
        )
        self.seat_tags = self._make_seat_tags(leads)
        self._loaded = False
        self._handling = self._make_handling()

    @property
    def health(self) -> MirrorHealth:
        """How everything stands at this instant."""
        return self._board.snapshot()

    def unknown_sources(self) -> tuple[str, ...]:
        """Account/region pairs that may hide workbenches: never inventoried completely, and no object tells of any."""
        missing = self.health.waiting_for
        return tuple(
            str(source)
            for source in self._sources
            if str(source) in missing and next(self._objects.of(source), None) is None
        )

    def observe(self, raw: dict[str, Any], spec: WorkbenchSpec | None = None) -> None:
        """A watch saw a Workbench, of whomever; with its spec, if somebody has read it already."""
        self._objects.observe(raw, spec)

    def forget(self, key: str, *, uid: str | None = None) -> None:
        """A watch saw the Workbench `namespace/name` go."""
        self._objects.forget(key, uid=uid)

    async def reconfigure(self, config: MirrorConfig) -> tuple[str, ...]:
        """Take over new accounts and aliases; the names of other settings that differ and wait for a restart.

        Raises KubeError, and then nothing has changed. An account that is not listed any more releases nobody.
        """
        if self._loaded:
            await self._objects.load({account.namespace for account in config.accounts} - set(self._sources.namespaces))
        live = {name: getattr(config, name) for name in LIVE}
        changed = live != {name: getattr(self.config, name) for name in LIVE}
        self.config = self.config.model_copy(update=live)
        if changed:
            self._sources.replace(self.config)
            self._aliases.replace(config.type_aliases)
            self._board.serve(self._sources, now=self._clock())
            for source in self._sources:
                self._refused.forget(*source.place)
            if self._loaded:
                self._inventories.serve(self._sources)
                self._inventories.wake()
        return tuple(name for name in MirrorConfig.model_fields if getattr(config, name) != getattr(self.config, name))

    async def run(self, *, observed: frozenset[str] | None = frozenset()) -> None:
        """Until cancelled. No failure outside ends it.

        `observed` are namespaces whose objects were all given to `observe` already, None is all of them: what somebody
        else has just listed need not be listed again.
        """
        try:
            if observed is not None and not observed.issuperset(self._sources.namespaces):
                await self._load()
            self._board.kubernetes(ok=True, reason="Connected", now=self._clock())
            self._loaded = True
            async with asyncio.TaskGroup() as tasks:
                if self.config.queue is not None:
                    tasks.create_task(self._kept_running("receivers", self._receivers().run))
                if self.seat_tags is not None:
                    tasks.create_task(self._kept_running("seat tags", self.seat_tags.run))
                self._inventories.serve(self._sources)
                for part, run in (("tombstones", self._tombstones().run), ("unlisted", self._unlisted().run)):
                    tasks.create_task(self._kept_running(part, run))
                await self._inventories.all_tried()
                self.ready.set()
        finally:
            self._loaded = False
            await self._inventories.close()
            self._clients.close()

    async def _load(self) -> None:
        def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            self._board.kubernetes(ok=False, reason=type(error).__name__, message=str(error), now=self._clock())

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(KubeError),
            wait=wait_exponential_jitter(multiplier=0.2, max=MAX_PAUSE, jitter=0.5),
            before_sleep=note,
        )
        await retrying(self._load_objects)

    async def _load_objects(self) -> None:
        await self._objects.load(self._sources.namespaces)

    async def _kept_running(self, part: str, run: Callable[[], Awaitable[None]]) -> None:
        """A fault of our own in one part must neither end the others nor go unseen."""
        while True:
            try:
                await run()
            except Exception:  # noqa: BLE001
                self._metrics.restarts.labels(part).inc()
                self._log.error("mirror part failed and is started again", part=part, exc_info=True)
            await asyncio.sleep(self._rng.uniform(0.5, 1.0) * RESTART_PAUSE)

    def _make_seat_tags(self, leads: Callable[[], bool]) -> SeatTags | None:
        if self.config.seat_tag is None:
            return None
        return SeatTags(
            self.config.seat_tag,
            self._clients,
            self._sources,
            metrics=self._metrics,
            log=self._sparing_log,
            leads=leads,
            rng=self._rng,
        )

    def _make_handling(self) -> Handling:
        reader = Ec2Reader(self.config, self._clients, self._aliases, Purpose.ENQUIRY)
        settling = Settling(
            config=self.config,
            objects=self._objects,
            enquiries=Enquiries(reader, self._clients, monotonic=self._monotonic),
            strangers=Strangers(monotonic=self._monotonic),
            health=self._board,
            clock=self._clock,
        )
        return Handling(
            sources=self._sources,
            registry=Registry(self.config, self._sources, self._aliases),
            settling=settling,
            refused=self._refused,
            metrics=self._metrics,
            log=self._sparing_log,
            clock=self._clock,
            traces=self._traces,
        )

    def _receivers(self) -> Receivers:
        queue = EventQueue(self.config, self._clients)
        return Receivers(
            self.config,
            queue,
            self._handling,
            Parking(queue, self._clients, metrics=self._metrics, log=self._sparing_log, monotonic=self._monotonic),
            health=self._board,
            metrics=self._metrics,
            log=self._sparing_log,
            clock=self._clock,
        )

    def _inventory_of(self, source: Source) -> Inventory:
        return Inventory(
            source,
            config=self.config,
            clients=self._clients,
            aliases=self._aliases,
            slots=self._slots,
            objects=self._objects,
            health=self._board,
            metrics=self._metrics,
            log=self._sparing_log,
            clock=self._clock,
            rng=self._rng,
        )

    def _tombstones(self) -> Tombstones:
        return Tombstones(
            self._objects, retention=self.config.terminated_retention, log=self._sparing_log, clock=self._clock
        )

    def _unlisted(self) -> Unlisted:
        return Unlisted(self._objects, self._sources, metrics=self._metrics, log=self._log)
