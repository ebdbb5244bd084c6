"""What went wrong is well again as soon as it can be, and what was never decided is not promised."""

import asyncio
import itertools
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.integration.control.conftest import LEDGER, Stage, instance
from tests.waiting import eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench

ANY_HASH = "0" * 64
TAKE_OVER = "seatpool.io/take-over"


def fence(stage: Stage) -> str:
    return (stage.host.home / "state" / "matlab.revision").read_text().split()[0]


async def test_a_list_is_taken_over_even_when_nobody_has_to_come_or_go(stage: Stage) -> None:
    state = stage.host.home / "state"
    state.mkdir()
    (state / "matlab.revision").write_text(f"other-cluster 7 {ANY_HASH}\n")
    stage.host.edit("matlab", ["ann"])
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_condition(LicensePool, "matlab", "Conflict", status="True", reason="ForeignOwner")
        assert fence(stage) == "other-cluster"
        stage.plane.kubectl("annotate", "licenseserver/licenses", "-n", stage.namespace, f"{TAKE_OVER}=other-cluster@7")
        await eventually(lambda: fence(stage) == "tests", what="the fence is ours")
        await stage.until_ready()
        assert stage.host.users("matlab") == ("ann",)

        # The other installation writes again: the permission that stays behind was for its revision 7.
        (state / "matlab.revision").write_text(f"other-cluster 8 {ANY_HASH}\n")
        stage.host.edit("matlab", ["zoe"])
        stage.plane.kubectl("annotate", "licenseserver/licenses", "-n", stage.namespace, "seatpool.io/verify=now")
        message = await stage.until_condition(LicensePool, "matlab", "Conflict", status="True", reason="ForeignOwner")
        assert message.endswith(f"{TAKE_OVER}=other-cluster@8")
        await asyncio.sleep(1)
        assert (fence(stage), stage.host.users("matlab")) == ("other-cluster", ("zoe",))


