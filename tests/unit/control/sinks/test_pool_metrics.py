"""Numbers of a pool, as they are counted when an answer is stored."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from tests.unit.control.objects import later, needs_of, pool

from seatpool.api.identity import IdentitySettings
from seatpool.cache.store import Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.facts import AnswerStored
from seatpool.control.sinks.pool_metrics import PoolMetrics
from seatpool.domain.allocate import allocate
from seatpool.domain.memory import PoolMemory
from seatpool.domain.rules import PoolRules


@pytest.mark.parametrize("late", [timedelta(seconds=1), timedelta(minutes=10)])
def test_the_way_of_an_event_is_no_wait_and_the_line_is_one(late: timedelta) -> None:
    registry = CollectorRegistry()
    sink = PoolMetrics(Store(IdentitySettings()), ControlMetrics(registry))

    def value(name: str) -> float | None:
        return registry.get_sample_value(f"seatpool_{name}", {"pool": "lab/matlab"})

    first = allocate(PoolRules(seats=1), needs_of(["ann", "bob"]), PoolMemory.empty(), later(0) + late)
    sink.handle(AnswerStored(pool=pool(), before=None, answer=first))
    assert (value("wait_seconds_count"), value("wait_seconds_sum")) == (1, 0)
    second = allocate(PoolRules(seats=1), needs_of(["bob"]), first.memory, later(3600))
    sink.handle(AnswerStored(pool=pool(), before=first, answer=second))
    assert (value("wait_seconds_count"), value("wait_seconds_sum")) == (2, 3600)


def test_who_waited_before_a_restart_does_not_begin_to_wait_again() -> None:
    registry = CollectorRegistry()
    sink = PoolMetrics(Store(IdentitySettings()), ControlMetrics(registry))
    before = allocate(PoolRules(seats=1), needs_of(["ann", "bob"]), PoolMemory.empty(), later(0))
    after = allocate(PoolRules(seats=1), needs_of(["ann", "bob", "cem"]), before.memory, later(60))
    sink.handle(AnswerStored(pool=pool(), before=None, answer=after))
    assert registry.get_sample_value("seatpool_waits_total", {"pool": "lab/matlab"}) == 1
