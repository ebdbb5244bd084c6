"""A reconciler that can do nothing rests, and wakes by itself when it can."""

import asyncio
from datetime import timedelta

from tests.integration.control.conftest import Stage, passes_in

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer

DENIED = "AccessDeniedException"


async def test_a_server_that_cannot_be_reached_is_tried_with_growing_pauses_and_not_all_the_time(stage: Stage) -> None:
    stage.apply(stage.server(verifyInterval="1s"), stage.pool())
    async with stage.operator() as operator:
        await stage.until_ready()
        stage.site.aws.control.refuse("SendCommand", DENIED, times=3)
        await stage.until_condition(LicenseServer, "licenses", "Reachable", status="False")
        assert await passes_in(operator, 3) < 10
        await stage.until_ready(seconds=30)


async def test_a_server_that_is_suspended_while_it_cannot_be_reached_is_left_alone(stage: Stage) -> None:
    stage.apply(stage.server(verifyInterval="1s"), stage.pool())
    async with stage.operator() as operator:
        await stage.until_ready()
        stage.site.aws.control.refuse("SendCommand", DENIED, times=1000)
        await stage.until_condition(LicenseServer, "licenses", "Reachable", status="False")
        stage.apply(stage.server(verifyInterval="1s", suspend=True))
        await stage.until_condition(LicensePool, "matlab", "Ready", status="True", reason="ServerSuspended")
        await asyncio.sleep(2)
        sent = stage.commands()
        assert await passes_in(operator, 1.5) < 5
        assert stage.commands() == sent


async def test_a_pool_that_is_suspended_while_somebody_lingers_stays_as_it_is(stage: Stage) -> None:
    pool = {"linger": "1s"}
    stage.apply(stage.server(), stage.pool(**pool), stage.workbench(1, "ann"))
    async with stage.operator() as operator:
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await asyncio.sleep(0.4)
        stage.apply(stage.pool(**pool, suspend=True))
        await stage.until_condition(LicensePool, "matlab", "Suspended", status="True")
        await asyncio.sleep(1)
        assert await passes_in(operator, 1.5) < 5
        assert stage.host.users("matlab") == ("ann",)


async def test_a_server_whose_last_pool_is_gone_needs_no_looking_at(stage: Stage) -> None:
    stage.apply(stage.server(verifyInterval="1s"), stage.pool())
    stage.host.faults(fail_apply=7)
    async with stage.operator() as operator:
        stage.apply(stage.workbench(1, "ann"))
        await stage.until_condition(LicensePool, "matlab", "Ready", status="False", reason="ApplyFailed")
        stage.delete("licensepool", "matlab")
        await stage.until_condition(LicenseServer, "licenses", "InSync", status="True", reason="NoPools")
        await asyncio.sleep(2)
        assert await passes_in(operator, 1.5) < 5
        status = await stage.server_status()
        assert "applied" not in status or status["applied"] == []


async def test_a_server_is_seen_to_be_well_again_although_nothing_has_to_be_sent(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator():
        await stage.until_ready()
        stage.site.aws.control.refuse("SendCommand", DENIED, times=2)
        stage.apply(stage.workbench(1, "ann"))
        await stage.until_condition(LicenseServer, "licenses", "Reachable", status="False")
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_condition(LicenseServer, "licenses", "Reachable", status="True")
        await stage.until_ready()
    assert not [entry for entry in stage.host.journal() if entry.users], "nobody needed a seat any more"


async def test_commands_keep_their_distance_whatever_the_next_one_is_for(stage: Stage) -> None:
    stage.apply(stage.server(minInterval="2s"), stage.pool(linger="1s"), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_list(["ann"])
        await stage.until_ready()
        await asyncio.sleep(2)
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await asyncio.sleep(0.3)
        stage.apply(stage.workbench(2, "bob"))
        await stage.until_list(["bob"])
    entries = [entry for entry in stage.host.journal() if entry.accepted]
    assert [entry.users for entry in entries][-2:] == [("ann", "bob"), ("bob",)]
    assert entries[-1].at - entries[-2].at >= timedelta(seconds=1.8)


async def test_a_distance_that_is_made_shorter_is_not_waited_out(stage: Stage) -> None:
    stage.apply(stage.server(minInterval="1h"), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        await asyncio.sleep(2)
        assert stage.host.users("matlab") == (), "the list was read, and the next command is an hour away"
        stage.apply(stage.server(minInterval="0s"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.apply(stage.server(minInterval="1h"))
        await asyncio.sleep(2)
        stage.apply(stage.workbench(2, "bob"))
        await asyncio.sleep(1)
        assert stage.host.users("matlab") == ("ann",)
        stage.apply(stage.server(minInterval="0s"))
        await stage.until_list(["ann", "bob"])


async def test_a_server_that_is_deleted_is_left_alone_and_served_again_when_it_comes_back(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator() as operator:
        await stage.until_ready()
        stage.delete("licenseserver", "licenses")
        await stage.until_condition(LicensePool, "matlab", "Ready", status="False", reason="ServerMissing")
        stage.apply(stage.workbench(2, "bob"))
        assert await passes_in(operator, 1) < 5
        stage.apply(stage.server())
        await stage.until_list(["ann", "bob"])
