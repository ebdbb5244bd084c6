"""The re-created pipeline does on moto what it does in memory, and what is published of it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import boto3
import pytest
from benchmarks.pipeline.functions import Functions
from benchmarks.pipeline.license_server import RealServer
from benchmarks.pipeline.run import play
from benchmarks.pipeline.tables import InMemory, OnAws, Tables
from benchmarks.workloads import Event, Workload, damaged, site
from moto import mock_aws

from seatpool.sim.aws import AwsProcess

SMALL = site(users=40, products=12, types=4, days=1)


@pytest.fixture
def on_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnAws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        dynamodb, ssm = (boto3.client(name, region_name="eu-central-1") for name in ("dynamodb", "ssm"))
        yield OnAws(dynamodb, ssm, SMALL.all_products)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with AwsProcess(tmp_path_factory.mktemp("aws")) as aws:
        yield RealServer(aws)


def sent(tables: Tables, events: Sequence[Event]) -> list[tuple[str, tuple[str, ...]]]:
    """Every list that is sent, when a minute passes after each tenth event."""
    lists: list[tuple[str, tuple[str, ...]]] = []
    functions = Functions(SMALL.products, tables, lambda product, users: lists.append((product, tuple(users))))
    for number, event in enumerate(events):
        functions.count(event)
        if number % 10 == 9:
            functions.tick()
    functions.tick()
    return lists


def test_on_moto_and_in_memory_it_sends_the_same_lists_with_as_many_calls(on_aws: OnAws) -> None:
    events = damaged(SMALL.events, 0.05, random.Random(3))
    in_memory = InMemory(SMALL.all_products)
    assert sent(on_aws, events) == sent(in_memory, events)
    before = on_aws.calls, in_memory.calls
    sent(on_aws, events)
    sent(in_memory, events)
    assert on_aws.calls - before[0] == in_memory.calls - before[1]


def test_undamaged_events_leave_no_list_wrong_and_wait_for_the_next_minute(server: RealServer) -> None:
    outcome = play(SMALL, SMALL.events, server, seconds=1.0)
    assert outcome.wrong == ()
    assert min(outcome.latencies) > 1
    assert max(outcome.latencies) <= 61


def test_a_lost_stop_leaves_somebody_on_the_lists_for_ever(server: RealServer) -> None:
    stop = next(event for event in SMALL.events if not event.starts)
    lost = [event for event in SMALL.events if event is not stop]
    workload = Workload(SMALL.name, (*SMALL.events, *_another_day(stop)), SMALL.products)
    outcome = play(workload, [*lost, *_another_day(stop)], server, seconds=1.0)
    assert set(outcome.wrong) == set(SMALL.products[stop.type])
    assert all(stop.user in server.users(product) for product in outcome.wrong)


def test_a_repeated_stop_keeps_somebody_off_the_lists(server: RealServer) -> None:
    stop = next(event for event in SMALL.events if not event.starts)
    start, _ = _another_day(stop)
    workload = Workload(SMALL.name, (*SMALL.events, start), SMALL.products)
    outcome = play(workload, [*SMALL.events, stop, start], server, seconds=1.0)
    assert set(outcome.wrong) == set(SMALL.products[stop.type])
    assert not any(stop.user in server.users(product) for product in outcome.wrong)


def _another_day(stop: Event) -> tuple[Event, Event]:
    """The same person comes and goes once more, undamaged."""
    later = SMALL.events[-1].at + 3600
    return replace(stop, at=later, starts=True), replace(stop, at=later + 3600, starts=False)
