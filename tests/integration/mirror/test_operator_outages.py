"""What an outage of AWS does to the lists on a license server: nothing. And who is told of it, and when it is over."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from prometheus_client import CollectorRegistry
from tests.integration.control.conftest import Stage, session
from tests.integration.mirror.gate import Gate, served
from tests.waiting import PATIENCE, eventually

from seatpool.api.licenseserver import LicenseServer
from seatpool.control.runtime.operator import Operator
from seatpool.kube.client import KubeClient
from seatpool.servers.ssm.document import document_json
from seatpool.settings.settings import load_settings
from seatpool.sim.aws_control import AwsControl
from seatpool.sim.aws_front import Front
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.lifeline import Lifeline
from seatpool.sim.site import Site
from seatpool.sim.ssm.api import RunCommand

HOME, SECOND = "123456789012", "111122223333"
REGION, ELSEWHERE = "eu-central-1", "eu-west-1"
NOBODY_LISTENS = "http://127.0.0.1:9/"


@dataclass
class GatedAws:
    """The stand-in with a gate before its door, in this process."""

    endpoint: str
    directory: Path
    control: AwsControl
    gate: Gate


@dataclass
class Wires:
    """The process's own connections, of which those to the queue can be cut."""

    cut: bool = False

    def session(self) -> boto3.Session:
        made = session()
        made.events.register("before-send.sqs", self._redirect)
        return made

    def _redirect(self, request: Any, **_: Any) -> None:
        if self.cut:
            request.url = NOBODY_LISTENS


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatedAws]:
    lifeline = Lifeline()
    run_command = RunCommand(lifeline)
    gate = Gate(moto=Front(DomainDispatcherApplication(create_backend_app), run_command))
    with served(gate) as endpoint:
        yield GatedAws(endpoint, tmp_path_factory.mktemp("gated"), AwsControl(endpoint), gate)
    run_command.close()
    lifeline.close()


@pytest.fixture
async def stage(control_plane: ControlPlane, namespace: str, gated: GatedAws, tmp_path: Path) -> AsyncIterator[Stage]:
    gated.control.reset()
    gated.gate.reset()
    site = Site.create(gated, document=document_json())
    kube = await KubeClient.connect(kubeconfig=str(control_plane.kubeconfig))
    node = site.add_license_server()
    yield Stage(plane=control_plane, kube=kube, site=site, node=node, namespace=namespace, tmp_path=tmp_path)
    await kube.close()


def accounts(stage: Stage, *numbers: str) -> list[dict[str, Any]]:
    return [
        {
            "account": number,
            "regions": [REGION, ELSEWHERE],
            "namespace": stage.namespace,
            "role_arn": f"arn:aws:iam::{number}:role/seatpool-reader",
        }
        for number in numbers
    ]


def mirror(stage: Stage, *numbers: str, **others: Any) -> dict[str, Any]:
    settings = {"accounts": accounts(stage, *numbers), "aws_timeout": "1s", "resync_interval": "300ms"}
    return stage.mirror_settings() | settings | others


def metric(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"seatpool_{name}", labels)


async def test_an_outage_of_an_account_a_region_or_the_queue_leaves_all_lists_as_they_were_and_is_told(
    stage: Stage, gated: GatedAws
) -> None:
    wires, gate = Wires(), gated.gate
    fleets = [
        Site(gated, region=region, account=account).fleet(queue_url=stage.site.queue_url, queue_region=REGION)
        for account, region in ((HOME, REGION), (SECOND, REGION), (SECOND, ELSEWHERE))
    ]
    people = ["ann", "bob", "cem"]
    for fleet, person in zip(fleets, people, strict=True):
        fleet.start(person)
    stage.apply(stage.server(), stage.pool(seats=5))

    async def is_told(kind: str, *, holds: bool, reason: str, event_reason: str) -> str:
        status = "True" if holds else "False"
        message = await stage.until_condition(LicenseServer, "licenses", kind, status=status, reason=reason)
        await eventually(lambda: bool(stage.events(event_reason)), what=event_reason)
        return message

    settings = mirror(stage, HOME, SECOND)
    async with stage.operator(session_factory=wires.session, mirror=settings) as operator:
        await stage.until_list(people)
        await stage.until_condition(LicenseServer, "licenses", "InventoryFresh", status="True")
        await stage.until_condition(LicenseServer, "licenses", "EventsConnected", status="True")
        sent = stage.commands()

        with (
            gate.trouble(account=SECOND, region=REGION, operation="DescribeInstances", code="UnauthorizedOperation"),
            gate.trouble(account=SECOND, region=ELSEWHERE, operation="DescribeInstances"),
        ):
            wires.cut = True
            message = await is_told(
                "EventsConnected", holds=False, reason="EventsDisconnected", event_reason="EventsDisconnected"
            )
            assert "since 20" in message
            assert "Unreachable" in message
            await eventually(lambda: metric(operator.registry, "mirror_events_connected") == 0)

            async def both_regions_are_told() -> bool:
                _, _, text = await stage.condition(LicenseServer, "licenses", "InventoryFresh")
                forbidden, silent = f"{SECOND}/{REGION} since 20", f"{SECOND}/{ELSEWHERE} since 20"
                return all(part in text for part in (forbidden, silent, "AccessDenied", "Unreachable"))

            await eventually(both_regions_are_told)
            await is_told("InventoryFresh", holds=False, reason="InventoryStale", event_reason="InventoryStale")
            for region in (REGION, ELSEWHERE):
                assert metric(operator.registry, "mirror_inventory_fresh", account=SECOND, region=region) == 0
            assert metric(operator.registry, "mirror_inventory_fresh", account=HOME, region=REGION) == 1
            await asyncio.sleep(1)
            assert stage.host.users("matlab") == tuple(people)
            assert stage.commands() == sent

        wires.cut = False
        await is_told("InventoryFresh", holds=True, reason="InventoryComplete", event_reason="InventoryRecovered")
        await is_told("EventsConnected", holds=True, reason="EventsConnected", event_reason="EventsReconnected")
        fleets[0].start("dora")
        await stage.until_list([*people, "dora"])


