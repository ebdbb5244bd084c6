"""Facts as metrics of pools and servers."""

from dataclasses import dataclass
from typing import ClassVar

from seatpool.api.licensepool import LicensePool
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks import facts
from seatpool.domain.allocation import Allocation


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """Counts grants, releases, waits and drift, and shows how pools and servers are."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.DriftDetected,
        facts.EventsServed,
        facts.PassEnded,
    )

    store: Store
    metrics: ControlMetrics

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.AnswerStored():
                self._answered(fact)
            case facts.DriftDetected():
                self.metrics.drift.labels(fact.pool.server_key, fact.pool.key).inc()
            case facts.EventsServed() if fact.waited is not None:
                self.metrics.to_list_seconds.labels(fact.pool.server_key).observe(fact.waited)
            case facts.PassEnded():
                self._pass_ended(fact)
            case _:
                pass

    def _answered(self, fact: facts.AnswerStored) -> None:
        metrics, key, answer = self.metrics, fact.pool.key, fact.answer
        if key in self.store.pools:  # else it was deleted meanwhile, and with it its numbers
            self._show(fact.pool, answer)
        if answer.granted:
            metrics.grants.labels(key).inc(len(answer.granted))
        for grant in answer.granted:
            metrics.wait_seconds.labels(key).observe(grant.waited.total_seconds())
        for gone in answer.released:
            metrics.releases.labels(key, gone.reason).inc()
        if answer.newly_waiting:
            metrics.waits.labels(key).inc(len(answer.newly_waiting))

    def _show(self, pool: LicensePool, answer: Allocation) -> None:
        metrics, labels = self.metrics, (pool.key, pool.server_key)
        metrics.init_pool(*labels)
        metrics.seats.labels(*labels).set(pool.spec.seats)
        metrics.used.labels(*labels).set(len(answer.users))
        metrics.waiting.labels(*labels).set(len(answer.waiting))
        if answer.waiting:
            since = min(one.since for one in answer.waiting)
            metrics.waiting_since.labels(*labels).set(since.timestamp())
        else:
            metrics.waiting_since.remove_by_labels({"pool": pool.key})
        if pool.spec.max_reassignments is not None:
            metrics.budget.labels(*labels).set(pool.spec.max_reassignments.count)
            metrics.spent.labels(*labels).set(answer.reassignments_used)
        else:
            metrics.budget.remove_by_labels({"pool": pool.key})
            metrics.spent.remove_by_labels({"pool": pool.key})

    def _pass_ended(self, fact: facts.PassEnded) -> None:
        metrics, server, view = self.metrics, fact.server.key, fact.view
        for key, state in view.pool_states.items():
            if key in self.store.pools:  # else it was deleted meanwhile
                metrics.pool_in_sync.labels(key, server).set(state.in_sync)
        metrics.in_sync.labels(server).set(all(state.in_sync for state in view.pool_states.values()))
        if view.reached is not None:
            metrics.reachable.labels(server).set(view.reached)
        metrics.guarded.labels(server).set(view.held is not None)
