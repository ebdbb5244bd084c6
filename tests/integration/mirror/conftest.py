"""A mirror between real boto3 clients, moto's AWS and a real API server."""

import asyncio
import contextlib
import json
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
import structlog
from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from prometheus_client import CollectorRegistry
from tests.integration.mirror.gate import Gate, served
from tests.waiting import PATIENCE, eventually

from seatpool.api.base import format_instant
from seatpool.api.workbench import Workbench
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import NotFound
from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.mirror import Mirror
from seatpool.sim.controlplane import ControlPlane

ACCOUNT = "123456789012"  # what moto takes credentials without a role for
REGION = "eu-central-1"
MAX_RECEIVES = 3
MODELS = Loader()  # reading EC2's takes longer than most tests

Body = dict[str, Any]


@dataclass
class Aws:
    """An account with a queue, as a site would have it."""

    endpoint: str
    queue: str
    queue_url: str = ""
    dead_letter_url: str = ""
    clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def session(self) -> boto3.Session:
        core = botocore.session.Session()
        core.register_component("data_loader", MODELS)
        return boto3.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION, botocore_session=core
        )

    def client(self, service: str, region: str = REGION, account: str = ACCOUNT) -> Any:
        key = (service, region, account)
        if key not in self.clients:
            self.clients[key] = self.session().client(
                service, region_name=region, endpoint_url=self.endpoint, **self._keys(account)
            )
        return self.clients[key]

    def _keys(self, account: str) -> dict[str, str]:
        """Another account is entered by a role, as everywhere."""
        if account == ACCOUNT:
            return {}
        answer = self.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/site", RoleSessionName="site")
        given = answer["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def start_instance(
        self,
        *,
        owner: str | None,
        type: str = "vew-matlab",  # noqa: A002
        region: str = REGION,
        account: str = ACCOUNT,
    ) -> str:
        tags = [{"Key": "vew:workbench:type", "Value": type}]
        if owner is not None:
            tags.append({"Key": "vew:workbench:ownerId", "Value": owner})
        answer = self.client("ec2", region, account).run_instances(
            ImageId="ami-12c6146b",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        return str(answer["Instances"][0]["InstanceId"])

    def send(self, *bodies: object) -> None:
        sqs = self.client("sqs")
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        for start in range(0, len(texts), 10):
            sqs.send_message_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": str(n), "MessageBody": text} for n, text in enumerate(texts[start : start + 10])],
            )

    def send_gently(self, *bodies: object) -> None:
        """No faster than they are taken: the stand-in is slow with a long queue."""
        for start in range(0, len(bodies), 50):
            while self.left_in_queue() > 50:
                time.sleep(0.02)
            self.send(*bodies[start : start + 50])

    def left_in_queue(self) -> int:
        return self._depth(self.queue_url)

    def dead_letters(self) -> int:
        return self._depth(self.dead_letter_url)

    def dead_letter_attributes(self) -> dict[str, str]:
        """Those of one dead letter, which is not visible for a moment after."""
        answer = self.client("sqs").receive_message(
            QueueUrl=self.dead_letter_url, MessageAttributeNames=["All"], VisibilityTimeout=1
        )
        return {name: one["StringValue"] for name, one in answer["Messages"][0].get("MessageAttributes", {}).items()}

    def receive_again(self, *, times: int) -> None:
        """Let messages that are hidden come back, as if their time were over."""
        queue = get_backend("sqs")[ACCOUNT][REGION].queues[self.queue]
        for message in queue._messages:
            message.change_visibility(0)
            message.approximate_receive_count += times - 1

    def _depth(self, url: str) -> int:
        queue = get_backend("sqs")[ACCOUNT][REGION].queues[url.rpartition("/")[2]]
        return int(queue.approximate_number_of_messages + queue.approximate_number_of_messages_not_visible)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def state_change(instance: str, state: str, at: datetime, *, account: str = ACCOUNT) -> Body:
    return {
        "version": "0",
        "id": secrets.token_hex(8),
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": account,
        "time": format_instant(at),
        "region": REGION,
        "resources": [f"arn:aws:ec2:{REGION}:{account}:instance/{instance}"],
        "detail": {"instance-id": instance, "state": state},
    }