async def test_an_annotation_that_names_nobody_stops_nothing(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    stage.plane.kubectl("annotate", "licenseserver/licenses", "-n", stage.namespace, f"{TAKE_OVER}=who am i? $(id)")
    async with stage.operator():
        stage.apply(stage.workbench(1, "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()


async def test_a_dying_pool_is_let_go_when_its_server_goes_too(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(onDelete="Clear"), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_list(["ann"])
        await stage.until_ready()

        async def has_finalizer() -> bool:
            return "finalizers" in (await stage.get(LicensePool, "matlab") or {})["metadata"]

        async def is_gone() -> bool:
            return await stage.get(LicensePool, "matlab") is None

        await eventually(has_finalizer)
        stage.apply(stage.server(suspend=True))
        stage.delete("licensepool", "matlab")
        await stage.until_condition(LicensePool, "matlab", "Ready", status="False", reason="Deleting")
        await asyncio.sleep(0.5)
        assert not await is_gone(), "the list could not be emptied yet"
        stage.delete("licenseserver", "licenses")
        await eventually(is_gone)
        assert stage.host.users("matlab") == ("ann",)


async def test_a_pool_that_is_deleted_while_its_command_is_under_way_stops_nothing(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.pool("cad"))
    async with stage.operator() as operator:
        await stage.until_ready()
        await stage.until_ready("cad")
        stage.host.faults(late_apply=1.5)
        stage.apply(stage.workbench(1, "ann"))

        async def is_under_way() -> bool:
            return "inFlight" in await stage.server_status()

        await eventually(is_under_way)
        stage.delete("licensepool", "matlab")
        await stage.until_list(["ann"])
        stage.apply(stage.workbench(2, "bob", type="vew-cad"))
        await stage.until_list(["bob"], product="cad")
        await stage.until_ready("cad")
        series = [one for metric in operator.registry.collect() for one in metric.samples if metric.type == "gauge"]
        assert not [one for one in series if one.labels.get("pool") == f"{stage.namespace}/matlab"]


async def test_a_memory_that_somebody_deletes_is_written_again(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_ready()
        before = await stage.get(SeatLedger, LEDGER)
        assert before is not None
        stage.delete("seatledger", LEDGER)

        async def is_written_again() -> bool:
            found = await stage.get(SeatLedger, LEDGER)
            return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

        await eventually(is_written_again)
        after = await stage.get(SeatLedger, LEDGER)
        assert after is not None
        assert after["spec"] == before["spec"]


async def test_a_memory_that_somebody_edits_is_written_as_it_was_with_the_next_answer(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_ready()
    before = await stage.get(SeatLedger, LEDGER)
    assert before is not None
    async with stage.operator() as operator:  # which has read what is stored, and has not had to write it
        in_sync = {"server": f"{stage.namespace}/licenses"}
        await eventually(lambda: operator.registry.get_sample_value("seatpool_server_in_sync", in_sync) == 1)
        await stage.kube.merge_patch(SeatLedger, stage.namespace, LEDGER, {"spec": {"assigned": []}})
        looks = itertools.count()

        async def is_as_it_was() -> bool:
            annotation = {
                "example.com/look": str(next(looks))
            }  # any edit of a pool is a question, and this changes no answer
            await stage.kube.merge_patch(
                LicensePool, stage.namespace, "matlab", {"metadata": {"annotations": annotation}}
            )
            found = await stage.get(SeatLedger, LEDGER)
            return found is not None and found["spec"] == before["spec"]

        await eventually(is_as_it_was)


async def test_a_list_that_was_refused_is_well_again_when_it_is_not_wanted_any_more(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator():
        await stage.until_ready()
        stage.host.faults(fail_apply=7)
        stage.apply(stage.workbench(1, "ann"))
        await stage.until_condition(LicensePool, "matlab", "Ready", status="False", reason="ApplyFailed")
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_ready()
        await eventually(lambda: bool(stage.events("ListRecovered")))


async def test_a_workbench_is_not_ready_before_its_pool_has_decided(stage: Stage) -> None:
    stage.apply(stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        message = await stage.until_condition(Workbench, instance(1), "Ready", status="False", reason="SomeWait")
        assert "Undecided" in message
        stage.apply(stage.server())
        await stage.until_condition(Workbench, instance(1), "Ready", status="True", reason="AllAssigned")


async def test_a_restart_writes_no_status_of_a_workbench_that_did_not_change(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"), stage.workbench(2, "bob", type="vew-other"))
    async with stage.operator():
        for number, status, reason in ((1, "True", "AllAssigned"), (2, "False", "NoPool")):
            await stage.until_condition(Workbench, instance(number), "Ready", status=status, reason=reason)
    before = [await stage.get(Workbench, instance(number)) for number in (1, 2)]
    async with stage.operator():
        await stage.until_ready()
        await stage.until_condition(LicenseServer, "licenses", "InSync", status="True", reason="InSync")
        await asyncio.sleep(1.5)
    assert [await stage.get(Workbench, instance(number)) for number in (1, 2)] == before


async def test_the_younger_of_two_pools_serves_nobody_and_makes_nobody_wait(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_ready()
        await asyncio.sleep(1.1)  # creation times are whole seconds
        stage.apply(stage.pool("second", product="matlab", workbenchTypes=["vew-matlab"]))
        await stage.until_condition(LicensePool, "second", "Conflict", status="True", reason="DuplicateProduct")
        await stage.until_condition(LicensePool, "second", "Reconciling", status="False", reason="DuplicateProduct")
        await asyncio.sleep(1)
        assert [seat["pool"] for seat in await stage.workbench_seats(1)] == [f"{stage.namespace}/matlab"]
        await stage.until_condition(Workbench, instance(1), "Ready", status="True", reason="AllAssigned")


RULES = {"linger": "0s", "seatCoolDown": "1h", "readmitAfter": "24h", "maxReassignments": {"count": 1, "window": "30d"}}


@pytest.mark.parametrize("first", ["delete", "create"])
async def test_a_pool_that_is_renamed_breaks_no_rule_of_the_vendor(stage: Stage, first: str) -> None:
    stage.apply(stage.server(), stage.pool(seats=1, **RULES), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_list(["ann"])
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_list([])
        stage.apply(stage.workbench(1, "ann"), stage.workbench(2, "bob"))

        async def waiting(pool: str) -> set[str]:
            found = (await stage.get(LicensePool, pool) or {}).get("status", {})
            return {f"{one['user']} {one['reason']}" for one in found.get("queue", [])}

        both = {"ann ReadmissionBlocked", "bob SeatsCoolingDown"}
        await eventually(lambda: _equals(waiting("matlab"), both), what="both wait by the vendor's rules")
        before = await stage.get(SeatLedger, LEDGER)
        assert before is not None
        renamed = stage.pool("renamed", product="matlab", workbenchTypes=["vew-matlab"], seats=1, **RULES)
        if first == "create":
            stage.apply(renamed)
            await stage.until_condition(LicensePool, "renamed", "Conflict", status="True", reason="DuplicateProduct")
            stage.delete("licensepool", "matlab")
        else:
            stage.delete("licensepool", "matlab")
            await eventually(lambda: _is_gone(stage, "matlab"))
            stage.apply(renamed)
        await eventually(lambda: _equals(waiting("renamed"), both), what="both wait still")
        assert stage.host.users("matlab") == ()
        after = await stage.get(SeatLedger, LEDGER)
        assert after is not None
        assert (after["metadata"]["uid"], after["spec"]["pool"]) == (before["metadata"]["uid"], "renamed")
        assert [owner["kind"] for owner in after["metadata"]["ownerReferences"]] == ["LicenseServer"]
        for part in ("left", "vacated", "reassignments"):
            assert after["spec"].get(part) == before["spec"].get(part)
        assert not stage.events("LedgerLost")


@pytest.mark.parametrize(("rules", "is_told"), [(RULES, True), ({}, False)])
async def test_a_memory_that_is_lost_while_no_operator_runs_is_told_where_rules_of_the_vendor_need_it(
    stage: Stage, rules: dict[str, Any], is_told: bool
) -> None:
    stage.apply(stage.server(), stage.pool(**rules), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_list(["ann"])
        await stage.until_ready()
        assert not stage.events("LedgerLost"), "the first contact with a list is no loss"
    stage.delete("seatledger", LEDGER)
    async with stage.operator():
        await stage.until_ready()
        if is_told:
            await eventually(lambda: bool(stage.events("LedgerLost")))
        else:
            await eventually(lambda: bool(stage.events("UsersAdopted")))
            assert not stage.events("LedgerLost")


async def _equals(found: Awaitable[Any], wanted: object) -> bool:
    return bool(await found == wanted)


async def _is_gone(stage: Stage, pool: str) -> bool:
    return await stage.get(LicensePool, pool) is None


async def test_rules_without_effect_are_told_by_a_condition_and_the_list_is_right_all_the_same(stage: Stage) -> None:
    crowded = [{"name": "phd", "userPattern": "PHD-*", "seats": 3}]
    stage.apply(stage.server(), stage.pool(seats=3, protectedUsers=["boss", "vice"], reservations=crowded))
    async with stage.operator():
        await stage.until_list(["boss", "vice"])
        message = await stage.until_condition(
            LicensePool, "matlab", "RulesEffective", status="False", reason="RulesWithoutEffect"
        )
        assert message.startswith(
            "reservations: they keep 3 seats free, and protectedUsers who belong to none take 2 more"
        )
        stage.apply(stage.pool(seats=5, protectedUsers=["boss", "vice"], reservations=crowded))
        await stage.until_condition(LicensePool, "matlab", "RulesEffective", status="True", reason="AllEffective")
