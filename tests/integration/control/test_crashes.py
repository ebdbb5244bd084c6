"""kill -9 of the operator, the license server or the way to it, and the lists are right again with no human hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.control.conftest import Stage, event
from tests.waiting import PATIENCE, eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.sim.ssm.behavior import AgentBehavior

ANY_HASH = "0" * 64


@pytest.mark.parametrize("step", list(Failpoint))
async def test_an_operator_killed_at_any_step_is_followed_by_one_that_makes_the_list_right(
    stage: Stage, step: Failpoint
) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    settings = {"mirror": stage.mirror_settings()}
    stage.send(event(1, "running", "ann"))
    dying = stage.start_process(die_at=step.value, **settings)
    try:
        await asyncio.to_thread(dying.wait, PATIENCE)
    finally:
        dying.kill()
    assert dying.returncode == -9
    stage.send(event(2, "running", "bob"))
    async with stage.operator(**settings):
        await stage.until_list(["ann", "bob"])

        async def is_known() -> bool:
            return "inFlight" not in await stage.server_status()

        await eventually(is_known, what="the result of the last command is known")
        await stage.until_condition(LicenseServer, "licenses", "InSync", status="True", reason="InSync")
        status = await stage.server_status()
    owner, revision, _ = (stage.host.home / "state" / "matlab.revision").read_text().split()
    assert (owner, int(revision)) == ("tests", status["revision"])
    journal = [entry.users for entry in stage.host.journal() if entry.accepted]
    assert journal[-1] == ("ann", "bob")
    first_whole = journal.index(("ann", "bob"))
    # ann's message may be hidden still, as one that the dead process had received, when bob's comes
    assert set(journal[:first_whole]) <= {("ann",), ("bob",)}
    assert set(journal[first_whole:]) == {("ann", "bob")}, "an older list was written after the newest"
    if step is not Failpoint.AFTER_SEND:
        assert len(journal) == len(set(journal)), "a command with a known id was repeated and not waited for"


async def test_a_command_whose_sender_died_is_waited_for_and_not_repeated(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    settings = {"mirror": stage.mirror_settings()}
    stage.send(event(1, "running", "ann"))
    dying = stage.start_process(die_at=Failpoint.AFTER_APPLY.value, **settings)
    await asyncio.to_thread(dying.wait, PATIENCE)
    before = stage.commands()
    async with stage.operator(**settings):
        await stage.until_ready()
        assert (await stage.server_status())["revision"] == 1
        await eventually(lambda: stage.commands() > before, what="the list is read")
    assert stage.commands() == before + 1, "one command to read the list, none to write it again"
    assert [entry.users for entry in stage.host.journal()] == [("ann",)]


async def test_the_fence_refuses_an_older_revision_and_the_operator_goes_above_it(stage: Stage) -> None:
    state = stage.host.home / "state"
    state.mkdir()
    (state / "matlab.revision").write_text(f"tests 41 {ANY_HASH}\n")
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        assert (await stage.server_status())["revision"] == 42
        (state / "matlab.revision").write_text(f"tests 99 {ANY_HASH}\n")
        stage.send(event(2, "running", "bob"))
        await stage.until_list(["ann", "bob"])
        await stage.until_ready()
        assert (await stage.server_status())["revision"] == 100


async def test_a_list_of_another_installation_is_left_alone_until_it_may_be_taken_over(stage: Stage) -> None:
    state = stage.host.home / "state"
    state.mkdir()
    (state / "matlab.revision").write_text(f"other-cluster 7 {ANY_HASH}\n")
    stage.host.edit("matlab", ["zoe"])
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"))
        message = await stage.until_condition(LicensePool, "matlab", "Conflict", status="True", reason="ForeignOwner")
        assert "seatpool.io/take-over=other-cluster@7" in message
        await asyncio.sleep(0.5)
        assert stage.host.users("matlab") == ("zoe",)
        stage.plane.kubectl(
            "annotate", "licenseserver/licenses", "-n", stage.namespace, "seatpool.io/take-over=other-cluster@7"
        )
        await stage.until_list(["ann"])
        await stage.until_ready()


async def test_while_ssm_fails_lists_are_kept_and_after_it_only_the_newest_is_written(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=9))
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        list(stage.host.journal())
        stage.site.aws.control.refuse("SendCommand", "AccessDeniedException", times=3)
        start = datetime.now(UTC)
        for number, user in enumerate(["bob", "cem", "dan"], start=2):
            stage.send(event(number, "running", user, at=start + timedelta(seconds=number)))
            await asyncio.sleep(0.4)
        stage.send(event(2, "stopped", "bob", at=start + timedelta(seconds=60)))
        message = await stage.until_condition(LicenseServer, "licenses", "Reachable", status="False")
        assert "AccessDenied" in message
        await eventually(lambda: bool(stage.events("ServerUnreachable")))
        assert stage.host.users("matlab") == ("ann",)
        await stage.until_list(["ann", "cem", "dan"])
        await stage.until_ready()
        await eventually(lambda: bool(stage.events("ServerRecovered")))
    assert [entry.users for entry in stage.host.journal()] == [("ann", "cem", "dan")]


async def test_a_command_that_timed_out_may_have_been_applied_and_is_read_back_first(stage: Stage) -> None:
    stage.apply(stage.server(timeout="5s"), stage.pool(seats=9))
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_ready()
        # The script stops a client that hangs after 2.8 s and its list command after 3.75 s. The agent comes in between.
        stage.host.behavior = AgentBehavior(execution_timeout=3.3)
        stage.host.faults(late_apply=9, sleep_list=9)
        stage.send(event(1, "running", "ann"))
        message = await stage.until_condition(LicenseServer, "licenses", "Reachable", status="False")
        assert "ExecutionTimedOut" in message
        stage.host.behavior = AgentBehavior()
        stage.host.faults()
        await stage.until_list(["ann"])
        await stage.until_ready(seconds=30)


async def test_a_client_that_says_yes_and_does_nothing_is_found_out_and_tried_again(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_ready()
        stage.host.faults(lie_apply=1)
        stage.send(event(1, "running", "ann"))
        await stage.until_condition(LicensePool, "matlab", "Ready", status="False", reason="ListDiffers")
        stage.host.faults()
        await stage.until_list(["ann"])
        await stage.until_ready()


async def test_a_product_that_fails_does_not_stop_the_others(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.pool("ansys", workbenchTypes=["vew-matlab"]))
    stage.host.faults(fail_apply=7, fail_product="matlab")
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"], product="ansys")
        await stage.until_ready("ansys")
        message = await stage.until_condition(LicensePool, "matlab", "Ready", status="False", reason="ApplyFailed")
        assert "matlab" in message
        await eventually(lambda: bool(stage.events("ApplyFailed")))
        stage.host.faults()
        await stage.until_list(["ann"])
        await stage.until_ready()


async def test_an_api_server_that_is_away_for_a_while_changes_nothing(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        await asyncio.to_thread(stage.plane.kill_apiserver)
        stage.send(event(2, "running", "bob"))
        await asyncio.sleep(2)
        await asyncio.to_thread(stage.plane.start_apiserver)
        await stage.until_list(["ann", "bob"])


async def test_rules_survive_a_restart(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1, minimumHold="6s"))
    settings = {"mirror": stage.mirror_settings()}
    async with stage.operator(**settings):
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        granted = asyncio.get_running_loop().time()
        stage.send(event(1, "stopped", "ann"), event(2, "running", "bob"))
        await stage.until_condition(LicensePool, "matlab", "Saturated", status="True")
    async with stage.operator(**settings):
        await stage.until_list(["bob"])
        assert asyncio.get_running_loop().time() - granted > 5
