"""Every sink gets the facts that concern it, in order, and one that fails stops no other."""

from typing import ClassVar

import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from tests.unit.control.objects import pool, server

from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks import facts
from seatpool.control.sinks.broadcaster import Broadcaster

RECOVERED = facts.ServerRecovered(server=server())
LISTED = facts.ListRecovered(pool=pool())


class Kept:
    kinds: ClassVar = (facts.ServerRecovered,)

    def __init__(self) -> None:
        self.facts: list[facts.Fact] = []

    def handle(self, fact: facts.Fact) -> None:
        self.facts.append(fact)


class Broken:
    kinds: ClassVar = (facts.ServerRecovered, facts.ListRecovered)

    def handle(self, fact: facts.Fact) -> None:
        raise ZeroDivisionError(str(fact))


def test_a_sink_is_handed_the_kinds_that_it_names() -> None:
    kept = Kept()
    Broadcaster([kept], metrics=ControlMetrics(CollectorRegistry()), log=structlog.get_logger()).publish(
        [LISTED, RECOVERED, LISTED]
    )
    assert kept.facts == [RECOVERED]


def test_a_sink_that_fails_is_counted_and_logged_and_the_others_go_on() -> None:
    registry, kept = CollectorRegistry(), Kept()
    broadcaster = Broadcaster([Broken(), kept], metrics=ControlMetrics(registry), log=structlog.get_logger())
    with capture_logs() as lines:
        broadcaster.publish([RECOVERED, RECOVERED])
    assert kept.facts == [RECOVERED, RECOVERED]
    assert registry.get_sample_value("seatpool_sink_failures_total", {"sink": "Broken"}) == 2
    assert [(line["event"], line["fact"]) for line in lines] == [("a sink failed", "ServerRecovered")] * 2
