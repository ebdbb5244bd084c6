"""Nobody who works is put out by an outage, an installation or a mistake."""

import asyncio
import dataclasses
from typing import Any

import boto3
from tests.integration.control.conftest import Body, Stage, event, instance, passes_in, session
from tests.waiting import eventually

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.cli.admin import approve_change
from seatpool.cli.cluster import CommandOptions


class Ec2:
    """DescribeInstances that can be forbidden or made to show nothing, by the real client's own hooks."""

    def __init__(self) -> None:
        self.forbidden = False
        self.shows_nothing = False

    def session(self) -> boto3.Session:
        made = session()
        made.events.register("before-call.ec2.DescribeInstances", self._answer)
        return made

    def _answer(self, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        if self.forbidden:
            refusal = {"Error": {"Code": "UnauthorizedOperation", "Message": "no"}, "ResponseMetadata": {}}
            return AWSResponse("", 403, {}, None), refusal
        if self.shows_nothing:
            return AWSResponse("", 200, {}, None), {"Reservations": [], "ResponseMetadata": {}}
        return None


async def test_an_inventory_that_is_empty_or_forbidden_releases_nobody(stage: Stage) -> None:
    ec2 = Ec2()
    stage.apply(stage.server(), stage.pool(seats=9))
    mirror = stage.mirror_settings(inventory=True, resync_interval="300ms")
    with stage.site.fleet() as fleet:
        async with stage.operator(session_factory=ec2.session, mirror=mirror) as operator:
            for user in ("ann", "bob", "cem"):
                fleet.start(user)
            await stage.until_list(["ann", "bob", "cem"])
            place = {"account": "123456789012", "region": "eu-central-1"}

            def fresh() -> float | None:
                return operator.registry.get_sample_value("seatpool_mirror_inventory_fresh", place)

            for fault in ("forbidden", "shows_nothing"):
                setattr(ec2, fault, True)
                await eventually(lambda: fresh() == 0)
                await asyncio.sleep(1.5)
                assert stage.host.users("matlab") == ("ann", "bob", "cem")
                setattr(ec2, fault, False)
                await eventually(lambda: fresh() == 1)


async def test_who_is_on_the_list_at_first_contact_keeps_the_seat_while_an_account_was_never_inventoried(
    stage: Stage,
) -> None:
    ec2 = Ec2()
    ec2.forbidden = True
    stage.host.edit("matlab", ["ann", "zoe"])
    stage.apply(stage.server(), stage.pool(seats=9))
    mirror = stage.mirror_settings(inventory=True, resync_interval="300ms")
    with stage.site.fleet() as fleet:
        fleet.start("ann")
        async with stage.operator(session_factory=ec2.session, mirror=mirror):
            message = await stage.until_condition(
                LicenseServer, "licenses", "Guarded", status="True", reason="InventoryUnknown"
            )
            assert "123456789012/eu-central-1" in message
            await asyncio.sleep(1)
            assert stage.host.users("matlab") == ("ann", "zoe")
            ec2.forbidden = False
            await stage.until_list(["ann"])
            await eventually(lambda: bool(stage.events("UsersAdopted")))


async def test_people_found_on_the_list_are_adopted_for_the_linger_time(stage: Stage) -> None:
    stage.host.edit("matlab", ["Ann", "zoe"])
    stage.apply(stage.server(), stage.pool(seats=9, linger="3s"), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_list(["ann", "zoe"])

        async def both_have_seats() -> bool:
            return (await stage.pool_status()).get("used") == 2

        await eventually(both_have_seats)
        await stage.until_list(["ann"])


async def test_a_change_that_puts_out_too_many_people_is_held_until_somebody_approves_it(stage: Stage) -> None:
    people = [f"user{n:02}" for n in range(12)]
    stage.apply(stage.server(), stage.pool(seats=20), *(stage.workbench(n, user) for n, user in enumerate(people)))
    async with stage.operator():
        await stage.until_list(people)
        await stage.until_ready()
        stage.plane.kubectl("delete", "workbenches", "--all", "-n", stage.namespace)
        message = await stage.until_condition(
            LicenseServer, "licenses", "Guarded", status="True", reason="TooManyReleases"
        )
        assert "12 of 12 users would lose their seats" in message
        await eventually(lambda: bool(stage.events("ChangeHeld")))
        assert stage.host.users("matlab") == tuple(people)
        stage.apply(stage.workbench(50, "newcomer"))
        await stage.until_list([*people, "newcomer"])
        message = await stage.until_condition(LicenseServer, "licenses", "Guarded", status="True")
        stage.plane.kubectl("annotate", "-n", stage.namespace, "licenseserver/licenses", message.rsplit(" ", 1)[1])
        await stage.until_list(["newcomer"])
        await stage.until_condition(LicenseServer, "licenses", "Guarded", status="False")
        approved = (await stage.server_status())["guard"]["approved"]
        assert message.endswith(approved)

        # The annotation stays, as in Git. The same accident happens again, and no admin has approved that one.
        stage.apply(*(stage.workbench(n, user) for n, user in enumerate(people)))
        await stage.until_list([*people, "newcomer"])
        stage.plane.kubectl("delete", "workbenches", "--all", "-n", stage.namespace)
        message = await stage.until_condition(
            LicenseServer, "licenses", "Guarded", status="True", reason="TooManyReleases"
        )
        assert not message.endswith(approved)
        await asyncio.sleep(1)
        assert stage.host.users("matlab") == tuple(sorted([*people, "newcomer"]))


async def test_workbenches_that_vanish_one_after_another_are_held_back_too(stage: Stage) -> None:
    people = [f"user{n:02}" for n in range(40)]
    stage.apply(stage.server(), stage.pool(seats=50), *(stage.workbench(n, user) for n, user in enumerate(people)))
    async with stage.operator(watch={"resync_interval": "2s"}):
        await stage.until_list(people)
        for number in range(len(people)):
            await stage.kube.delete(Workbench, stage.namespace, instance(number))
            await asyncio.sleep(0.05)
        await stage.until_condition(LicenseServer, "licenses", "Guarded", status="True", reason="TooManyReleases")
        await asyncio.sleep(1)
        assert 20 <= len(stage.host.users("matlab")) < 40, "no more than half of them go within the window"


async def test_an_approval_is_for_those_who_were_shown_and_the_command_waits_for_its_effect(stage: Stage) -> None:
    people = [f"user{n:02}" for n in range(26)]
    shown, later = people[:14], people[14:]
    guard = {"maxReleasePercent": 10}
    stage.apply(
        stage.server(guard=guard), stage.pool(seats=50), *(stage.workbench(n, user) for n, user in enumerate(people))
    )
    options = CommandOptions(
        kubeconfig=stage.plane.kubeconfig, namespace=stage.namespace, everywhere=False, config=None
    )
    said: list[str] = []

    async def approve() -> bool:
        said.clear()
        return await approve_change(options, name="licenses", wait=60, confirm=lambda _: True, echo=said.append)

    # A workbench that is deleted before Kopf watches is missed by the watch: the next resync sees it.
    async with stage.operator(watch={"resync_interval": "2s"}):
        await stage.until_list(people)
        for number in range(len(shown)):
            await stage.kube.delete(Workbench, stage.namespace, instance(number))
        await stage.until_condition(LicenseServer, "licenses", "Guarded", status="True", reason="TooManyReleases")

        async def all_shown() -> bool:
            held = await stage.until_condition(LicenseServer, "licenses", "Guarded", status="True")
            return "14 of 26" in held

        await eventually(all_shown)
        first = (await stage.server_status())["guard"]["held"]
        for number in range(len(shown), len(people)):
            await stage.kube.delete(Workbench, stage.namespace, instance(number))

        async def other_token() -> bool:
            return bool((await stage.server_status())["guard"]["held"] != first)

        await eventually(other_token)
        stage.plane.kubectl("annotate", "licenseserver/licenses", "-n", stage.namespace, f"{APPROVE_CHANGE}={first}")
        await stage.until_list(later)
        await stage.until_condition(LicenseServer, "licenses", "Guarded", status="True", reason="TooManyReleases")
        assert (await stage.server_status())["guard"]["held"].startswith("2-")

        assert await approve(), said
        assert f"  {stage.namespace}/matlab: 12 lose their seats" in said
        assert f"    no Workbench is left: {', '.join(later)}" in said
        await stage.until_list([])
        assert (await stage.server_status())["guard"]["approved"].startswith("2-")


async def test_what_somebody_changes_by_hand_is_shown_and_repaired(stage: Stage) -> None:
    stage.apply(stage.server(verifyInterval="1s"), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator() as operator:
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.host.edit("matlab", ["mallory"])
        await stage.until_list(["ann"])
        await eventually(lambda: bool(stage.events("DriftDetected")))
        assert (
            stage.events("DriftDetected")[0]["message"] == "somebody else changed the list: added mallory, removed ann"
        )
        assert operator.registry.get_sample_value(
            "seatpool_drift_detected_total",
            {"server": f"{stage.namespace}/licenses", "pool": f"{stage.namespace}/matlab"},
        )


async def test_dry_run_computes_and_shows_and_writes_nothing(stage: Stage) -> None:
    stage.host.edit("matlab", ["zoe"])
    stage.apply(stage.server(mode="DryRun"), stage.pool(adoption="Overwrite"), stage.workbench(1, "ann"))
    async with stage.operator():
        message = await stage.until_condition(LicensePool, "matlab", "InSync", status="False", reason="DryRun")
        assert message == "DryRun: 1 would be added (ann), 1 removed (zoe)"
        assert stage.host.users("matlab") == ("zoe",)
        stage.apply(stage.server(mode="Enforce"))
        await stage.until_list(["ann"])


async def test_a_suspended_pool_stays_as_it_is_and_goes_on_when_it_is_resumed(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_list(["ann"])
        stage.apply(stage.pool(suspend=True))
        await stage.until_condition(LicensePool, "matlab", "Suspended", status="True")
        stage.apply(stage.workbench(2, "bob"))
        await asyncio.sleep(1)
        assert stage.host.users("matlab") == ("ann",)
        stage.apply(stage.pool())
        await stage.until_list(["ann", "bob"])
        await stage.until_condition(LicensePool, "matlab", "Suspended", status="False")


async def test_of_two_pools_for_one_product_the_younger_is_in_conflict_until_the_older_one_goes(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(), stage.workbench(1, "ann"), stage.workbench(2, "bob", type="vew-late"))
    async with stage.operator():
        await stage.until_list(["ann"])
        await asyncio.sleep(1.1)  # creation times are whole seconds
        stage.apply(stage.pool("second", product="matlab", workbenchTypes=["vew-late"]))
        message = await stage.until_condition(
            LicensePool, "second", "Conflict", status="True", reason="DuplicateProduct"
        )
        assert f"{stage.namespace}/matlab" in message
        assert stage.host.users("matlab") == ("ann",)
        stage.delete("licensepool", "matlab")
        await stage.until_list(["bob"])
        await stage.until_ready("second")


async def test_a_pool_without_a_server_says_so_and_recovers(stage: Stage) -> None:
    stage.apply(stage.pool(), stage.workbench(1, "ann"))
    async with stage.operator():
        message = await stage.until_condition(LicensePool, "matlab", "Ready", status="False", reason="ServerMissing")
        assert "'licenses'" in message
        stage.apply(stage.server())
        await stage.until_list(["ann"])
        await stage.until_ready()


async def test_deleting_a_pool_clears_its_list_only_when_that_was_asked_for(stage: Stage) -> None:
    keep, clear = stage.pool(), stage.pool("ansys", workbenchTypes=["vew-matlab"], onDelete="Clear")
    stage.apply(stage.server(), keep, clear, stage.workbench(1, "ann"))
    async with stage.operator():
        for product in ("matlab", "ansys"):
            await stage.until_list(["ann"], product=product)

        async def has_finalizer() -> bool:
            found = await stage.get(LicensePool, "ansys")
            return found is not None and found["metadata"].get("finalizers") == ["seatpool.io/clear-list"]

        await eventually(has_finalizer)
        assert "finalizers" not in (await stage.get(LicensePool, "matlab") or {})["metadata"]
        for name in ("matlab", "ansys"):
            stage.delete("licensepool", name)
        await stage.until_list([], product="ansys")

        async def gone() -> bool:
            return await stage.get(LicensePool, "ansys") is None and await stage.get(LicensePool, "matlab") is None

        await eventually(gone)
        assert stage.host.users("matlab") == ("ann",)


async def test_an_empty_list_is_kept_by_a_placeholder_where_empty_means_everybody(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(emptyList="KeepPlaceholder"))
    async with stage.operator():
        await stage.until_list(["seatpool-placeholder"])
        await stage.until_ready()
        assert (await stage.pool_status())["used"] == 0
        stage.apply(stage.workbench(1, "ann"))
        await stage.until_list(["ann"])
        stage.plane.kubectl("delete", "workbenches", "--all", "-n", stage.namespace)
        await stage.until_list(["seatpool-placeholder"])
        await stage.until_ready()


async def test_an_owner_with_the_placeholders_name_is_no_user(stage: Stage) -> None:
    stage.host.edit("matlab", ["Seatpool-Placeholder", "ann"])
    stage.apply(
        stage.server(), stage.pool(emptyList="KeepPlaceholder"),
        stage.workbench(1, "ann"), stage.workbench(2, "CORP\\Seatpool-Placeholder"), stage.workbench(3, "nobody"),
    )  # fmt: skip
    async with stage.operator():
        message = await stage.until_condition(Workbench, instance(2), "Ready", status="False", reason="InvalidOwner")
        assert "user id seatpool-placeholder is no user: it stands for an empty list" in message
        await stage.until_list(["ann", "nobody"])
        await stage.until_ready()
        stage.apply(stage.server(xlc={"stateDir": stage.host.state_dir, "placeholderUser": "Nobody"}))
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.delete("workbench", instance(1))
        await stage.until_list(["Nobody"])
        await stage.until_ready()

        async def denied() -> bool:
            return [seat["phase"] for seat in await stage.workbench_seats(3)] == ["Denied"]

        await eventually(denied)


async def test_protected_and_denied_users_are_told_apart(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(protectedUsers=["boss"], deniedUsers=["mallory"]))
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_list(["boss"])
        stage.send(event(1, "running", "mallory"), event(2, "running", "ann"))
        await stage.until_list(["ann", "boss"])

        async def denied() -> bool:
            return [seat["phase"] for seat in await stage.workbench_seats(1)] == ["Denied"]

        await eventually(denied)
        await stage.until_condition(Workbench, f"i-{1:017x}", "Ready", status="False", reason="Denied")


def allowing(stage: Stage) -> dict[str, Any]:
    """The setting `servers` that allows the license server of the stage, with the default commands."""
    allowed = {
        "namespaces": [stage.namespace],
        "targets": [{"tag": stage.node.tag, "value": stage.node.value}],
        "state_dirs": [stage.host.state_dir],
    }
    return {"endpoint_url": stage.site.endpoint, "allowed": [allowed]}


async def test_a_server_that_names_what_the_settings_do_not_allow_gets_no_command(stage: Stage) -> None:
    harm = stage.tmp_path / "harm"
    xlc = {"stateDir": stage.host.state_dir}
    stage.apply(stage.server(), stage.pool(seats=2), stage.workbench(1, "ann"))
    async with stage.operator(servers=allowing(stage)) as operator:
        await stage.until_list(["ann"])
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
        commands = stage.commands()
        stage.apply(stage.server(xlc=xlc | {"list": ["sh", "-c", f"id > {harm}", "x", "{product}"]}))
        for kind, name in ((LicenseServer, "licenses"), (LicensePool, "matlab")):
            message = await stage.until_condition(kind, name, "Ready", status="False", reason="NotAllowed")
            assert 'spec.xlc.list: ["sh", "-c",' in message
            assert 'allowed: ["xlc", "list", "--product", "{product}"]' in message
        await stage.until_condition(LicenseServer, "licenses", "InSync", status="Unknown", reason="NotAllowed")
        await eventually(lambda: bool(stage.events("ServerUnreachable")))
        stage.apply(stage.workbench(2, "bob"))
        assert await passes_in(operator, 2) < 20, "it does not spin"
        assert stage.commands() == commands
        stage.apply(stage.server())
        await stage.until_list(["ann", "bob"])
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
        await stage.until_ready()
        await eventually(lambda: bool(stage.events("ServerRecovered")))
    assert not harm.exists()


async def test_a_server_that_is_not_allowed_says_so_at_once_and_without_pools_too(stage: Stage) -> None:
    stage.apply(stage.server(document="Another-Document"))
    async with stage.operator(servers=allowing(stage)):
        message = await stage.until_condition(LicenseServer, "licenses", "Ready", status="False", reason="NotAllowed")
        assert 'spec.document: "Another-Document" is not allowed' in message
        assert stage.commands() == 0
        stage.apply(stage.server())
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True", reason="NoPools")
        await stage.until_condition(LicenseServer, "licenses", "Reachable", status="Unknown", reason="NotTriedYet")


async def test_of_two_servers_for_one_machine_and_folder_the_elder_pool_goes_on_after_a_restore_elsewhere(
    stage: Stage,
) -> None:
    elsewhere = f"{stage.namespace}-copy"
    stage.plane.kubectl("create", "namespace", elsewhere)
    stage.apply(stage.server(verifyInterval="1s"), stage.pool(), stage.workbench(1, "ann"))

    def restored(*objects: Body) -> tuple[Body, ...]:
        return tuple(one | {"metadata": {"name": one["metadata"]["name"], "namespace": elsewhere}} for one in objects)

    copies = restored(stage.server(verifyInterval="1s"), stage.pool(), stage.workbench(2, "bob"))
    other = dataclasses.replace(stage, namespace=elsewhere)
    try:
        async with stage.operator(namespaces=[stage.namespace, elsewhere]):
            await stage.until_list(["ann"])
            await stage.until_ready()
            await asyncio.sleep(1.1)  # creation times are whole seconds
            other.apply(*copies)
            for condition, status in (("Conflict", "True"), ("Ready", "False")):
                message = await other.until_condition(
                    LicensePool, "matlab", condition, status=status, reason="DuplicateProduct"
                )
                assert f"{stage.namespace}/matlab of LicenseServer {stage.namespace}/licenses" in message
            message = await other.until_condition(
                LicenseServer, "licenses", "Ready", status="False", reason="NoListOfItsOwn"
            )
            assert f"{stage.namespace}/licenses" in message
            list(stage.host.journal())
            await asyncio.sleep(3)
            assert {entry.users for entry in stage.host.journal()} <= {("ann",)}, "the list does not flip"
            await stage.until_ready()
            other.apply(restored(stage.server(xlc={"stateDir": f"{stage.host.state_dir}-2"}))[0])
            await other.until_condition(LicensePool, "matlab", "Conflict", status="False")
            other.apply(copies[0])
            await other.until_condition(LicensePool, "matlab", "Conflict", status="True")
            stage.delete("licenseserver", "licenses")
            await stage.until_list(["bob"])
            await other.until_ready()
            await other.until_condition(LicenseServer, "licenses", "Ready", status="True")
    finally:
        stage.plane.kubectl("delete", "seatpool", "--all", "--namespace", elsewhere, "--wait=false")
