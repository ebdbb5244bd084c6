"""Two operators as processes on one Lease: one works, and the other goes on where it was, whatever becomes of the first."""

import asyncio
import contextlib
import signal
from pathlib import Path

import pytest
from tests.integration.control.conftest import Stage, event
from tests.integration.control.operator_that_stops import SENDING
from tests.integration.control.replicas import Replica, Stopwatch, replicas
from tests.waiting import eventually

from seatpool.api.licenseserver import LicenseServer
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.runtime.operator import Operator
from seatpool.domain.errors import SeatpoolError
from seatpool.kube import pod
from seatpool.sim.controlplane import KubectlError

INSTALL = Path(__file__).parents[3] / "examples" / "install"
WRITES = (
    "seatpool_kube_writes_total",
    "seatpool_events_total",
    "seatpool_ssm_commands_total",
    "seatpool_mirror_writes_total",
    "seatpool_mirror_received_total",
    "seatpool_mirror_inventories_total",
    "seatpool_notices_total",
)


async def test_one_leads_and_the_other_stands_by_ready_and_writes_nothing(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    with replicas(stage, mirror=stage.mirror_settings(inventory=True)) as both:
        leader, standby = await both.pair()
        fleet = stage.site.fleet()
        for owner in ("ann", "bob"):
            fleet.start(owner)
        await stage.until_list(["ann", "bob"])
        fleet.start("cem")
        await stage.until_ready()
        stage.apply(stage.workbench(9, "two words"))
        await eventually(lambda: bool(stage.events("OwnerRefused")))
        await asyncio.sleep(1.5)
        assert (leader.leads, standby.leads) == (True, False)
        assert leader.total("seatpool_kube_writes_total") > 0
        assert leader.total("seatpool_ssm_commands_total") > 0
        assert {name: standby.total(name) for name in WRITES} == dict.fromkeys(WRITES, 0.0)
        assert standby.probe("/healthz")[0] == 200
        assert (await stage.server_status())["holder"].startswith("leader-")
        assert {entry["reportingInstance"].split("-")[0] for entry in stage.events()} == {"leader"}
        assert standby.total("seatpool_watch_last_event_timestamp_seconds") > 0, "it watches"


async def test_when_the_leader_is_killed_the_other_serves_a_new_workbench(stage: Stage) -> None:
    """With the times that ship."""
    stage.apply(stage.server(), stage.pool(seats=2))
    with replicas(stage, election={}) as both:
        leader, standby = await both.pair()
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        await asyncio.sleep(3)
        leader.signal(signal.SIGKILL)
        killed = Stopwatch()
        stage.send(event(2, "running", "bob"))
        await stage.until_list(["ann", "bob"])
        killed.say("from kill -9 of the leader to the list with a new person on it")
        await eventually(lambda: standby.leads)
        assert standby.said("leading")["warm"] is True  # type: ignore[index]
    assert [entry.users for entry in stage.host.journal()] == [("ann",), ("ann", "bob")]


async def test_a_leader_that_is_stopped_cleanly_hands_over_and_a_command_that_it_sent_is_not_repeated(
    stage: Stage,
) -> None:
    stage.apply(stage.server(), stage.pool(seats=3))
    with replicas(stage, election={}) as both:
        leader, standby = await both.pair()
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.host.faults(sleep_apply=2)
        stage.send(event(2, "running", "bob"))
        await eventually(lambda: is_under_way(stage, revision=2), what="the second command is under way")
        leader.signal(signal.SIGTERM)
        stopped = Stopwatch()
        assert await leader.ended() == 0
        stopped.say("from SIGTERM to the end of the process")
        assert leader.said("the lease was given back") is not None
        await eventually(lambda: standby.leads)
        stopped.say("from SIGTERM to the other one leading")
        stage.host.faults()
        stage.send(event(3, "running", "cem"))
        await stage.until_list(["ann", "bob", "cem"])
        stopped.say("from SIGTERM to the list with a new person on it, after a command of 2 s")
        await stage.until_ready()
    journal = [entry.users for entry in stage.host.journal()]
    assert journal == [("ann",), ("ann", "bob"), ("ann", "bob", "cem")]


@pytest.mark.parametrize(
    "where", [Failpoint.BEFORE_INTENT.value, Failpoint.AFTER_INTENT.value, Failpoint.AFTER_SEND.value, SENDING]
)
async def test_a_leader_that_slept_through_its_lease_lands_no_older_list_and_steps_down(
    stage: Stage, where: str
) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    with replicas(stage) as both:
        sleeper, other = await both.pair(stopped_at=where)
        stage.send(event(1, "running", "ann"))
        await eventually(lambda: sleeper.is_stopped, what="it sleeps")
        await eventually(lambda: other.leads, what="the other leads")
        await stage.until_list(["ann"])
        stage.send(event(1, "stopped", "ann"), event(2, "running", "bob"))
        await stage.until_list(["bob"])
        await stage.until_ready()
        settled = (await stage.server_status())["revision"]
        sent = stage.commands()
        sleeper.signal(signal.SIGCONT)
        assert await sleeper.ended() == 1
        assert sleeper.said("the lease was lost: nothing is sent any more, and this process ends") is not None
        await asyncio.sleep(1)
        assert stage.host.users("matlab") == ("bob",)
        journal = [entry.users for entry in stage.host.journal() if entry.accepted]
        first_newest = journal.index(("bob",))
        assert set(journal[first_newest:]) == {("bob",)}, "an older list was written after the newest"
        slipped_through = stage.commands() - sent
        assert slipped_through == (1 if where == SENDING else 0), sleeper.log.read_text()
        assert (await stage.server_status())["revision"] >= settled
        stage.send(event(3, "running", "cem"))
        await stage.until_list(["bob", "cem"])
        assert (await stage.server_status())["holder"].startswith("standby-")


async def test_an_api_server_that_restarts_makes_no_two_leaders(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    with replicas(stage) as both:
        leader, standby = await both.pair()
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        watching = asyncio.create_task(most_leaders([leader, standby]))
        await asyncio.to_thread(stage.plane.kill_apiserver)
        stage.send(event(2, "running", "bob"))
        try:
            await eventually(lambda: not leader.leads, what="who cannot renew does not lead")
            await eventually(
                lambda: leader.said("the lease could not be renewed: nothing is sent until it is") is not None
            )
            await asyncio.sleep(2)
            assert stage.host.users("matlab") == ("ann",)
        finally:
            await asyncio.to_thread(stage.plane.start_apiserver)
        await stage.until_list(["ann", "bob"])
        await eventually(lambda: leader.leads or standby.leads)
        watching.cancel()
        assert (await asyncio.gather(watching, return_exceptions=True))[0] == 1


async def test_a_lease_that_may_not_be_renewed_any_more_stops_sending_and_is_told(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    account = f"--serviceaccount={stage.namespace}:operator"
    stage.plane.kubectl("create", "serviceaccount", "operator", "-n", stage.namespace)
    stage.plane.kubectl("apply", "-f", INSTALL / "namespace.yaml", "-f", INSTALL / "rbac.yaml")
    stage.plane.kubectl("create", "clusterrolebinding", stage.namespace, "--clusterrole=seatpool", account)
    allow_lease(stage, account)
    file = stage.plane.kubeconfig_for_service_account(stage.namespace, "operator")
    try:
        with replicas(stage, kubeconfig=str(file)) as one:
            leader = await one.start("leader")
            stage.send(event(1, "running", "ann"))
            await stage.until_list(["ann"])
            await stage.until_ready()
            stage.plane.kubectl("delete", "rolebinding", "lease", "-n", stage.namespace)
            message = await stage.until_condition(
                LicenseServer, "licenses", "Ready", status="False", reason="LeaseRefused"
            )
            assert 'cannot update resource "leases"' in message
            assert one.lease in message
            stage.send(event(2, "running", "bob"))
            await asyncio.sleep(2)
            assert stage.host.users("matlab") == ("ann",)
            status, text = leader.probe("/readyz")
            assert status == 503
            assert "FAIL lease: Lease" in text
            assert leader.said("the lease is refused") is not None
            allow_lease(stage, account)
            await stage.until_list(["ann", "bob"])
            await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
    finally:
        stage.plane.kubectl("delete", "clusterrolebinding", stage.namespace)


async def test_an_election_without_a_place_for_its_lease_is_refused_with_what_to_write(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POD_NAMESPACE", raising=False)
    monkeypatch.setattr(pod, "NAMESPACE_FILE", stage.tmp_path / "none")
    operator = Operator(stage.settings(leader_election={"enabled": True}))
    with pytest.raises(SeatpoolError, match=r"--set leader_election\.namespace=seatpool"):
        await operator.run()


def allow_lease(stage: Stage, account: str) -> None:
    role = ("--verb=get,create,update", "--resource=leases.coordination.k8s.io")
    with contextlib.suppress(KubectlError):  # it is there already
        stage.plane.kubectl("create", "role", "lease", "-n", stage.namespace, *role)
    stage.plane.kubectl("create", "rolebinding", "lease", "-n", stage.namespace, "--role=lease", account)


async def most_leaders(among: list[Replica]) -> int:
    """Looks until it is cancelled; how many led at most at the same time."""
    most = 0
    try:
        while True:
            leads = await asyncio.gather(*(asyncio.to_thread(lambda one=one: one.leads) for one in among))
            most = max(most, sum(leads))
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return most


async def is_under_way(stage: Stage, *, revision: int) -> bool:
    flying = (await stage.server_status()).get("inFlight", {})
    return "commandId" in flying and flying["revision"] == revision
