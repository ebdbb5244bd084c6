"""Event in, named-user list out."""

import random
from datetime import UTC, datetime, timedelta

from tests.integration.control.conftest import LEDGER, Stage, event
from tests.waiting import eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench


async def test_an_event_puts_its_owner_on_the_list_and_a_stop_takes_the_owner_off(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_ready()
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_condition(LicensePool, "matlab", "InSync", status="True", reason="InSync")
        stage.send(event(1, "stopped", "ann"))
        await stage.until_list([])


async def test_duplicates_and_swapped_events_end_in_the_right_list(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=10))
    start = datetime.now(UTC) - timedelta(minutes=10)
    events = [
        event(number, state, f"user{number}", at=start + timedelta(seconds=step))
        for number in range(8)
        for step, state in enumerate(["running", "stopped"] * 2 + (["running"] if number % 2 else []))
    ]
    events += events[::3]
    random.Random(5).shuffle(events)
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_ready()
        stage.send(*events)
        await eventually(lambda: stage.site.waiting_events() == 0)
        await stage.until_list(["user1", "user3", "user5", "user7"])
        await stage.until_ready()


async def test_who_stops_one_of_two_workbenches_keeps_the_one_seat(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"), event(2, "running", r"CORP\Ann"))
        await stage.until_list(["ann"])
        stage.send(event(1, "stopped", "ann"), event(3, "running", "bob"))

        async def bob_waits() -> bool:
            return [seat["phase"] for seat in await stage.workbench_seats(3)] == ["Waiting"]

        await eventually(bob_waits)
        assert stage.host.users("matlab") == ("ann",)
        stage.send(event(2, "stopped", "ann"))
        await stage.until_list(["bob"])


async def test_in_a_full_pool_one_waits_and_gets_the_seat_when_it_is_freed(stage: Stage) -> None:
    stage.host.seats("matlab", 2)
    stage.apply(stage.server(), stage.pool(seats=2))
    start = datetime.now(UTC) - timedelta(minutes=1)
    async with stage.operator(mirror=stage.mirror_settings()):
        for number, user in enumerate(["ann", "bob", "cem", "dan"]):
            stage.send(event(number, "running", user, at=start + timedelta(seconds=number)))
        message = await stage.until_condition(LicensePool, "matlab", "Saturated", status="True", reason="UsersWait")

        async def two_wait() -> bool:
            return (await stage.pool_status()).get("waiting") == 2

        await eventually(two_wait)
        assert "wait for a seat" in message
        await stage.until_list(["ann", "bob"])
        status = await stage.pool_status()
        assert (status["seats"], status["used"]) == (2, 2)
        assert [one["user"] for one in status["queue"]] == ["cem", "dan"]

        async def positions() -> list[int | None]:
            return [seat.get("position") for n in (2, 3) for seat in await stage.workbench_seats(n)]

        async def told() -> bool:
            return await positions() == [1, 2]

        await eventually(told)
        stage.send(event(0, "stopped", "ann"))
        await stage.until_list(["bob", "cem"])

        async def assigned() -> bool:
            return [seat["phase"] for seat in await stage.workbench_seats(2)] == ["Assigned"]

        await eventually(assigned)
    assert all(entry.accepted for entry in stage.host.journal())


async def test_one_command_carries_the_lists_of_every_product_that_changed(stage: Stage) -> None:
    products = [f"product{n}" for n in range(5)]
    stage.apply(stage.server(), *(stage.pool(name, workbenchTypes=["vew-suite"]) for name in products))
    async with stage.operator(mirror=stage.mirror_settings()):
        for name in products:
            await stage.until_ready(name)
        before = stage.commands()
        stage.send(event(1, "running", "ann", type="vew-suite"))
        for name in products:
            await stage.until_list(["ann"], product=name)
            await stage.until_ready(name)
        assert stage.commands() == before + 1


async def test_nothing_is_sent_when_nothing_changed(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_ready()
        before, revision = stage.commands(), (await stage.server_status())["revision"]
        stage.send(*(event(n, "running", "ann") for n in range(2, 10)))
        await eventually(lambda: stage.site.waiting_events() == 0)
        await stage.until_ready()
        assert stage.commands() == before
        assert (await stage.server_status())["revision"] == revision


async def test_a_hostile_owner_is_refused_with_a_condition_and_an_event_and_runs_nothing(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=20))
    trap = stage.tmp_path / "trap"
    hostile = [
        f"$(touch {trap})",
        f"`touch {trap}`",
        "a\nb",
        "x; rm -rf /",
        "-rf",
        "ann\n",
        "../../etc/passwd",
        "{{Payload}}",
    ]
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_ready()
        stage.send(*(event(n, "running", owner) for n, owner in enumerate(hostile)), event(50, "running", "ann"))
        await stage.until_list(["ann"])
        for number, _ in enumerate(hostile):
            message = await stage.until_condition(
                Workbench, f"i-{number:017x}", "Ready", status="False", reason="InvalidOwner"
            )
            assert "spec.owner" in message
        await eventually(lambda: len(stage.events("OwnerRefused")) == len(hostile))
        await stage.until_ready()
    assert stage.host.users("matlab") == ("ann",)
    assert not trap.exists()


async def test_kubectl_shows_columns_explains_fields_and_waits(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        stage.send(event(1, "running", "ann"), event(2, "running", "bob"), event(3, "running", "cem"))
        await stage.until_condition(LicensePool, "matlab", "Saturated", status="True")
        await stage.until_ready()
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
        await stage.until_condition(Workbench, f"i-{1:017x}", "Ready", status="True")
        stage.plane.kubectl(
            "wait", "-n", stage.namespace, "--for=condition=Ready", "licensepool/matlab", "--timeout=5s"
        )
        shown = {
            kind: stage.plane.kubectl("get", kind, "-n", stage.namespace).split("\n")
            for kind in ("workbenches", "licensepools", "licenseservers", "seatledgers")
        }
    assert shown["licensepools"][0].split() == [
        "NAME", "READY", "REASON", "SEATS", "USED", "WAITING", "PRODUCT", "SERVER", "AGE",
    ]  # fmt: skip
    assert shown["licensepools"][1].split()[:8] == ["matlab", "True", "InSync", "2", "2", "1", "matlab", "licenses"]
    assert shown["licenseservers"][1].split()[:5] == ["licenses", "True", "InSync", "True", "2"]
    assert shown["workbenches"][0].split()[:6] == ["NAME", "OWNER", "TYPE", "STATE", "SEATS", "READY"]
    assert shown["workbenches"][1].split()[:8] == [
        f"i-{1:017x}", "ann", "vew-matlab", "running", "1", "of", "1", "True",
    ]  # fmt: skip
    assert shown["seatledgers"][1].split()[:2] == [LEDGER, "matlab"]
    explained = stage.plane.kubectl("explain", "licensepool.spec.minimumHold")
    assert "a seat once given is kept at least so long" in " ".join(explained.split())
