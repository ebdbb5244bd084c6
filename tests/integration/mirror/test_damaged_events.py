"""Events are lost, repeated and swapped, and after one inventory the objects are what EC2 says all the same.

Once with a fleet whose people do as hypothesis pleases, and once with a recorded month of a university's lab.
`SEATPOOL_REPLAY=all` replays the whole record instead of its beginning.
"""

import asyncio
import gzip
import json
import os
import random
import threading
import time
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test
from moto.backends import get_backend
from prometheus_client import CollectorRegistry
from tests.integration.mirror.conftest import REGION, Aws, Body, Stage
from tests.integration.mirror.gate import Gate
from tests.integration.mirror.test_accounts import ACCOUNTS, REGIONS, listed
from tests.waiting import PATIENCE

from seatpool.api.base import format_instant
from seatpool.api.workbench import Workbench
from seatpool.kube.client import KubeClient
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.mirror import Mirror
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.fleet import Fleet
from seatpool.sim.posting import DeliveryFaults

RECORD = Path(__file__).parents[3] / "examples" / "events-matlab-lab.jsonl.gz"
BEGINNING = 400
TROUBLES = DeliveryFaults(lose=0.1, duplicate=0.1, delay=(0.0, 0.3))
OWNER_TAG = "vew:workbench:ownerId"
ENDED = ("terminated", "shutting-down")
Seen = dict[str, tuple[str, str, str, str]]


def truth() -> Seen:
    """Account, region, owner and state of every workbench that EC2 knows and that has not ended."""
    found: Seen = {}
    for account in ACCOUNTS:
        for region in REGIONS:
            backend = get_backend("ec2")[account][region]
            for reservation in list(backend.reservations.values()):
                for instance in reservation.instances:
                    owner = {tag["key"]: tag["value"] for tag in instance.get_tags()}.get(OWNER_TAG)
                    if owner is not None and instance.state not in ENDED:
                        found[instance.id] = (account, region, owner, instance.state)
    return found


async def objects(kube: KubeClient, namespace: str) -> Seen:
    """The same of the Workbench objects."""
    items, _ = await kube.list_all(Workbench, namespace=namespace)
    specs = [item["spec"] for item in items if item["spec"]["state"] not in ENDED]
    return {one["instanceId"]: (one["account"], one["region"], one["owner"], one["state"]) for one in specs}


class Background:
    """A mirror that runs while a test that is not a coroutine plays with EC2."""

    def __init__(self, aws: Aws, plane: ControlPlane, namespace: str, config: MirrorConfig) -> None:
        self.namespace = namespace
        self.registry = CollectorRegistry()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.kube = self.run(KubeClient.connect(kubeconfig=str(plane.kubeconfig)))
        self.mirror = self.run(self._make(aws, config))
        self._task = asyncio.run_coroutine_threadsafe(self.mirror.run(), self._loop)
        self.run(asyncio.wait_for(self.mirror.ready.wait(), PATIENCE))

    async def _make(self, aws: Aws, config: MirrorConfig) -> Mirror:
        log = structlog.get_logger()
        return Mirror(config, self.kube, registry=self.registry, log=log, session_factory=aws.session)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        self._task.cancel()
        self.run(asyncio.sleep(0.1))
        self.run(self.kube.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class FleetAndObjects(RuleBasedStateMachine):
    """People start, stop, hand over and end workbenches in three accounts and two regions; access comes and goes."""

    background: Background
    gate: Gate
    aws: Aws
    instances = Bundle("instances")

    @initialize(seed=st.integers(0, 2**16))
    def arrive(self, seed: int) -> None:
        randomness = random.Random(seed)
        self.fleets = {
            (account, region): Fleet(
                self.aws.endpoint,
                region=region,
                account=account,
                queue_url=self.aws.queue_url,
                queue_region=REGION,
                troubles=TROUBLES,
                randomness=randomness,
            )
            for account in ACCOUNTS
            for region in REGIONS
        }
        self.ended: set[str] = set()
        self.stopped: set[str] = set()

    @rule(
        target=instances,
        place=st.sampled_from([(account, region) for account in ACCOUNTS for region in REGIONS]),
        owner=st.sampled_from(["ann", "bob", "cem", None]),
    )
    def start(self, place: tuple[str, str], owner: str | None) -> Any:
        return multiple((place, self.fleets[place].start(owner)))

    @rule(which=instances)
    def stop_or_start_again(self, which: tuple[tuple[str, str], str]) -> None:
        place, instance = which
        if instance in self.ended:
            return
        if instance in self.stopped:
            self.fleets[place].start_again(instance)
        else:
            self.fleets[place].stop(instance)
        self.stopped ^= {instance}

    @rule(which=instances)
    def end(self, which: tuple[tuple[str, str], str]) -> None:
        place, instance = which
        if instance not in self.ended:
            self.fleets[place].terminate(instance)
            self.ended.add(instance)

    @rule(which=instances, owner=st.sampled_from(["dora", "eve"]))
    def hand_over(self, which: tuple[tuple[str, str], str], owner: str) -> None:
        (account, region), instance = which
        ec2 = self.aws.client("ec2", region, account)
        ec2.create_tags(Resources=[instance], Tags=[{"Key": OWNER_TAG, "Value": owner}])

    @rule(account=st.sampled_from(ACCOUNTS))
    def lose_access_for_a_moment(self, account: str) -> None:
        with self.gate.trouble(account=account, operation="DescribeInstances", code="UnauthorizedOperation"):
            time.sleep(0.1)

    def teardown(self) -> None:
        if not hasattr(self, "fleets"):
            return
        for fleet in self.fleets.values():
            fleet.wait_until_posted()
            fleet.close()
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = self.background.run(objects(self.background.kube, self.background.namespace))
            if seen == truth() and self.aws.left_in_queue() == 0:
                return
            assert time.monotonic() < deadline, (seen, truth(), self.aws.left_in_queue())
            time.sleep(0.1)


@pytest.fixture
def background(aws: Aws, stage: Stage, control_plane: ControlPlane) -> Iterator[Background]:
    config = stage.config(accounts=listed(stage, *ACCOUNTS), resync_interval="500ms", visibility="2s")
    running = Background(aws, control_plane, stage.namespace, config)
    yield running
    running.close()


def test_whatever_people_do_and_whatever_gets_lost_the_objects_become_the_fleet(
    background: Background, gate: Gate, aws: Aws
) -> None:
    FleetAndObjects.background, FleetAndObjects.gate, FleetAndObjects.aws = background, gate, aws
    suppressed = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        FleetAndObjects,
        settings=settings(max_examples=4, stateful_step_count=20, suppress_health_check=suppressed, print_blob=True),
    )


