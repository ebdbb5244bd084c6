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

from seatpool.aws.sessions import SessionFactory
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import KubeError
from seatpool.mirror.aws_clients import AwsClients
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ec2 import Ec2Reader
from seatpool.mirror.enquiries import Enquiries, Strangers
from seatpool.mirror.handling import Handling
from seatpool.mirror.health import HealthBoard, MirrorHealth
from seatpool.mirror.inventory import Inventory
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.objects import WorkbenchObjects
from seatpool.mirror.queue import EventQueue
from seatpool.mirror.receivers import Receivers
from seatpool.mirror.sources import Source, Sources
from seatpool.mirror.sparing_log import SparingLog
from seatpool.mirror.tombstones import Tombstones

MAX_PAUSE = 30.0
RESTART_PAUSE = 10.0


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
    ) -> None:
        self.ready = asyncio.Event()
        """Set when the objects were read and each inventory was tried once; `health.waiting_for` tells which failed."""
        self._config = config
        self._log = log
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311
        self._sources = Sources(config)
        self._metrics = MirrorMetrics(registry)
        self._sparing_log = SparingLog(log, self._metrics, monotonic=monotonic)
        self._clients = AwsClients(config, session_factory)
        self._board = HealthBoard(
            sources=tuple(self._sources),
            log=log,
            metrics=self._metrics,
            now=clock(),
            has_queue=config.queue is not None,
        )
        self._objects = WorkbenchObjects(kube, metrics=self._metrics, clock=clock, concurrency=config.write_concurrency)
        self._handling = Handling(
            config=config,
            sources=self._sources,
            registry=Registry(config, self._sources),
            objects=self._objects,
            enquiries=Enquiries(Ec2Reader(config, self._clients), self._clients),
            strangers=Strangers(monotonic=monotonic),
            health=self._board,
            metrics=self._metrics,
            log=self._sparing_log,
            clock=clock,
        )

    @property
    def health(self) -> MirrorHealth:
        """How everything stands at this instant."""
        return self._board.snapshot()

    def unknown_sources(self) -> tuple[str, ...]:
        """Account/region pairs that may hide workbenches: never inventoried completely, and no object tells of any."""
        missing = self.health.waiting_for
        return tuple(
            str(source) for source in self._sources if str(source) in missing and next(self._objects.of(source), None) is None
        )

    def observe(self, raw: dict[str, Any]) -> None:
        """A watch saw a Workbench, of whomever."""
        self._objects.observe(raw)

    def forget(self, key: str, *, uid: str | None = None) -> None:
        """A watch saw the Workbench `namespace/name` go."""
        self._objects.forget(key, uid=uid)

    async def run(self) -> None:
        """Until cancelled. No failure outside ends it."""
        inventories = {source: self._inventory_of(source) for source in self._sources if source.inventory}
        try:
            await self._load()
            async with asyncio.TaskGroup() as tasks:
                if self._config.queue is not None:
                    tasks.create_task(self._kept_running("receivers", self._receivers().run))
                for inventory in inventories.values():
                    tasks.create_task(self._kept_running("inventory", inventory.run))
                tasks.create_task(self._kept_running("tombstones", self._tombstones().run))
                for inventory in inventories.values():
                    await inventory.tried.wait()
                self.ready.set()
        finally:
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
        await retrying(self._objects.load, self._sources.namespaces)
        self._board.kubernetes(ok=True, reason="Connected", now=self._clock())

    async def _kept_running(self, part: str, run: Callable[[], Awaitable[None]]) -> None:
        """A fault of our own in one part must neither end the others nor go unseen."""
        while True:
            try:
                await run()
            except Exception:  # noqa: BLE001
                self._metrics.restarts.labels(part).inc()
                self._log.error("mirror part failed and is started again", part=part, exc_info=True)
            await asyncio.sleep(self._rng.uniform(0.5, 1.0) * RESTART_PAUSE)

    def _receivers(self) -> Receivers:
        return Receivers(
            self._config,
            EventQueue(self._config, self._clients),
            self._handling,
            health=self._board,
            metrics=self._metrics,
            log=self._sparing_log,
            clock=self._clock,
        )

    def _inventory_of(self, source: Source) -> Inventory:
        return Inventory(
            source,
            config=self._config,
            clients=self._clients,
            objects=self._objects,
            health=self._board,
            metrics=self._metrics,
            log=self._sparing_log,
            clock=self._clock,
            rng=self._rng,
        )

    def _tombstones(self) -> Tombstones:
        return Tombstones(
            self._objects, retention=self._config.terminated_retention, log=self._sparing_log, clock=self._clock
        )
