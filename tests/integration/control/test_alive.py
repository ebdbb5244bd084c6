"""Answers tell whether the operator lives, with an election and without one, and never from what it wrote before it died."""

import asyncio
import json
import os
import sys
from functools import partial

import pytest
import structlog
from tests.integration.control.conftest import Stage
from tests.waiting import eventually

from seatpool.api.licenseserver import LicenseServer
from seatpool.clock import utc_now
from seatpool.control.leader.alive_lease import AliveLease
from seatpool.kube.client import KubeClient
from seatpool.kube.leases import LeaseObject

PROGRAM = "from seatpool.cli.main import main; main()"


async def ask(stage: Stage, *arguments: str, kubeconfig: str | None = None) -> tuple[int, str, str]:
    """Runs the command line as a user does."""
    where = ("-n", stage.namespace, "--kubeconfig", kubeconfig or str(stage.plane.kubeconfig))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *arguments, *where, env=os.environ | {"TZ": "UTC", "NO_COLOR": "1", "COLUMNS": "150"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("elected", [False, True], ids=["without an election", "with one"])
async def test_status_tells_from_the_lease_whether_the_operator_lives(stage: Stage, *, elected: bool) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"))
    election = {"enabled": elected, "namespace": stage.namespace}
    name = "seatpool" if elected else "seatpool-alive"
    async with stage.operator(leader_election=election) as operator:
        await stage.until_list(["ann"])
        await stage.until_ready()
        await eventually(lambda: bool(stage.plane.kubectl("get", "lease", "-n", stage.namespace, "-o", "name")))
        code, out, _ = await ask(stage, "status")
        assert code == 0, out
        assert out.startswith("All well (")
        assert f"Operator {operator.holder} (" in out
        assert "is alive (" in out
        for verb in (("why", "ann"), ("diff", "matlab"), ("events", "matlab")):
            first, second, *_ = (await ask(stage, *verb))[1].splitlines()
            assert "is alive (" in first
            assert second == f"Looked at namespace {stage.namespace}."
        wrote = (await stage.server_status())["operator"]
        assert wrote["lease"] == f"{stage.namespace}/{name}"

    code, out, _ = await ask(stage, "status")
    assert code == 1
    assert f"No operator is running: {operator.holder} stopped" in out

    # As a killed one leaves it: it still holds the Lease, and renews it no more.
    died = {"spec": {"holderIdentity": operator.holder, "renewTime": "2026-01-05T09:00:00.000000Z"}}
    stage.plane.kubectl("patch", "lease", name, "-n", stage.namespace, "--type=merge", "-p", json.dumps(died))
    code, out, _ = await ask(stage, "status")
    assert code == 1
    assert "1 problem" in out
    assert f"Operator {operator.holder} (" in out
    assert "was last alive" in out
    code, out, err = await ask(stage, "why", "ann", "-o", "json")
    assert code == 1
    assert json.loads(out)["user"] == "ann"
    assert "was last alive" in err


async def test_who_may_not_read_the_lease_is_told_which_right_is_missing(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(leader_election={"enabled": False, "namespace": stage.namespace}):
        await stage.until_ready()
        kubectl = partial(stage.plane.kubectl, "-n", stage.namespace)
        kubectl("create", "serviceaccount", "looker")
        kinds = "licensepools,licenseservers,workbenches,seatledgers"
        kubectl("create", "role", "looker", "--verb=get,list,watch", f"--resource={kinds}")
        kubectl("create", "rolebinding", "looker", "--role=looker", f"--serviceaccount={stage.namespace}:looker")
        viewer = stage.plane.kubeconfig_for_service_account(stage.namespace, "looker")
        code, out, _ = await ask(stage, "status", kubeconfig=str(viewer))
    assert code == 0, out
    assert f"you may not get Lease seatpool-alive in namespace {stage.namespace}" in out


async def test_a_lease_that_another_process_writes_too_is_no_failure(stage: Stage) -> None:
    kube = await KubeClient.connect(kubeconfig=str(stage.plane.kubeconfig))
    lease = LeaseObject(kube=kube, namespace=stage.namespace, name="seatpool-alive")
    try:
        both = [AliveLease(lease, identity=f"pod-{n}", clock=utc_now, log=structlog.get_logger()) for n in range(2)]
        tasks = [asyncio.create_task(one.run()) for one in both]

        async def written() -> bool:
            return await lease.read() is not None

        await eventually(written)
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in both:
            await one.release()
        raw = await lease.read()
        assert raw is not None
        assert "holderIdentity" not in raw["spec"]
    finally:
        await kube.close()
    assert await stage.get(LicenseServer, "licenses") is None
