"""The election on a real API server, two processes' parts in it in one, with a clock that is moved by hand."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import structlog
from prometheus_client import CollectorRegistry

from seatpool.control.leader.election import Election
from seatpool.control.leader.leadership import Leadership
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import KubeClient
from seatpool.kube.leases import LeaseObject
from seatpool.settings.settings import LeaderElectionSettings
from seatpool.sim.controlplane import ControlPlane

SETTINGS = LeaderElectionSettings(enabled=True)
DURATION = SETTINGS.lease_duration.total_seconds()
DEADLINE = SETTINGS.renew_deadline.total_seconds()


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Candidate:
    """One process."""

    election: Election
    leadership: Leadership
    metrics: ControlMetrics
    is_inventoried: bool = False

    async def acquire_or_renew(self) -> float:
        return await self.election.acquire_or_renew()

    @property
    def leads(self) -> bool:
        return self.leadership.leads


@dataclass
class Booth:
    """Where one Lease is voted on."""

    plane: ControlPlane
    kube: KubeClient
    namespace: str
    clock: Clock

    def candidate(self, name: str, *, kube: KubeClient | None = None) -> Candidate:
        leadership = Leadership(deadline=DEADLINE, uptime=self.clock)
        metrics = ControlMetrics(CollectorRegistry())
        election = Election(
            LeaseObject(kube=kube or self.kube, namespace=self.namespace, name=SETTINGS.name),
            leadership,
            identity=name,
            settings=SETTINGS,
            inventoried=lambda: made.is_inventoried,
            metrics=metrics,
            log=structlog.get_logger(),
            clock=lambda: datetime.now(UTC),
            rng=random.Random(1),
            uptime=self.clock,
        )
        made = Candidate(election, leadership, metrics)
        return made

    def kubectl(self, *arguments: str) -> str:
        return self.plane.kubectl(*arguments, "-n", self.namespace)

    def spec(self) -> dict[str, object]:
        return dict(json.loads(self.kubectl("get", "lease", SETTINGS.name, "-o", "json"))["spec"])


@pytest.fixture
async def booth(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Booth]:
    kube = await KubeClient.connect(kubeconfig=str(control_plane.kubeconfig))
    yield Booth(control_plane, kube, namespace, Clock())
    await kube.close()


async def test_the_first_that_comes_leads_and_the_second_knows_who_does(booth: Booth) -> None:
    one, two = booth.candidate("one"), booth.candidate("two")
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    assert (one.leads, two.leads, two.leadership.other_holder) == (True, False, "one")
    assert booth.spec()["leaseDurationSeconds"] == DURATION
    assert not one.leadership.is_warm


async def test_of_many_that_come_at_once_one_leads(booth: Booth) -> None:
    many = [booth.candidate(f"candidate-{number}") for number in range(8)]
    await asyncio.gather(*(one.acquire_or_renew() for one in many))
    assert [one.leads for one in many].count(True) == 1
    await asyncio.gather(*(one.acquire_or_renew() for one in many))
    assert [one.leads for one in many].count(True) == 1


async def test_whoever_stops_renewing_is_followed_when_the_lease_is_over_and_finds_it_lost(booth: Booth) -> None:
    one, two = booth.candidate("one"), booth.candidate("two")
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    booth.clock.seconds += DEADLINE
    assert not one.leads, "it stops before anybody else may begin"
    await two.acquire_or_renew()
    assert not two.leads
    booth.clock.seconds += DURATION - DEADLINE
    await two.acquire_or_renew()
    assert two.leads
    await one.acquire_or_renew()
    assert one.leadership.lost.is_set()
    assert one.leadership.other_holder == "two"
    assert booth.spec()["leaseTransitions"] == 1


async def test_one_that_renews_leads_for_as_long_as_it_does(booth: Booth) -> None:
    one, two = booth.candidate("one"), booth.candidate("two")
    for _ in range(8):
        await one.acquire_or_renew()
        booth.clock.seconds += 3.0
        await two.acquire_or_renew()
        assert (one.leads, two.leads) == (True, False)
    assert booth.spec()["leaseTransitions"] == 0


async def test_a_lease_given_back_is_taken_at_the_next_look(booth: Booth) -> None:
    one, two = booth.candidate("one"), booth.candidate("two")
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    await one.election.release()
    assert not one.leads
    assert "holderIdentity" not in booth.spec()
    await two.acquire_or_renew()
    assert two.leads


async def test_the_heir_of_one_that_was_seen_alive_and_had_asked_ec2_needs_not_wait_for_that(booth: Booth) -> None:
    one, two = booth.candidate("one"), booth.candidate("two")
    one.is_inventoried = True
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    booth.clock.seconds += DURATION
    await two.acquire_or_renew()
    assert two.leads
    assert two.leadership.is_warm


async def test_who_has_just_come_or_follows_one_that_had_not_asked_ec2_waits_for_that(booth: Booth) -> None:
    one, two, three = booth.candidate("one"), booth.candidate("two"), booth.candidate("three")
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    one.is_inventoried = True
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    await one.election.release()
    await three.acquire_or_renew()
    assert three.leads
    assert not three.leadership.is_warm, "it does not know how old what it reads is"
    await three.acquire_or_renew()
    await two.acquire_or_renew()
    await three.election.release()
    await two.acquire_or_renew()
    assert two.leads
    assert not two.leadership.is_warm, "three had not asked EC2 for everything yet"


async def test_a_deleted_lease_is_made_again_by_its_holder_before_anybody_who_saw_it_may_take_it(booth: Booth) -> None:
    one, two = booth.candidate("one"), booth.candidate("two")
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    booth.kubectl("delete", "lease", SETTINGS.name)
    await two.acquire_or_renew()
    assert not two.leads
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    assert (one.leads, two.leads) == (True, False)


async def test_an_annotation_of_somebody_deposes_nobody_and_stays(booth: Booth) -> None:
    one = booth.candidate("one")
    await one.acquire_or_renew()
    booth.kubectl("annotate", "lease", SETTINGS.name, "who=ann")
    assert await one.acquire_or_renew() == 0.0, "it looks, and renews at once"
    await one.acquire_or_renew()
    booth.clock.seconds += 1.0
    assert one.leads
    assert booth.kubectl("get", "lease", SETTINGS.name, "-o", "jsonpath={.metadata.annotations.who}") == "ann"


async def test_a_holder_that_somebody_strikes_out_leads_no_more(booth: Booth) -> None:
    one = booth.candidate("one")
    await one.acquire_or_renew()
    booth.kubectl("patch", "lease", SETTINGS.name, "--type=merge", "-p", '{"spec": {"holderIdentity": "admin"}}')
    await one.acquire_or_renew()
    assert one.leadership.lost.is_set()
    assert one.leadership.other_holder == "admin"


async def test_an_outage_of_the_api_server_pauses_the_leader_and_deposes_nobody(booth: Booth) -> None:
    one, two = booth.candidate("one"), booth.candidate("two")
    await one.acquire_or_renew()
    await two.acquire_or_renew()
    await asyncio.to_thread(booth.plane.kill_apiserver)
    try:
        booth.clock.seconds += DEADLINE + 0.5
        await one.acquire_or_renew()
        assert not one.leads
        assert not one.leadership.lost.is_set()
    finally:
        await asyncio.to_thread(booth.plane.start_apiserver)
    await one.acquire_or_renew()
    assert one.leads
    booth.clock.seconds += DURATION - DEADLINE
    await two.acquire_or_renew()
    assert not two.leads, "the Lease was renewed meanwhile"
    assert booth.spec()["leaseTransitions"] == 0


async def test_a_renewal_that_was_stored_and_not_answered_is_no_loss(booth: Booth) -> None:
    one = booth.candidate("one")
    await one.acquire_or_renew()
    again = booth.candidate("one")  # what reaches the API server, although "one" never hears of it
    await again.acquire_or_renew()
    assert await one.acquire_or_renew() == 0.0
    await one.acquire_or_renew()
    assert one.leads


async def test_a_refused_lease_is_told_with_the_right_that_is_missing(booth: Booth) -> None:
    booth.kubectl("create", "serviceaccount", "nobody")
    file = booth.plane.kubeconfig_for_service_account(booth.namespace, "nobody")
    kube = await KubeClient.connect(kubeconfig=str(file))
    try:
        one = booth.candidate("one", kube=kube)
        await one.acquire_or_renew()
        problem = one.leadership.problem
        assert problem is not None
        for part in (f"{booth.namespace}/{SETTINGS.name}", 'cannot get resource "leases"', "get and update", "create"):
            assert part in problem
        role = ("--verb=get,update,create", "--resource=leases.coordination.k8s.io")
        booth.kubectl("create", "role", "lease", *role)
        booth.kubectl("create", "rolebinding", "lease", "--role=lease", f"--serviceaccount={booth.namespace}:nobody")
        await asyncio.sleep(0.5)
        await one.acquire_or_renew()
        assert one.leads
        assert one.leadership.problem is None
    finally:
        await kube.close()
