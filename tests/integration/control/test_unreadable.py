"""An object that the API server admits and that cannot be read says so itself, and nothing else notices."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.control.conftest import Body, Stage, instance
from tests.integration.control.replicas import replicas
from tests.waiting import eventually

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.policy.ledger_codec import ledger_name

LATE = "0001-01-01T00:00:00+14:00"
"""A time that has no UTC."""


LEDGER_OF_CAD = ledger_name("licenses", "cad", 0)


def odd_server(stage: Stage, name: str) -> Body:
    made = stage.server(xlc={"stateDir": stage.host.state_dir, "listFormat": {"type": "Regex", "pattern": "(("}})
    made["metadata"]["name"] = name
    return made


def odd_pool(stage: Stage, name: str) -> Body:
    return stage.pool(name, minimumHold="99999999999d")


def odd_workbench(stage: Stage, number: int, owner: str = "odd") -> Body:
    made = stage.workbench(number, owner)
    made["spec"]["launchedAt"] = LATE
    return made


def odd_ledger(stage: Stage, pool: str) -> Body:
    grant = {"user": "odd", "since": LATE, "reason": "Granted"}
    metadata = {"name": ledger_name("licenses", pool, 0), "namespace": stage.namespace}
    spec = {"server": "licenses", "product": pool, "pool": pool, "assigned": [grant]}
    return {"apiVersion": "seatpool.io/v1alpha1", "kind": "SeatLedger", "metadata": metadata, "spec": spec}


async def says(stage: Stage, kind: type[Resource], name: str, field: str) -> None:
    message = await stage.until_condition(kind, name, "Ready", status="False", reason="InvalidSpec")
    assert field in message
    assert "Input should" not in message


async def test_with_an_odd_object_of_every_kind_the_operator_starts_and_each_of_them_says_so(stage: Stage) -> None:
    odd = odd_server(stage, "odd"), odd_pool(stage, "odd"), odd_workbench(stage, 9), odd_ledger(stage, "cad")
    of_odd = stage.pool("of-odd")
    of_odd["spec"]["serverRef"]["name"] = "odd"
    cad = stage.pool("cad", workbenchTypes=["vew-matlab"])
    stage.apply(*odd, of_odd, cad, stage.server(), stage.pool(), stage.workbench(1, "ann"))
    for _ in range(2):
        async with stage.operator():
            await stage.until_list(["ann"])
            await stage.until_ready()
            await says(stage, LicenseServer, "odd", "spec.xlc.listFormat: ")
            await says(stage, LicensePool, "odd", "spec.minimumHold: '99999999999d' cannot be used: ")
            await says(stage, LicensePool, "of-odd", "LicenseServer odd: spec.xlc.listFormat: ")
            await says(stage, Workbench, instance(9), "spec.launchedAt: ")
            message = await stage.until_condition(LicensePool, "cad", "Ready", status="False", reason="PoolFailed")
            assert f"SeatLedger {LEDGER_OF_CAD} cannot be read: spec.assigned.0.since: " in message
    async with stage.operator():
        stage.delete("seatledger", LEDGER_OF_CAD)
        mended = stage.server()
        mended["metadata"]["name"] = "odd"
        mended["spec"]["xlc"] = {"stateDir": f"{stage.host.state_dir}/other"}
        workbench = stage.workbench(9, "bob")
        workbench["spec"]["launchedAt"] = workbench["spec"]["stateChangedAt"]
        stage.apply(mended, stage.pool("odd", minimumHold="0s"), workbench)
        for pool in ("odd", "of-odd", "cad"):
            await stage.until_ready(pool)
        await stage.until_condition(LicenseServer, "odd", "Ready", status="True")
        await stage.until_condition(Workbench, instance(9), "Ready", status="True")
        await stage.until_list(["ann", "bob"])
        await stage.until_list(["ann", "bob"], product="cad")


ODD: dict[str, Callable[[Stage], tuple[Body, type[Resource], str, str]]] = {
    "a server": lambda stage: (odd_server(stage, "licenses"), LicenseServer, "licenses", "spec.xlc.listFormat: "),
    "a pool": lambda stage: (odd_pool(stage, "matlab"), LicensePool, "matlab", "spec.minimumHold: "),
    "a workbench": lambda stage: (odd_workbench(stage, 1, "ann"), Workbench, instance(1), "spec.launchedAt: "),
}


@pytest.mark.parametrize("made", ODD.values(), ids=ODD)
async def test_what_becomes_unreadable_says_so_and_takes_it_back(
    stage: Stage, made: Callable[[Stage], tuple[Body, type[Resource], str, str]]
) -> None:
    workbench = stage.workbench(1, "ann")
    workbench["spec"]["launchedAt"] = workbench["spec"]["stateChangedAt"]
    objects = stage.server(), stage.pool(minimumHold="0s"), workbench
    stage.apply(*objects)
    odd, kind, name, field = made(stage)
    async with stage.operator():
        await stage.until_list(["ann"])
        await stage.until_ready()
        before = await stage.server_status()
        stage.apply(odd)
        await says(stage, kind, name, field)
        if kind is LicenseServer:
            await says(stage, LicensePool, "matlab", "LicenseServer licenses: ")
            after = await stage.server_status()
            assert (after["revision"], after["holder"]) == (before["revision"], before["holder"])
        assert stage.host.users("matlab") == ("ann",)
        stage.apply(_plain(objects, odd), stage.workbench(2, "bob"))
        await stage.until_condition(kind, name, "Ready", status="True")
        await stage.until_ready()
        await stage.until_list(["ann", "bob"])


async def test_with_an_odd_object_of_every_kind_it_leads_and_fails_over_and_the_next_leader_says_what_is_new(
    stage: Stage,
) -> None:
    copy = odd_ledger(stage, "matlab")
    copy["metadata"]["name"], copy["spec"]["assigned"] = "copy-0", []
    cad = stage.pool("cad", workbenchTypes=["vew-matlab"])
    stage.apply(odd_ledger(stage, "cad"), copy, odd_server(stage, "other"), odd_workbench(stage, 8))
    stage.apply(stage.server(), stage.pool(), cad, stage.workbench(1, "ann"))
    with replicas(stage) as made:
        leader, standby = await made.pair()
        await stage.until_list(["ann"])
        stage.apply(odd_pool(stage, "odd"))
        await says(stage, LicensePool, "odd", "spec.minimumHold: ")
        await says(stage, LicenseServer, "other", "spec.xlc.listFormat: ")
        leader.process.kill()
        leader.process.wait()
        stage.apply(odd_server(stage, "odd"), odd_workbench(stage, 9), stage.workbench(2, "bob"))
        await eventually(lambda: standby.leads, what="the standby leads")
        await says(stage, LicenseServer, "odd", "spec.xlc.listFormat: ")
        await says(stage, Workbench, instance(9), "spec.launchedAt: ")
        await stage.until_list(["ann", "bob"])
        await stage.until_ready()
        await stage.until_condition(LicensePool, "cad", "Ready", status="False", reason="PoolFailed")
        assert stage.host.users("cad") == ()


def _plain(objects: tuple[Body, ...], odd: Body) -> Any:
    return next(
        one for one in objects if (one["kind"], one["metadata"]["name"]) == (odd["kind"], odd["metadata"]["name"])
    )
