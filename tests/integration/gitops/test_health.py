"""What Argo CD and Flux would make of our objects, by the very scripts and expressions that are given to them.

Argo CD's scripts run in Lua. Flux's expressions are CEL, and the API server evaluates CEL: each one is put into a policy
that lets no write of a status pass, and says why: because the expression is not so, or because everything is refused.
"""

import json
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.control.conftest import Stage
from tests.waiting import eventually

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.sim.controlplane import KubectlError

Body = dict[str, Any]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "gitops"
SCRIPTS = yaml.safe_load((EXAMPLES / "argocd" / "health.yaml").read_text())["data"]
EXPRESSIONS = {
    one["kind"]: one
    for one in yaml.safe_load((EXAMPLES / "flux" / "licenses.yaml").read_text())["spec"]["healthCheckExprs"]
}
POOL, SERVER = (LicensePool, "matlab"), (LicenseServer, "licenses")


def in_lua(value: Any) -> str:
    """The value as a Lua table."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{json.dumps(key)}] = {in_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(in_lua, value)) + "}"
    return json.dumps(value, ensure_ascii=False)


def health(obj: Body) -> tuple[str, str]:
    """Status and message that Argo CD would show."""
    lua = shutil.which("lua5.4") or shutil.which("lua")
    if lua is None:
        pytest.skip("no Lua on this machine (Debian: apt-get install lua5.4)")
    script = SCRIPTS[f"resource.customizations.health.seatpool.io_{obj['kind']}"]
    call = "local hs = check()\nprint(hs.status)\nprint(hs.message)"
    program = f"local obj = {in_lua(obj)}\nlocal function check()\n{script}\nend\n{call}"
    done = subprocess.run([lua, "-"], input=program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    status, _, message = done.stdout.partition("\n")
    return status, message.strip()


async def holds(stage: Stage, what: tuple[type[Resource], str], which: str) -> bool:
    """Whether an expression of Flux's is true of an object as it is now."""
    resource, name = what
    expression = EXPRESSIONS[resource.kind][which]
    for part in ("status", "metadata"):
        expression = expression.replace(f"{part}.", f"object.{part}.")
    policy = f"flux-{secrets.token_hex(4)}"
    rule = {
        "apiGroups": ["seatpool.io"],
        "apiVersions": ["*"],
        "operations": ["UPDATE"],
        "resources": [f"{resource.plural}/status"],
    }
    chosen = {"matchLabels": {"kubernetes.io/metadata.name": stage.namespace}}
    spec = {
        "matchConstraints": {"resourceRules": [rule], "namespaceSelector": chosen},
        "validations": [
            {"expression": expression, "message": "it is not so"},
            {"expression": "false", "message": "it is so"},
        ],
    }
    api = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": policy}}
    binding = {"policyName": policy, "validationActions": ["Deny"]}
    objects = [
        api | {"kind": "ValidatingAdmissionPolicy", "spec": spec},
        api | {"kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
    ]
    answer = ""

    def refused() -> bool:
        nonlocal answer
        try:
            stage.plane.kubectl(
                "patch", resource.plural, name, "-n", stage.namespace, "--subresource=status", "--type=merge",
                "--dry-run=server", "-p", '{"status": {}}',
            )  # fmt: skip
        except KubectlError as error:
            answer = str(error)
        return policy in answer

    stage.plane.kubectl("create", "-f", "-", input=yaml.safe_dump_all(objects))
    try:
        await eventually(refused, what="the policy is in force")
    finally:
        stage.plane.kubectl("delete", "-f", "-", input=yaml.safe_dump_all(objects))
    assert "it is" in answer, answer
    return "it is so" in answer


async def seen(stage: Stage, what: tuple[type[Resource], str]) -> Body:
    found = await stage.get(*what)
    assert found is not None
    return found


@asynccontextmanager
async def operated(stage: Stage, **pool: Any) -> AsyncIterator[None]:
    stage.apply(stage.server(), stage.pool(**pool))
    async with stage.operator():
        yield


async def test_nobody_has_looked_at_it_yet(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    for what in (POOL, SERVER):
        assert health(await seen(stage, what))[0] == "Progressing"
        assert not await holds(stage, what, "current")
        assert not await holds(stage, what, "failed")


async def test_everything_is_well(stage: Stage) -> None:
    async with operated(stage):
        await stage.until_ready()
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
    for what in (POOL, SERVER):
        assert health(await seen(stage, what))[0] == "Healthy"
        assert await holds(stage, what, "current")
        assert not await holds(stage, what, "failed")


async def test_a_changed_spec_is_not_healthy_before_the_operator_saw_it(stage: Stage) -> None:
    async with operated(stage):
        await stage.until_ready()
    stage.apply(stage.pool(seats=7))
    assert health(await seen(stage, POOL))[0] == "Progressing"
    assert not await holds(stage, POOL, "current")


async def test_a_suspended_pool_is_suspended_and_holds_up_nobody(stage: Stage) -> None:
    async with operated(stage, suspend=True):
        await stage.until_condition(LicensePool, "matlab", "Suspended", status="True")
    assert health(await seen(stage, POOL))[0] == "Suspended"
    assert await holds(stage, POOL, "current")


async def test_two_pools_for_one_product_are_a_failure_that_names_the_older_one(stage: Stage) -> None:
    async with operated(stage):
        await stage.until_ready()
        stage.apply(stage.pool("second", product="matlab"))
        await stage.until_condition(LicensePool, "second", "Conflict", status="True")
    younger = (LicensePool, "second")
    status, message = health(await seen(stage, younger))
    assert (status, "DuplicateProduct" in message) == ("Degraded", True)
    assert await holds(stage, younger, "failed")


async def test_a_pool_whose_server_is_missing_is_degraded(stage: Stage) -> None:
    stage.apply(stage.pool())
    async with stage.operator():
        await stage.until_condition(LicensePool, "matlab", "InSync", status="False", reason="ServerMissing")
    assert health(await seen(stage, POOL))[0] == "Degraded"
    assert not await holds(stage, POOL, "current")


async def test_a_server_that_cannot_be_reached_is_a_failure(stage: Stage) -> None:
    stage.apply(stage.server(target={"instanceId": "i-00000000000000000"}), stage.pool())
    async with stage.operator():
        await stage.until_condition(LicenseServer, "licenses", "Reachable", status="False")
    assert health(await seen(stage, SERVER))[0] == "Degraded"
    assert await holds(stage, SERVER, "failed")


async def test_a_suspended_server_is_suspended(stage: Stage) -> None:
    stage.apply(stage.server(suspend=True), stage.pool())
    async with stage.operator():
        await stage.until_condition(LicensePool, "matlab", "Ready", status="True", reason="ServerSuspended")
    assert health(await seen(stage, SERVER))[0] == "Suspended"
