"""A message's way ends when the license server was seen to have the answer that was made from it, and not before."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.event_latency import MAX_FOLLOWED, EventLatency
from seatpool.control.sinks.facts import LatencyOutcome
from seatpool.mirror.workbenches.message_context import MessageContext, MessageContexts, caused_by
from seatpool.tracing.spans import UNTRACED

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
POOL, SERVER = "lab/matlab", "lab/licenses"


class Way:
    """One operator's latency, with messages that change workbenches."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.contexts = MessageContexts()
        self.now = START
        self.latency = EventLatency(
            pop_contexts=self.contexts.pop,
            metrics=ControlMetrics(self.registry),
            traces=UNTRACED,
            log=structlog.get_logger(),
            clock=lambda: self.now,
        )

    def arrive(self, number: int = 1, *pools: str, event_age: float = 2, message_age: float = 1) -> None:
        behind = MessageContext(
            messages=(f"m{number}",),
            instance=f"i-{number}",
            event_at=self.now - timedelta(seconds=event_age),
            sent_at=self.now - timedelta(seconds=message_age),
            mark=f"mark {number}",
        )
        with caused_by(behind):
            self.contexts.put(f"lab/i-{number}", START)
        self.latency.workbench_moved(f"lab/i-{number}", START, pools)

    def ended(self) -> Mapping[str, float]:
        counts, old_counts = (
            {
                outcome.value: self.registry.get_sample_value(name, {"outcome": outcome}) or 0
                for outcome in LatencyOutcome
            }
            for name in ("seatpool_events_followed_total", "seatpool_journeys_total")
        )
        assert counts == old_counts, "the old name has the same values"
        return {name: count for name, count in counts.items() if count}

    def sum_of(self, metric: str) -> float | None:
        return self.registry.get_sample_value(f"seatpool_{metric}_sum", {"server": SERVER})


@pytest.fixture
def way() -> Way:
    return Way()


def test_an_event_is_measured_from_its_own_time_and_from_its_message(way: Way) -> None:
    way.arrive(1, POOL, event_age=5, message_age=2)
    way.latency.computing(POOL)
    way.latency.stored(POOL)
    way.now += timedelta(seconds=1)
    way.latency.done(POOL, LatencyOutcome.LISTED, server=SERVER)
    assert way.ended() == {"listed": 1}
    assert (way.sum_of("event_to_list_seconds"), way.sum_of("message_to_list_seconds")) == (6, 3)


def test_who_arrives_after_the_question_is_not_answered_by_it(way: Way) -> None:
    way.arrive(1, POOL)
    way.latency.computing(POOL)
    way.arrive(2, POOL)
    way.latency.stored(POOL)
    way.latency.done(POOL, LatencyOutcome.LISTED, server=SERVER)
    assert way.ended() == {"listed": 1}
    assert way.latency.marks([POOL]) == ["mark 2"]


def test_an_answer_that_could_not_be_stored_is_asked_for_again(way: Way) -> None:
    way.arrive(1, POOL)
    way.latency.computing(POOL)
    way.latency.done(POOL, LatencyOutcome.LISTED, server=SERVER)
    assert way.ended() == {}
    assert way.latency.marks([POOL]) == ["mark 1"]
    way.latency.computing(POOL)
    way.latency.stored(POOL)
    way.latency.done(POOL, LatencyOutcome.LISTED, server=SERVER)
    assert way.ended() == {"listed": 1}


def test_a_list_that_did_not_change_makes_no_latency(way: Way) -> None:
    way.arrive(1, POOL)
    way.latency.computing(POOL)
    way.latency.stored(POOL)
    way.latency.done(POOL, LatencyOutcome.UNCHANGED, server=SERVER)
    assert way.ended() == {"unchanged": 1}
    assert not way.sum_of("event_to_list_seconds")


def test_an_event_of_a_workbench_that_no_pool_serves_ends_at_once(way: Way) -> None:
    way.arrive(1)
    assert way.ended() == {"no_pool": 1}


def test_a_workbench_in_two_pools_has_two_ways(way: Way) -> None:
    way.arrive(1, POOL, "lab/cad")
    for pool in (POOL, "lab/cad"):
        way.latency.computing(pool)
        way.latency.stored(pool)
        way.latency.done(pool, LatencyOutcome.LISTED, server=SERVER)
    assert way.ended() == {"listed": 2}


def test_marks_come_with_the_eldest_message_first_and_once_each(way: Way) -> None:
    way.arrive(1, POOL, "lab/cad", message_age=1)
    way.arrive(2, POOL, message_age=9)
    assert way.latency.marks([POOL, "lab/cad", "lab/unknown"]) == ["mark 2", "mark 1"]


def test_the_ways_to_a_pool_that_is_gone_are_forgotten(way: Way) -> None:
    way.arrive(1, POOL)
    way.latency.drop_pool(POOL)
    way.latency.drop_pool(POOL)
    assert way.ended() == {"not_written": 1}
    assert way.latency.marks([POOL]) == []


def test_the_eldest_are_followed_when_a_list_cannot_be_written_for_long(way: Way) -> None:
    for number in range(MAX_FOLLOWED + 5):
        way.arrive(number, POOL)
    assert way.ended() == {"lost_sight": 5}
    assert len(way.latency.marks([POOL])) == MAX_FOLLOWED


def test_a_message_has_one_line_for_all_its_pools_of_a_server_and_none_twice(way: Way) -> None:
    way.arrive(1, POOL, "lab/cad", "lab/elsewhere")
    way.arrive(2, POOL)
    with capture_logs() as lines:
        for pool, server in ((POOL, SERVER), ("lab/cad", SERVER), ("lab/elsewhere", "lab/other")):
            way.latency.computing(pool)
            way.latency.stored(pool)
            way.latency.done(pool, LatencyOutcome.LISTED, server=server)
        way.latency.log_done(server=SERVER)
        way.latency.log_done(server=SERVER)
    assert [(line["event"], line["instance"], line["pools"]) for line in lines] == [
        ("event is on the list", "i-1", [POOL, "lab/cad"]),
        ("event is on the list", "i-2", [POOL]),
    ]
