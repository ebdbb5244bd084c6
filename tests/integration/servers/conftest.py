"""A license server behind an SSM that really runs the document's script, and boto3 as it is."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.backend import SsmBackend
from seatpool.servers.ssm.document import document_json
from seatpool.servers.ssm.nodes import Node
from seatpool.servers.ssm.transport import SsmTransport
from seatpool.sim.aws import AwsStandIn
from seatpool.sim.site import LicenseServerNode, Site
from seatpool.sim.ssm.behavior import AgentBehavior


@dataclass
class Faults:
    """What SSM shall answer, by the real client's own hooks: the call is made up, its answer is parsed."""

    answers: dict[str, list[tuple[int, dict[str, Any]] | Exception]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def refuse(self, operation: str, code: str, *, message: str = "no", status: int = 400, times: int = 1) -> None:
        refusal = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        self.answers.setdefault(operation, []).extend([(status, refusal)] * times)

    def answer(self, operation: str, **body: Any) -> None:
        self.answers.setdefault(operation, []).append((200, body | {"ResponseMetadata": {"HTTPStatusCode": 200}}))

    def fail(self, operation: str, error: Exception) -> None:
        self.answers.setdefault(operation, []).append(error)

    def session_factory(self, make: Callable[[], boto3.Session]) -> Callable[[], boto3.Session]:
        def session() -> boto3.Session:
            made = make()
            made.events.register("before-call.ssm", self._before)
            return made

        return session

    def _before(self, model: Any, **_: Any) -> Any:
        self.calls.append(model.name)
        waiting = self.answers.get(model.name)
        if not waiting:
            return None
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return AWSResponse("", answer[0], {}, None), answer[1]


@dataclass
class Bench:
    """One license server of a site and the means to speak to it."""

    site: Site
    node: LicenseServerNode
    faults: Faults
    transport: SsmTransport

    def spec(self, **changes: Any) -> LicenseServerSpec:
        values = {
            "target": {"instanceId": self.node.instance_id},
            "region": self.site.region,
            "timeout": "20s",
            "xlc": {"stateDir": self.node.host.state_dir},
        }
        return LicenseServerSpec.model_validate(values | changes)

    def by_tag(self) -> dict[str, str]:
        return {"tag": self.node.tag, "value": self.node.value}

    def place(self, **changes: Any) -> Node:
        return Node.of(self.spec(**changes))

    def client(self, **changes: Any) -> SsmBackend:
        return SsmBackend(self.spec(**changes), self.transport, name="default/main")

    def behavior(self, **faults: Any) -> None:
        self.node.host.behavior = AgentBehavior(**faults)


def apply(*users: str, revision: int = 1, product: str = "vew") -> ListCommand:
    return ListCommand(revision=revision, owner="here", changes=(ListChange(product=product, users=users),))


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsStandIn]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with AwsStandIn(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture
async def bench(stand_in: AwsStandIn) -> AsyncIterator[Bench]:
    stand_in.control.reset()
    site = Site.create(stand_in, document=document_json(), queue=None)
    faults = Faults()
    transport = SsmTransport(endpoint_url=site.endpoint, session_factory=faults.session_factory(site.access.session))
    yield Bench(site=site, node=site.add_license_server(), faults=faults, transport=transport)
    transport.close()
    stand_in.control.reset()
