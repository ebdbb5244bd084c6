"""Everything that a decision causes beside the list itself: statuses to renew, Events, numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import EventReason
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.sinks.notifications import Telling
from seatpool.control.state.pool_state import ObservedList, PoolState, spoken
from seatpool.domain.allocation import Allocation
from seatpool.policy.guard import HeldChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """Tells whoever has to know."""

    store: Store
    recorder: EventRecorder
    metrics: ControlMetrics
    telling: Telling
    mark_pool: Callable[[str], None]
    mark_workbench: Callable[[str], None]
    mark_workbench_later: Callable[[str], None]
    log: FilteringBoundLogger

    def pool(self, key: str) -> None:
        """The pool's status may be another one now."""
        self.mark_pool(key)

    def people(self, pool: str, users: Iterable[str]) -> None:
        """How these people stand with the pool may be another one now."""
        for user in users:
            for workbench in self.store.demand.workbenches_of(pool, user):
                self.mark_workbench(workbench)

    def decided(self, pool: LicensePool, *, before: Allocation | None, answer: Allocation) -> None:
        """A pool has a new answer."""
        key = pool.key
        self._measure(pool, answer)
        waited = {one.user: one for one in before.waiting} if before is not None else {}
        seats = before.seats if before is not None else {}
        began = [one.user for one in answer.waiting if one.user not in waited]
        if began:
            self.metrics.waits.labels(key).inc(len(began))
            reason = answer.waiting[-1].reason
            self.recorder.normal(
                LicensePool, pool.metadata, EventReason.USERS_WAITING,
                f"{spoken(began)} began to wait ({reason}); {len(answer.waiting)} wait for {pool.spec.seats} seats",
            )  # fmt: skip
        told = [user for user, seat in answer.seats.items() if user not in seats or seats[user].reason != seat.reason]
        told += [user for user in seats if user not in answer.seats]
        told += began
        told += [user for user in waited if user not in answer.seats]
        if before is None:
            told += list(answer.denied)
        self.people(key, told)
        for one in answer.waiting:
            old = waited.get(one.user)
            if old is not None and (old.position, old.reason) != (one.position, one.reason):
                for workbench in self.store.demand.workbenches_of(key, one.user):
                    self.mark_workbench_later(workbench)
        self.telling.decided(pool, before=before, answer=answer)
        self.pool(key)

    def _measure(self, pool: LicensePool, answer: Allocation) -> None:
        metrics = self.metrics
        if pool.key in self.store.pools:  # else it was deleted meanwhile, and with it its numbers
            self._show(pool, answer)
        if answer.granted:
            metrics.grants.labels(pool.key).inc(len(answer.granted))
        for grant in answer.granted:
            metrics.wait_seconds.labels(pool.key).observe(grant.waited.total_seconds())
        for gone in answer.released:
            metrics.releases.labels(pool.key, gone.reason).inc()

    def _show(self, pool: LicensePool, answer: Allocation) -> None:
        metrics, place = self.metrics, (pool.key, pool.server_key)
        metrics.begin_pool(*place)
        metrics.seats.labels(*place).set(pool.spec.seats)
        metrics.used.labels(*place).set(len(answer.users))
        metrics.waiting.labels(*place).set(len(answer.waiting))
        if answer.waiting:
            since = min(one.since for one in answer.waiting)
            metrics.waiting_since.labels(*place).set(since.timestamp())
        else:
            metrics.waiting_since.remove_by_labels({"pool": pool.key})
        if pool.spec.max_reassignments is not None:
            metrics.budget.labels(*place).set(pool.spec.max_reassignments.count)
            metrics.spent.labels(*place).set(answer.reassignments_used)
        else:
            metrics.budget.remove_by_labels({"pool": pool.key})
            metrics.spent.remove_by_labels({"pool": pool.key})

    def confirmed(self, pool: LicensePool, standing: PoolState) -> None:
        """The license server was seen to have the list: what was given and freed is true now."""
        self.telling.confirmed(pool, standing)
        granted, released = standing.granted, standing.released
        if not granted and not released:
            return
        standing.granted, standing.released = [], []
        self.people(pool.key, [one.user for one in granted])
        revision = standing.known.revision if standing.known is not None else 0
        if granted:
            self.recorder.normal(
                LicensePool, pool.metadata, EventReason.SEATS_GRANTED,
                f"{spoken(dict.fromkeys(one.user for one in granted))} got a seat (revision {revision})",
            )  # fmt: skip
        if released:
            self.recorder.normal(
                LicensePool, pool.metadata, EventReason.SEATS_RELEASED,
                f"{spoken(dict.fromkeys(f'{one.user} ({one.reason})' for one in released))}: seat freed (revision {revision})",
            )  # fmt: skip
        self.log.info(
            "list applied", pool=pool.key, revision=revision, granted=len(granted), released=len(released),
            users=len(standing.wanted or ()),
        )  # fmt: skip
        self.pool(pool.key)

    def adopted(self, pool: LicensePool, people: Iterable[str]) -> None:
        """First contact: these people were on the list before the operator came."""
        names = sorted(people)
        self.recorder.normal(
            LicensePool, pool.metadata, EventReason.USERS_ADOPTED,
            f"first contact: {len(names)} people were on the list and keep their seats for now: {spoken(names, most=50)}",
        )  # fmt: skip
        self.log.info("first contact with a list", pool=pool.key, users=names)
        self.telling.adopted(pool, names)

    def drift(self, pool: LicensePool, *, before: ObservedList, now: ObservedList) -> None:
        """Somebody else changed the list."""
        added = sorted({*now.users, *now.odd} - set(before.users))
        removed = sorted(set(before.users) - set(now.users))
        message = (
            f"somebody else changed the list: added {spoken(added) or 'nobody'}, removed {spoken(removed) or 'nobody'}"
        )
        self.recorder.warning(LicensePool, pool.metadata, EventReason.DRIFT_DETECTED, message)
        self.log.warning("drift", pool=pool.key, added=added[:20], removed=removed[:20])
        self.telling.drift(pool, added=added, removed=removed, now=now)
        self.pool(pool.key)

    def apply_failed(self, pool: LicensePool, message: str) -> None:
        self.recorder.warning(LicensePool, pool.metadata, EventReason.APPLY_FAILED, message)

    def list_recovered(self, pool: LicensePool) -> None:
        self.recorder.normal(
            LicensePool, pool.metadata, EventReason.LIST_RECOVERED, "the list is as it should be again"
        )

    def foreign_owner(self, pool: LicensePool, message: str) -> None:
        self.recorder.warning(LicensePool, pool.metadata, EventReason.FOREIGN_OWNER_FOUND, message)
        self.log.warning("a list belongs to another installation", pool=pool.key, message=message)

    def held(self, server: LicenseServer, held: HeldChange) -> None:
        message = held.message(server)
        self.recorder.warning(LicenseServer, server.metadata, EventReason.CHANGE_HELD, message)
        self.log.warning("a change is held back", server=server.key, leaving=held.leaving, present=held.present)
        self.telling.held(server, held)

    def server_unreachable(self, server: LicenseServer, reason: str, message: str) -> None:
        self.recorder.warning(LicenseServer, server.metadata, EventReason.SERVER_UNREACHABLE, f"{reason}: {message}")

    def server_recovered(self, server: LicenseServer) -> None:
        self.recorder.normal(
            LicenseServer, server.metadata, EventReason.SERVER_RECOVERED, "the license server answers again"
        )
