"""What a portal and an auditor learn while the whole operator runs."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.control.conftest import LEDGER, REGION, Stage, session
from tests.waiting import PATIENCE, eventually

from seatpool.api.licenseserver import LicenseServer
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.domain.list_hash import list_hash


class Portal:
    """A bus with a queue behind it."""

    def __init__(self, stage: Stage) -> None:
        self.name = f"seats-{stage.namespace}"
        self._sqs = session().client("sqs", endpoint_url=stage.site.endpoint)
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        wanted = ["QueueArn"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=wanted)["Attributes"]["QueueArn"]
        events = session().client("events", endpoint_url=stage.site.endpoint)
        events.create_event_bus(Name=self.name)
        events.put_rule(Name="all", EventBusName=self.name, EventPattern=json.dumps({"source": ["seatpool"]}))
        events.put_targets(Rule="all", EventBusName=self.name, Targets=[{"Id": "queue", "Arn": arn}])
        self.settings = {"bus": self.name, "region": REGION, "endpoint_url": stage.site.endpoint}
        self._seen: list[tuple[str, dict[str, Any]]] = []

    def seen(self, kind: str | None = None) -> list[dict[str, Any]]:
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                event = json.loads(message["Body"])
                self._seen.append((event["detail-type"], event["detail"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [detail for type_, detail in self._seen if kind in (None, type_)]


def lines(file: Path, action: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    return [line for line in found if line["action"] == action]


async def test_a_portal_hears_of_seats_only_when_the_license_server_has_the_list(stage: Stage) -> None:
    portal = Portal(stage)
    stage.apply(stage.server(), stage.pool(seats=1), stage.workbench(1, "ann"), stage.workbench(2, "bob"))
    async with stage.operator(notify=portal.settings):
        await stage.until_list(["ann"])
        await eventually(lambda: bool(portal.seen("SeatAssigned")), what="ann is told")
        (told,) = portal.seen("SeatAssigned")
        assert (told["user"], told["pool"], told["reason"]) == ("ann", f"{stage.namespace}/matlab", "Granted")
        assert told["revision"] == (await stage.server_status())["revision"]
        await eventually(lambda: bool(portal.seen("PoolSaturated")), what="the pool is saturated")
        assert [(one["user"], one["position"], one["reason"]) for one in portal.seen("SeatWaiting")] == [
            ("bob", 1, "PoolFull")
        ]
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_list(["bob"])
        await eventually(lambda: len(portal.seen("SeatAssigned")) == 2, what="bob is told")
        (gone,) = portal.seen("SeatReleased")
        assert (gone["user"], gone["reason"]) == ("ann", "WorkbenchesStopped")
    ids = [one["id"] for one in portal.seen()]
    assert len(set(ids)) == len(ids)


async def test_a_bus_that_is_away_delays_no_seat(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1), stage.workbench(1, "ann"))
    async with stage.operator(
        notify={"bus": "seats", "region": REGION, "endpoint_url": "http://127.0.0.1:9"}
    ) as operator:
        await stage.until_list(["ann"])
        await stage.until_ready()
        labels = {"receiver": "eventbridge", "result": "failed"}
        await eventually(
            lambda: bool(operator.registry.get_sample_value("seatpool_notices_total", labels)), what="the bus was tried"
        )


@pytest.mark.parametrize("step", [Failpoint.BEFORE_INTENT, Failpoint.AFTER_SEND, Failpoint.BEFORE_STATUS])
async def test_a_freed_seat_is_told_by_whoever_comes_after_an_operator_that_was_killed(
    stage: Stage, step: Failpoint
) -> None:
    portal = Portal(stage)
    stage.apply(stage.server(), stage.pool(seats=1), stage.workbench(1, "ann"))
    async with stage.operator(notify=portal.settings):
        await eventually(lambda: bool(portal.seen("SeatAssigned")), what="ann is told")
    stage.apply(stage.workbench(1, "ann", state="stopped"))
    dying = stage.start_process(die_at=step.value, notify=portal.settings)
    try:
        await asyncio.to_thread(dying.wait, PATIENCE)
    finally:
        dying.kill()
    assert dying.returncode == -9
    async with stage.operator(notify=portal.settings):
        await eventually(lambda: bool(portal.seen("SeatReleased")), what="it is told that ann's seat is free")
    assert {(one["user"], one["reason"]) for one in portal.seen("SeatReleased")} == {("ann", "WorkbenchesStopped")}
    assert len({one["id"] for one in portal.seen("SeatReleased")}) == 1


async def test_seats_that_no_receiver_took_are_told_after_a_restart(stage: Stage) -> None:
    portal = Portal(stage)
    away = portal.settings | {"endpoint_url": "http://127.0.0.1:9"}
    stage.apply(stage.server(), stage.pool(seats=1), stage.workbench(1, "ann"), stage.workbench(2, "bob"))
    async with stage.operator(notify=away):
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_list(["bob"])
        await stage.until_ready()
    async with stage.operator(notify=portal.settings):
        await eventually(lambda: bool(portal.seen("SeatAssigned")), what="bob is told")
        await eventually(lambda: bool(portal.seen("SeatReleased")), what="ann is told")
    for kind, user in (("SeatReleased", "ann"), ("SeatAssigned", "bob")):
        # At least once: by the ledger, and again when the end of a command in flight is known; never as two things.
        assert {one["user"] for one in portal.seen(kind)} == {user}
        assert len({one["id"] for one in portal.seen(kind)}) == 1


async def test_a_wait_that_ended_while_no_operator_ran_is_told_and_a_denial_at_once(stage: Stage) -> None:
    portal = Portal(stage)
    stage.apply(
        stage.server(),
        stage.pool(seats=1, deniedUsers=["dora"]),
        stage.workbench(1, "ann"),
        stage.workbench(2, "bob"),
        stage.workbench(3, "dora"),
    )
    async with stage.operator(notify=portal.settings):
        await eventually(lambda: bool(portal.seen("SeatWaiting")), what="bob is told that he waits")
        await eventually(lambda: bool(portal.seen("SeatDenied")), what="dora is told that she is denied")
        await stage.until_ready()
    stage.apply(stage.workbench(2, "bob", state="stopped"))
    async with stage.operator(notify=portal.settings):
        await eventually(lambda: bool(portal.seen("WaitEnded")), what="bob is told that his wait is over")
        await stage.until_ready()
    async with stage.operator(notify=portal.settings):
        await stage.until_ready()
    assert {(one["user"], one["reason"]) for one in portal.seen("WaitEnded")} == {("bob", "NeedEnded")}
    assert {one["user"] for one in portal.seen("SeatDenied")} == {"dora"}
    for kind in ("WaitEnded", "SeatDenied"):
        assert len({one["id"] for one in portal.seen(kind)}) == 1


async def test_nobody_is_told_of_a_seat_that_a_dry_run_only_computes(stage: Stage) -> None:
    portal = Portal(stage)
    stage.apply(
        stage.server(), stage.pool(seats=1, mode="DryRun"), stage.workbench(1, "ann"), stage.workbench(2, "bob")
    )
    async with stage.operator(notify=portal.settings):

        async def shown() -> bool:
            return (await stage.pool_status()).get("difference", {}).get("add") == ["ann"]

        await eventually(shown, what="the status shows who would be added")
    assert portal.seen() == []
    assert stage.host.users("matlab") == ()


async def test_the_audit_trail_leads_from_a_persons_seat_to_the_command_that_wrote_it(stage: Stage) -> None:
    file = stage.tmp_path / "audit.jsonl"
    stage.apply(stage.server(), stage.pool(seats=1), stage.workbench(1, "ann"), stage.workbench(2, "bob"))
    async with stage.operator(audit={"file": str(file)}):
        await stage.until_list(["ann"])
        await eventually(lambda: bool(lines(file, "apply")), what="the apply is noted")
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_list(["bob"])
        await eventually(lambda: len(lines(file, "apply")) == 2, what="the second apply is noted")
    grants, (release,), (refusal,) = lines(file, "grant"), lines(file, "release"), lines(file, "refuse")
    assert [(line["user"], line["rule"]) for line in grants] == [("ann", "Granted"), ("bob", "Granted")]
    assert (release["user"], release["rule"]) == ("ann", "WorkbenchesStopped")
    assert (refusal["user"], refusal["rule"], refusal["position"]) == ("bob", "PoolFull", 1)
    first, second = lines(file, "apply")
    assert (first["added"], first["removed"]) == (["ann"], [])
    assert (second["added"], second["removed"]) == (["bob"], ["ann"])
    assert second["hashBefore"] == first["hashAfter"] == first["hashWanted"]
    assert second["revision"] > first["revision"]
    ssm = stage.site.client("ssm")
    known = {command["CommandId"] for command in ssm.list_commands()["Commands"]}
    assert {first["ssmCommandId"], second["ssmCommandId"]} <= known
    assert set(grants[1]["ledgers"]) == {LEDGER}
    assert all(line["poolResourceVersion"] for line in (*grants, release, first, second))


async def test_another_operator_notes_no_refusal_again_of_users_who_wait_already(stage: Stage) -> None:
    file = stage.tmp_path / "audit.jsonl"
    stage.apply(stage.server(), stage.pool(seats=1), stage.workbench(1, "ann"), stage.workbench(2, "bob"))
    async with stage.operator(audit={"file": str(file)}):
        await eventually(lambda: len(lines(file, "refuse")) == 1, what="bob's wait is noted")
    stage.apply(stage.workbench(3, "carl"))
    async with stage.operator(audit={"file": str(file)}):
        await eventually(lambda: len(lines(file, "refuse")) > 1, what="carl's wait is noted")
        await stage.until_ready()
    assert [line["user"] for line in lines(file, "refuse")] == ["bob", "carl"]


async def test_a_change_by_hand_is_told_and_noted_with_names(stage: Stage) -> None:
    portal, file = Portal(stage), stage.tmp_path / "audit.jsonl"
    stage.apply(stage.server(verifyInterval="1s"), stage.pool(seats=2), stage.workbench(1, "ann"))
    async with stage.operator(notify=portal.settings, audit={"file": str(file)}):
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.host.edit("matlab", ["mallory"])
        await eventually(lambda: bool(portal.seen("DriftDetected")), what="the drift is told")
        await stage.until_list(["ann"])
    drift = portal.seen("DriftDetected")[0]
    assert (drift["added"], drift["removed"]) == (["mallory"], ["ann"])
    assert lines(file, "drift")[0]["added"] == ["mallory"]


async def test_a_request_to_verify_is_met_at_once_and_once(stage: Stage) -> None:
    stage.apply(stage.server(verifyInterval="1h"), stage.pool(seats=2), stage.workbench(1, "ann"))
    async with stage.operator():
        await stage.until_ready()
        before, commands = (await stage.server_status())["lastVerified"], stage.commands()
        stage.plane.kubectl("annotate", "licenseserver/licenses", "-n", stage.namespace, "seatpool.io/verify=now")

        async def verified() -> bool:
            return bool((await stage.server_status())["lastVerified"] > before)

        await eventually(verified, what="the lists were read back")
        assert stage.commands() == commands + 1
        assert (await stage.get(LicenseServer, "licenses")) is not None


async def test_the_statement_for_the_vendor_is_whole_after_a_seat_passed_on(stage: Stage) -> None:
    file = stage.tmp_path / "audit.jsonl"
    budget = {"count": 4, "window": "365d"}
    stage.apply(stage.server(), stage.pool(seats=1, maxReassignments=budget), stage.workbench(1, "ann"))
    async with stage.operator(audit={"file": str(file)}):
        await stage.until_list(["ann"])
        stage.apply(stage.workbench(2, "bob"))
        await eventually(lambda: bool(lines(file, "refuse")), what="bob waits")
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_list(["bob"])
        await eventually(lambda: len(lines(file, "apply")) == 2, what="both lists are noted")
        options = ["--pool", "matlab", "--audit", str(file), "-o", "json"]
        done = await seatpool(stage, "statement", *options)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [[one["user"] for one in change["added"]] for change in told["changes"]] == [["ann"], ["bob"]]
    assert (told["reassignmentsNow"], told["reassignmentsAllowed"], told["remarks"]) == (1, 4, [])


async def test_the_statement_has_an_empty_list_as_it_stands_on_the_license_server(stage: Stage) -> None:
    file = stage.tmp_path / "audit.jsonl"
    stage.apply(stage.server(), stage.pool(seats=1, emptyList="KeepPlaceholder"), stage.workbench(1, "ann"))
    async with stage.operator(audit={"file": str(file)}):
        await stage.until_list(["ann"])
        stage.apply(stage.workbench(1, "ann", state="stopped"))
        await stage.until_list(["seatpool-placeholder"])
        await eventually(lambda: bool(lines(file, "apply")[-1].get("placeholderAfter")), what="the list is noted")
        await stage.until_ready()
        done = await seatpool(stage, "statement", "--pool", "matlab", "--audit", str(file), "-o", "json")
        page = await seatpool(
            stage, "statement", "--pool", "matlab", "--audit", str(file), "--time-zone", "Europe/Berlin"
        )
        bare = await seatpool(stage, "statement", "--pool", "matlab", "-o", "json")
        later = await seatpool(stage, "statement", "--pool", "matlab", "--since", "2999-01-01")
    on_server = list_hash(stage.host.users("matlab"))
    last, present = json.loads(done.stdout)["changes"][-1], json.loads(done.stdout)["present"]
    assert ([one["user"] for one in last["removed"]], last["people"], last["hashAfter"]) == (["ann"], 0, on_server)
    assert (present["people"], present["hash"], present["placeholder"]) == (0, on_server, "seatpool-placeholder")
    assert page.returncode == 0, page.stderr
    assert "- Time zone: Europe/Berlin\n" in page.stdout
    assert "seatpool-placeholder stands on a list without users; it is no person" in page.stdout
    assert "by Seatpool " in page.stdout
    assert bare.returncode == 1
    assert not {"changes", "mostPeople"} & json.loads(bare.stdout).keys()
    assert (later.returncode, later.stdout) == (2, "")
    assert "--since 2999-01-01: " in later.stderr


async def test_why_tells_what_the_operator_itself_decided_and_when_it_will_change(stage: Stage) -> None:
    stage.apply(
        stage.server(), stage.pool(seats=1, linger="10m"), stage.workbench(1, "ann"), stage.workbench(2, "bob")
    )  # fmt: skip
    async with stage.operator():
        await stage.until_list(["ann"])
        await stage.until_ready()
        stage.apply(stage.workbench(1, "ann", state="stopped"))

        async def lingers() -> bool:
            done = await seatpool(stage, "why", "ann", "-o", "json")
            return json.loads(done.stdout)["pools"][0]["reason"] == "Lingering"

        await eventually(lingers, what="ann's seat lingers")
        ann = json.loads((await seatpool(stage, "why", "ann", "-o", "json")).stdout)["pools"][0]
        done = await seatpool(stage, "why", "bob", "-o", "json")
    bob = json.loads(done.stdout)["pools"][0]
    assert done.returncode == 1
    assert (bob["phase"], bob["reason"], bob["position"]) == ("Waiting", "PoolFull", 1)
    assert bob["expected"] == ann["until"]


async def test_a_pool_says_how_long_its_seats_were_held_once_a_few_have_ended(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=9), *(stage.workbench(number, f"u{number}") for number in range(5)))
    async with stage.operator():
        await stage.until_list([f"u{number}" for number in range(5)])
        stage.apply(*(stage.workbench(number, f"u{number}", state="stopped") for number in range(5)))

        async def said() -> bool:
            return bool((await stage.pool_status()).get("seatLengths", {}).get("seats") == 5)

        await eventually(said, what="the lengths of five seats are in the status")
        before = (await stage.pool_status())["seatLengths"]
    async with stage.operator():
        await stage.until_ready()
        assert (await stage.pool_status())["seatLengths"] == before


async def seatpool(stage: Stage, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [
        sys.executable,
        "-m",
        "seatpool",
        command,
        "-n",
        stage.namespace,
        "--kubeconfig",
        str(stage.plane.kubeconfig),
    ]
    return await asyncio.to_thread(
        lambda: subprocess.run([*argv, *arguments], capture_output=True, text=True, timeout=60, check=False)
    )