def recorded() -> list[Body]:
    with gzip.open(RECORD, "rt") as lines:
        events = [json.loads(line) for line in lines]
    return events if os.environ.get("SEATPOOL_REPLAY") == "all" else events[:BEGINNING]


def transplant(aws: Aws, events: list[Body]) -> list[Body]:
    """The record's machines as instances of three accounts and two regions, and its time ending now.

    EC2 gets every machine in the state that it has at the end of the record.
    """
    last = {one["detail"]["instance-id"]: one for one in events}
    places = [(account, region) for account in ACCOUNTS for region in REGIONS]
    names: dict[str, tuple[str, str, str]] = {}
    for number, (machine, event) in enumerate(sorted(last.items())):
        account, region = places[number % len(places)]
        detail = event["detail"]
        instance = aws.start_instance(
            owner=detail["user-id"], type=detail["workbench-type"], account=account, region=region
        )
        if detail["workbench-state"] == "stopped":
            get_backend("ec2")[account][region].stop_instances([instance])
        names[machine] = (account, region, instance)
    ends = datetime.fromisoformat(events[-1]["time"])
    moved = []
    for event in events:
        account, region, instance = names[event["detail"]["instance-id"]]
        at = datetime.now(UTC) - (ends - datetime.fromisoformat(event["time"])) - timedelta(seconds=1)
        detail = event["detail"] | {"instance-id": instance}
        moved.append(event | {"account": account, "region": region, "time": format_instant(at), "detail": detail})
    return moved


def damage(events: list[Body], randomness: random.Random) -> list[Body]:
    """Each is lost with 10 %, comes twice with 10 %, and may come hundreds of places later."""
    arrived = []
    for place, event in enumerate(events):
        if randomness.random() < 0.1:
            continue
        for _ in range(2 if randomness.random() < 0.1 else 1):
            late = randomness.uniform(0, 300) if randomness.random() < 0.1 else randomness.uniform(0, 10)
            arrived.append((place + late, len(arrived), event))
    return [event for _, _, event in sorted(arrived, key=lambda one: one[:2])]


async def test_a_recorded_month_that_arrives_damaged_ends_as_the_fleet_after_one_inventory(stage: Stage) -> None:
    events = await asyncio.to_thread(transplant, stage.aws, recorded())
    damaged = damage(events, random.Random(20260105))
    accounts = listed(stage, *ACCOUNTS)
    with stage.gate.trouble(operation="DescribeInstances", code="UnauthorizedOperation"):
        # The record is older than events may be: without this each one would wait for EC2's answer.
        async with stage.mirror(accounts=accounts, receivers=4, visibility="30s", max_event_delay="365d") as mirror:
            await mirror.ready.wait()
            began = time.monotonic()
            await asyncio.to_thread(stage.aws.send_gently, *damaged)
            await stage.until_handled(seconds=300)
            took = time.monotonic() - began
            before = await objects(stage.kube, stage.namespace)
            wrong = sum(before.get(instance) != one for instance, one in truth().items())
    assert wrong, "nothing was damaged"
    async with stage.mirror(accounts=accounts, resync_interval="1h") as mirror:
        await asyncio.wait_for(mirror.ready.wait(), PATIENCE)
        assert all(one.fresh for one in mirror.health.inventories)
        assert await objects(stage.kube, stage.namespace) == truth()
        assert sum(stage.corrections().values()) >= wrong
    summary = {"events": len(events), "arrived": len(damaged), "seconds": round(took, 1), "wrong_before": wrong}
    structlog.get_logger().info("replayed", machines=len(truth()), **summary)