def workbench_event(instance: str, state: str, at: datetime, *, owner: str = "ann", account: str = ACCOUNT) -> Body:
    event = state_change(instance, state, at, account=account)
    return event | {
        "detail-type": "Workbench State Change",
        "source": "vew.workbench",
        "detail": {
            "user-id": owner,
            "workbench-type": "vew-matlab",
            "workbench-state": state,
            "instance-id": instance,
        },
    }


@dataclass
class Faults:
    """What EC2 shall answer instead, by the real client's own hooks: the call is made up, its refusal is parsed."""

    code: str | None = None
    only_from_page: int = 1
    empty: int = 0
    """How many more answers show nothing at all."""
    only_by_id: bool = False
    silent_by_id: bool = False
    """Whether a question by id is answered with nothing, instead of with a refusal."""
    hangs: threading.Event | None = None
    """No answer comes before this is set."""
    requests_by_id: int = 0
    unknown: frozenset[str] = frozenset()
    """Ids that a refusal names all at once, as EC2 does. The stand-in names one."""
    calls: int = 0
    asked_by_id: list[str] = field(default_factory=list)

    def session_factory(self, aws: Aws) -> Callable[[], boto3.Session]:
        def make() -> boto3.Session:
            session = aws.session()
            session.events.register("before-call.ec2.DescribeInstances", self._answer)
            return session

        return make

    def _answer(self, params: Any, **_: Any) -> Any:
        self.calls += 1
        page = 2 if "NextToken" in params["body"] else 1
        by_id = [value for name, value in params["body"].items() if name.startswith("InstanceId")]
        self.asked_by_id += by_id
        self.requests_by_id += bool(by_id)
        if self.hangs is not None:
            self.hangs.wait(30)
        if named := [one for one in by_id if one in self.unknown]:
            text = f"The instance IDs '{', '.join(named)}' do not exist"
            refusal = {"Error": {"Code": "InvalidInstanceID.NotFound", "Message": text}, "ResponseMetadata": {}}
            return AWSResponse("", 400, {}, None), refusal
        if by_id and self.silent_by_id:
            return AWSResponse("", 200, {}, None), {"Reservations": [], "ResponseMetadata": {}}
        if self.code is not None and page >= self.only_from_page and (by_id or not self.only_by_id):
            refusal = {"Error": {"Code": self.code, "Message": "as the test wants it"}, "ResponseMetadata": {}}
            return AWSResponse("", 403, {}, None), refusal
        if self.empty > 0:
            self.empty -= 1
            return AWSResponse("", 200, {}, None), {"Reservations": [], "ResponseMetadata": {}}
        return None