async def test_changed_settings_are_taken_over_while_it_runs_and_bad_ones_are_refused(
    stage: Stage, gated: GatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.control.runtime.settings_reload.INTERVAL", 0.2)
    file, names = stage.tmp_path / "settings.yaml", stage.tmp_path / "names.csv"
    names.write_text("owner,user\nzed,u1000\n")
    settings = stage.settings(mirror=mirror(stage, HOME), identity={"mapping_file": str(names)})
    document = settings.model_dump(mode="json", exclude_defaults=True)
    document["identity"] = {"mapping_file": str(names)}
    file.write_text(yaml.safe_dump(document))
    for account, person in ((HOME, "CORP\\Ann"), (SECOND, "bob")):
        Site(gated, region=REGION, account=account).fleet(queue_url=stage.site.queue_url, queue_region=REGION).start(
            person
        )
    stage.apply(stage.server(guard={"minUsers": 100}), stage.pool(seats=5))
    operator = Operator(load_settings(file=file), session_factory=session)
    task = asyncio.create_task(operator.run())

    def reloads(result: str) -> float | None:
        return metric(operator.registry, "settings_reloads_total", result=result)

    try:
        await stage.until_list(["ann"])
        message = await stage.until_condition(
            LicenseServer, "licenses", "EventsConnected", status="True", reason="EventsRefused"
        )
        assert f"{SECOND}/{REGION}" in message

        names.write_text("owner,user\nzed,u1000\nann@corp.example,u1001\n")
        await stage.until_list(["u1001"])

        document["mirror"]["accounts"] = accounts(stage, HOME, SECOND)
        document["mirror"]["receivers"] = 3
        file.write_text(yaml.safe_dump(document))
        await stage.until_list(["bob", "u1001"])
        await stage.until_condition(
            LicenseServer, "licenses", "EventsConnected", status="True", reason="EventsConnected"
        )
        assert reloads("applied") == 2
        assert metric(operator.registry, "settings_waiting") == 1
        message = await stage.until_condition(
            LicenseServer, "licenses", "SettingsApplied", status="True", reason="SettingsWait"
        )
        assert message.endswith("mirror.receivers")

        for text in ("mirror: {accounts: [{account: '12'}]}", "mirror: [", ""):
            file.write_text(text + " # not right: no queue\nmirrored: yes")
            await eventually(lambda: metric(operator.registry, "settings_valid") == 0)
        await stage.until_condition(
            LicenseServer, "licenses", "SettingsApplied", status="False", reason="SettingsRefused"
        )
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
        names.write_text("ann,u1001,extra\n")
        await asyncio.sleep(0.5)
        assert stage.host.users("matlab") == ("bob", "u1001")
        names.write_text("owner,user\nann,u1001\n")
        file.write_text(yaml.safe_dump(document))
        await eventually(lambda: metric(operator.registry, "settings_valid") == 1)
        await stage.until_condition(LicenseServer, "licenses", "SettingsApplied", status="True")
        assert stage.host.users("matlab") == ("bob", "u1001")
        second = Site(gated, region=REGION, account=SECOND)
        second.fleet(queue_url=stage.site.queue_url, queue_region=REGION).start("eve")
        await stage.until_list(["bob", "eve", "u1001"])
    finally:
        operator.stop()
        await asyncio.wait([task], timeout=PATIENCE)
