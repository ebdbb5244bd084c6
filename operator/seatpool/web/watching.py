"""Fills the cache: one list of each kind at the start, then watches, and a list now and then that repairs what they missed.

No request makes a list. The operator's own watch code is used, without its mirror and its Events.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.api.apikey import APIKey
from seatpool.api.base import Resource, key_of
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.problems import problem_of
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Raw
from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.metrics import ControlMetrics
from seatpool.control.watch.heartbeats import WatchHeartbeats
from seatpool.control.watch.kopf_handlers import make_registry, may_scan, run_kopf
from seatpool.control.watch.resync import Resync
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.operator_life import Reading, leases_of
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import KubeError
from seatpool.kube.leases import LeaseObject
from seatpool.kube.retry import retry_until_answered
from seatpool.settings.settings import Settings
from seatpool.text import escape_unprintable
from seatpool.web.cluster import LiveCluster
from seatpool.web.keys.keys import Keys

KINDS: tuple[type[Resource], ...] = (LicenseServer, LicensePool, SeatLedger, Workbench)
LEASES_INTERVAL = 10.0
"""Seconds between two reads of the operators' Leases."""
IDENTITY_INTERVAL = 15.0
"""Seconds between two looks whether the operator reads owners by other settings than these."""


@dataclass(kw_only=True)
class Watching:
    """The watches of one process."""

    cluster: LiveCluster
    kube: KubeClient
    settings: Settings
    log: FilteringBoundLogger
    keys: Keys | None = None
    """None: APIKeys are not watched."""
    leases: dict[str, Reading] = field(default_factory=dict)
    """The operators' Leases as they were last read, by `namespace/name`."""
    listed: asyncio.Event = field(default_factory=asyncio.Event)
    watching: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        # The parts of the operator count on its metrics. This process does not serve them: they would look like an operator's.
        self._metrics = ControlMetrics(CollectorRegistry())
        self._stop = asyncio.Event()
        self._rng = random.Random()  # noqa: S311
        self.tasks = Supervisor(metrics=self._metrics, log=self.log)
        namespaces = self.settings.namespaces
        self.kinds: tuple[type[Resource], ...] = KINDS if self.keys is None else (*KINDS, APIKey)
        self.heartbeats = WatchHeartbeats(self.kinds, watches=max(1, len(namespaces)), metrics=self._metrics)
        self._resync = Resync(
            kinds=self.kinds,
            namespaces=namespaces,
            kube=self.kube,
            store=self,
            upsert=self._upsert,
            delete=self._delete,
            metrics=self._metrics,
            log=self.log,
            clock=self.cluster.clock,
        )

    def stop(self) -> None:
        """Ends the watches."""
        self._stop.set()

    async def run(self) -> None:
        """Watches until `stop` is called. Raises SeatpoolError if watching is not possible any more."""
        await retry_until_answered(self._resync.load_all, rng=self._rng, log=self.log)
        self.cluster.renew_identity()
        self.listed.set()
        store = self.cluster.store
        self.log.info("listed", pools=len(store.pools), servers=len(store.servers), workbenches=len(store.workbenches))
        interval = self.settings.watch.resync_interval.total_seconds()
        self.tasks.start_vital("resync", lambda: self._resync.run(interval=interval))
        self.tasks.start_vital("heartbeats", self.heartbeats.run)
        self.tasks.start_vital("leases", self._read_leases)
        self.tasks.start_vital("identity", self._renew_identity)
        if self.keys is not None:
            self.tasks.start_vital("keys", self.keys.statuses.run)
        if self._stop.is_set():
            return
        await run_kopf(
            make_registry(self.kinds, self._on_watch_event, self.kube),
            namespaces=self.settings.namespaces,
            scanning=await may_scan(self.kube, namespaced=bool(self.settings.namespaces)),
            stop=self._stop,
            ready=self.watching,
        )
        if not self._stop.is_set():
            raise SeatpoolError("Kopf ended by itself: watching is not possible; see its log lines above")

    def versions(self, resource: type[Resource]) -> dict[str, tuple[str, int]]:
        """Returns uid and resourceVersion of every stored object of a kind, by key."""
        if resource is APIKey:
            return {} if self.keys is None else dict(self.keys.index.versions)
        return self.cluster.store.versions(resource)

    def live_checks(self) -> Mapping[str, str | None]:
        """Returns the checks of /healthz by name, each with its problem. None: the check passes."""
        checks: dict[str, str | None] = {"loop": None, **self.tasks.failed}
        if self.watching.is_set():
            checks |= self.heartbeats.problems(limit=self.settings.watch.heartbeat_limit.total_seconds())
        return checks

    def ready_checks(self) -> Mapping[str, str | None]:
        """Returns the checks of /readyz by name, each with its problem. None: the check passes."""
        return {
            "listed": None if self.listed.is_set() else "the first list of all objects is not complete",
            "watching": None if self.watching.is_set() else "watches are not open yet",
        }

    def _on_watch_event(self, kind: type[Resource], event: str, raw: Raw) -> None:
        if event == "DELETED":
            self._delete(kind, key_of(raw["metadata"]), raw["metadata"]["uid"])
        else:
            self._upsert(kind, raw)

    def _upsert(self, kind: type[Resource], raw: Raw) -> bool:
        """Stores an object, whatever is odd about it: one that cannot be read must not stop the others."""
        try:
            return self._store(kind, raw)
        except Exception as error:  # noqa: BLE001
            problem = problem_of(error)
        name = escape_unprintable(str(raw.get("metadata", {}).get("name", "")))
        try:
            if self._refuse(kind, raw, problem):
                self.log.warning("an object cannot be read", kind=kind.kind, name=name, error=problem)
        except Exception as error:  # noqa: BLE001
            self.log.error("an object was not refused", kind=kind.kind, name=name, error=problem_of(error))
        return False

    def _store(self, kind: type[Resource], raw: Raw) -> bool:
        if kind is APIKey and self.keys is not None:
            return self.keys.index.upsert(raw)
        return self._told(kind, key_of(raw["metadata"]), self.cluster.upsert(kind, raw))

    def _refuse(self, kind: type[Resource], raw: Raw, problem: str) -> bool:
        if kind is APIKey and self.keys is not None:
            return self.keys.index.refuse(raw)
        return self._told(kind, key_of(raw["metadata"]), self.cluster.refuse(kind, raw, problem))

    def _told(self, kind: type[Resource], key: str, result: bool) -> bool:
        """Tells the keys of a change of a workbench. Returns the result of the change."""
        if kind is Workbench and self.keys is not None:
            self.keys.workbench_changed(key)
        return result

    def _delete(self, kind: type[Resource], key: str, uid: str | None) -> bool:
        try:
            if kind is APIKey and self.keys is not None:
                return self.keys.index.delete(key, uid)
            return self._told(kind, key, self.cluster.delete(kind, key, uid))
        except Exception as error:  # noqa: BLE001
            self.log.error("a deleted object was not dropped", kind=kind.kind, object=key, error=problem_of(error))
            return False

    async def _read_leases(self) -> None:
        while True:
            names = leases_of(self.cluster.store.servers.values())
            found = await asyncio.gather(*(self._read_lease(name) for name in names))
            self.leases = dict(zip(names, found, strict=True))
            await asyncio.sleep(LEASES_INTERVAL)

    async def _read_lease(self, name: str) -> Reading:
        namespace, _, own = name.partition("/")
        try:
            return await LeaseObject(kube=self.kube, namespace=namespace, name=own).read()
        except KubeError as error:
            return (
                f"Lease {own} in namespace {namespace} cannot be read ({error.reason or error.status or 'no answer'})"
            )

    async def _renew_identity(self) -> None:
        while True:
            await asyncio.sleep(IDENTITY_INTERVAL)
            if self.cluster.renew_identity():
                self.log.info("the operator's statuses show how owners become users")