class Wire:
    """A wire to the API server that can be cut: connections are reset, new ones refused."""

    def __init__(self, plane: ControlPlane) -> None:
        self._target = int(plane.url.rsplit(":", 1)[1])
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._writers -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@dataclass
class Stage:
    """A namespace on the API server, an AWS, and mirrors between them."""

    aws: Aws
    kube: KubeClient
    namespace: str
    gate: Gate
    plane: ControlPlane
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def config(self, **changes: Any) -> MirrorConfig:
        """Inventory is off unless asked for, so that events alone explain what happens."""
        account = {"account": ACCOUNT, "regions": [REGION], "namespace": self.namespace, "inventory": False}
        account |= changes.pop("account", {})
        settings = {
            "queue": self.aws.queue,
            "region": REGION,
            "endpoint_url": self.aws.endpoint,
            "accounts": [AccountConfig.model_validate(account)],
            "long_poll": "1s",
            "visibility": "2s",
            "describe_lag": "0s",
            "resync_interval": "300ms",
            "receivers": 2,
        }
        return MirrorConfig.model_validate(settings | changes)

    @asynccontextmanager
    async def mirror(
        self, *, kube: KubeClient | None = None, session_factory: Any = None, **changes: Any
    ) -> AsyncIterator[Mirror]:
        self.registry = CollectorRegistry()
        mirror = Mirror(
            self.config(**changes),
            kube or self.kube,
            registry=self.registry,
            log=structlog.get_logger(),
            session_factory=session_factory or self.aws.session,
        )
        task = asyncio.create_task(mirror.run())
        try:
            yield mirror
            assert not task.done(), "the mirror ended by itself"
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def get(self, instance: str) -> Body | None:
        try:
            return await self.kube.get(Workbench, self.namespace, instance)
        except NotFound:
            return None

    async def state(self, instance: str) -> str | None:
        found = await self.get(instance)
        return found["spec"]["state"] if found else None

    async def owner(self, instance: str) -> str | None:
        found = await self.get(instance)
        return found["spec"]["owner"] if found else None

    async def until_owner(self, instance: str, owner: str) -> None:
        async def is_so() -> bool:
            return await self.owner(instance) == owner

        await eventually(is_so)

    def vanish(self, *instances: str, account: str = ACCOUNT, region: str = REGION) -> None:
        """EC2 forgets an instance an hour after its end."""
        backend = get_backend("ec2")[account][region]
        for name, reservation in list(backend.reservations.items()):
            if reservation.instances[0].id in instances:
                del backend.reservations[name]

    async def until_state(self, instance: str, state: str | None, *, seconds: float = PATIENCE) -> None:
        async def is_so() -> bool:
            return await self.state(instance) == state

        await eventually(is_so, seconds=seconds)

    async def until_handled(self, *, seconds: float = PATIENCE) -> None:
        await eventually(lambda: self.aws.left_in_queue() == 0, seconds=seconds)

    async def until_written(self, mirror: Mirror) -> None:
        """Waits until all that a watch brought is written."""
        await eventually(lambda: not any(watch.is_busy for watch in mirror.object_watches))

    def corrections(self) -> dict[str, float]:
        """What inventories had to correct, by direction."""
        directions = ("created", "activated", "deactivated", "changed", "removed", "untagged")
        return {direction: self.metric("resync_corrections_total", direction=direction) for direction in directions}

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"seatpool_mirror_{name}", labels) or 0.0


@pytest.fixture(scope="session")
def open_gate() -> Iterator[tuple[Gate, str]]:
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # reading them takes longer than most tests
    gate = Gate()
    with served(gate) as endpoint:
        yield gate, endpoint


@pytest.fixture
def gate(open_gate: tuple[Gate, str]) -> Gate:
    gate, _ = open_gate
    gate.reset()
    return gate


@pytest.fixture
def aws(open_gate: tuple[Gate, str], gate: Gate) -> Aws:
    _, aws_endpoint = open_gate
    BackendDict.reset()
    name = f"events-{secrets.token_hex(4)}"
    aws = Aws(endpoint=aws_endpoint, queue=name)
    sqs = aws.client("sqs")
    aws.dead_letter_url = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    policy = {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dlq",
        "maxReceiveCount": str(MAX_RECEIVES),
    }
    aws.queue_url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]
    return aws


@pytest.fixture
async def stage(aws: Aws, gate: Gate, control_plane: ControlPlane, namespace: str) -> AsyncIterator[Stage]:
    kube = await KubeClient.connect(kubeconfig=str(control_plane.kubeconfig))
    yield Stage(aws=aws, kube=kube, namespace=namespace, gate=gate, plane=control_plane)
    await kube.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance that is not visible yet is looked for again within a second."""
    monkeypatch.setattr("seatpool.mirror.queue.ack.FIRST_RETRY_SOON", timedelta(seconds=1))


@pytest.fixture
async def wire(control_plane: ControlPlane) -> AsyncIterator[Wire]:
    wire = Wire(control_plane)
    await wire.mend()
    yield wire
    wire.cut()


@pytest.fixture
async def kube_by_wire(control_plane: ControlPlane, wire: Wire, tmp_path: Path) -> AsyncIterator[KubeClient]:
    kubeconfig = tmp_path / "kubeconfig"
    text = control_plane.kubeconfig.read_text()
    kubeconfig.write_text(text.replace(control_plane.url, f"https://127.0.0.1:{wire.port}"))
    kube = await KubeClient.connect(kubeconfig=str(kubeconfig))
    yield kube
    await kube.close()
