"""The whole operator between a real API server, moto's AWS and a license server whose scripts really run."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.waiting import PATIENCE, eventually

from seatpool.api.base import Resource, format_instant
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.control.runtime.operator import Operator
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import NotFound
from seatpool.policy.ledger_codec import ledger_name
from seatpool.servers.ssm.document import document_json
from seatpool.settings.settings import Settings, load_settings
from seatpool.sim.aws import AwsProcess
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.envelopes import workbench_event
from seatpool.sim.license_host import LicenseHost
from seatpool.sim.site import LicenseServerNode, Site
from seatpool.tracing.spans import UNTRACED, Traces

Body = dict[str, Any]
ACCOUNT = "123456789012"
REGION = "eu-central-1"
LEDGER = ledger_name("licenses", "matlab", 0)
"""The SeatLedger of the product matlab."""
KILLED_OPERATOR = Path(__file__).with_name("operator_that_dies.py")


async def passes_in(operator: Operator, seconds: float) -> float:
    """Wait so long; how many passes of a reconciler have ended meanwhile."""

    def made() -> float:
        name = "seatpool_reconcile_passes_total"
        samples = (sample for metric in operator.registry.collect() for sample in metric.samples if sample.name == name)
        return sum(sample.value for sample in samples if sample.labels["result"] == "ok")

    before = made()
    await asyncio.sleep(seconds)
    return made() - before


def session() -> boto3.Session:
    return boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=REGION)


@dataclass
class Stage:
    """A namespace with a license server in it."""

    plane: ControlPlane
    kube: KubeClient
    site: Site
    node: LicenseServerNode
    namespace: str
    tmp_path: Path
    operators: list[Operator] = field(default_factory=list)

    @property
    def host(self) -> LicenseHost:
        return self.node.host

    # -- what a user does ------------------------------------------------------------------------------------------

    def apply(self, *objects: Body) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.plane.kubectl("apply", "-n", self.namespace, "--server-side", "-f", "-", input=json.dumps(listed))

    def server(self, **spec: Any) -> Body:
        settings: Body = {
            "target": {"tag": self.node.tag, "value": self.node.value},
            "region": REGION,
            "xlc": {"stateDir": self.host.state_dir},
            "debounce": "50ms",
        }
        return self._object("LicenseServer", "licenses", settings | spec)

    def pool(self, name: str = "matlab", *, seats: int = 2, **spec: Any) -> Body:
        settings: Body = {
            "serverRef": {"name": "licenses"},
            "product": name,
            "seats": seats,
            "workbenchTypes": [f"vew-{name}"],
        }
        return self._object("LicensePool", name, settings | spec)

    def workbench(
        self,
        number: int,
        owner: str,
        *,
        type: str = "vew-matlab",  # noqa: A002
        state: str = "running",
        at: datetime | None = None,
    ) -> Body:
        """One that a person wrote, without any mirror."""
        name = instance(number)
        spec = {
            "instanceId": name,
            "account": ACCOUNT,
            "region": REGION,
            "owner": owner,
            "type": type,
            "state": state,
            "stateChangedAt": format_instant(at or datetime.now(UTC)),
        }
        return self._object("Workbench", name, spec)

    def send(self, *events: Body | str) -> None:
        bodies = [event if isinstance(event, str) else json.dumps(event) for event in events]
        for start in range(0, len(bodies), 10):
            self.site.client("sqs").send_message_batch(
                QueueUrl=self.site.queue_url,
                Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + 10])],
            )

    def delete(self, kind: str, name: str) -> None:
        self.plane.kubectl("delete", kind, name, "-n", self.namespace, "--wait=false")

    def _object(self, kind: str, name: str, spec: Body) -> Body:
        metadata = {"name": name, "namespace": self.namespace}
        return {"apiVersion": "seatpool.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}

    # -- what is so ------------------------------------------------------------------------------------------------

    async def get(self, resource: type[Resource], name: str) -> Body | None:
        try:
            return await self.kube.get(resource, self.namespace, name)
        except NotFound:
            return None

    async def condition(self, resource: type[Resource], name: str, kind: str) -> tuple[str, str, str]:
        found = await self.get(resource, name) or {}
        for condition in found.get("status", {}).get("conditions", []):
            if condition["type"] == kind:
                return condition["status"], condition["reason"], condition["message"]
        return "", "", ""

    async def until_condition(
        self,
        resource: type[Resource],
        name: str,
        kind: str,
        *,
        status: str,
        reason: str | None = None,
        seconds: float = PATIENCE,
    ) -> str:
        """Wait for a condition; its message."""
        message = ""

        async def is_so() -> bool:
            nonlocal message
            seen, why, message = await self.condition(resource, name, kind)
            return seen == status and reason in (None, why)

        await eventually(is_so, seconds=seconds, what=f"{resource.kind} {name} {kind}={status} {reason}")
        return message

    async def until_ready(self, pool: str = "matlab", *, seconds: float = PATIENCE) -> None:
        await self.until_condition(LicensePool, pool, "Ready", status="True", seconds=seconds)

    async def until_list(self, users: Iterable[str], *, product: str = "matlab", seconds: float = PATIENCE) -> None:
        wanted = tuple(sorted(users))
        await eventually(
            lambda: self.host.users(product) == wanted, seconds=seconds, what=f"list of {product} is {wanted}"
        )

    async def pool_status(self, name: str = "matlab") -> Body:
        found = await self.get(LicensePool, name)
        assert found is not None
        return dict(found["status"])

    async def server_status(self) -> Body:
        found = await self.get(LicenseServer, "licenses")
        assert found is not None
        return dict(found["status"])

    async def workbench_seats(self, number: int) -> list[Body]:
        found = await self.get(Workbench, instance(number))
        return list((found or {}).get("status", {}).get("seats", []))

    def events(self, reason: str | None = None) -> list[Body]:
        items: list[Body] = json.loads(self.plane.kubectl("get", "events", "-n", self.namespace, "-o", "json"))["items"]
        return [item for item in items if reason in (None, item["reason"])]

    def commands(self) -> int:
        return self.site.aws.control.calls().get("SendCommand", 0)

    # -- the operator ----------------------------------------------------------------------------------------------

    def settings(self, *, mirror: Mapping[str, Any] | None = None, **others: Any) -> Settings:
        made: dict[str, Any] = {
            "kubeconfig": str(self.plane.kubeconfig),
            "namespaces": [self.namespace],
            "installation": "tests",
            "servers": {"endpoint_url": self.site.endpoint},
            "http": {"host": "127.0.0.1", "port": 0},
            "mirror": dict(mirror or {}),
        }
        return load_settings(flags=made | others)

    def mirror_settings(self, *, inventory: bool = False, **others: Any) -> Body:
        account = {"account": ACCOUNT, "regions": [REGION], "namespace": self.namespace, "inventory": inventory}
        return {
            "queue": self.site.queue_url,
            "region": REGION,
            "endpoint_url": self.site.endpoint,
            "accounts": [account],
            "long_poll": "1s",
            "visibility": "3s",
            "describe_lag": "0s",
            "receivers": 2,
        } | others

    @asynccontextmanager
    async def operator(
        self, *, session_factory: Any = session, traces: Traces = UNTRACED, **settings: Any
    ) -> AsyncIterator[Operator]:
        """The operator in this process. It must not end by itself, and not by a fault of its own."""
        operator = Operator(self.settings(**settings), session_factory=session_factory, traces=traces)
        task = asyncio.create_task(operator.run())
        try:
            yield operator
            assert not task.done(), "the operator ended by itself"
            faults = operator.registry.get_sample_value("seatpool_task_restarts_total", {"task": "reconciler"})
            assert not faults, "a reconciler failed by a fault of ours"
        finally:
            operator.stop()
            await asyncio.wait([task], timeout=PATIENCE)
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]

    def start_process(self, *, die_at: str | None = None, **settings: Any) -> "subprocess.Popen[bytes]":
        """The operator in a process of its own, which kills itself at a named step."""
        file = self.tmp_path / f"settings-{secrets.token_hex(3)}.json"
        file.write_text(self.settings(**settings).model_dump_json())
        environ = os.environ | {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test"}
        log = (self.tmp_path / "operator.log").open("ab")
        return subprocess.Popen(
            [sys.executable, KILLED_OPERATOR, file, die_at or "never"], env=environ, stdout=log, stderr=log
        )


def instance(number: int) -> str:
    return f"i-{number:017x}"


def event(
    number: int,
    state: str,
    owner: str,
    *,
    at: datetime | None = None,
    type: str = "vew-matlab",  # noqa: A002
    account: str = ACCOUNT,
) -> Body:
    """The custom event of the published pipeline."""
    return workbench_event(
        instance_id=instance(number),
        state=state,
        at=at or datetime.now(UTC),
        owner=owner,
        type=type,
        account=account,
        region=REGION,
    )


@pytest.fixture(scope="session")
def aws_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProcess]:
    with AwsProcess(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture
async def stage(
    control_plane: ControlPlane, namespace: str, aws_process: AwsProcess, tmp_path: Path
) -> AsyncIterator[Stage]:
    aws_process.control.reset()
    site = Site.create(aws_process, document=document_json(), queue=f"events-{secrets.token_hex(4)}")
    kube = await KubeClient.connect(kubeconfig=str(control_plane.kubeconfig))
    yield Stage(
        plane=control_plane,
        kube=kube,
        site=site,
        node=site.add_license_server(f"licenses-{secrets.token_hex(3)}"),
        namespace=namespace,
        tmp_path=tmp_path,
    )
    await kube.close()
