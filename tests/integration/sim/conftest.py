"""A site with one license server on an AWS whose commands really run."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.waiting import PATIENCE

from seatpool.sim.aws import AwsStandIn
from seatpool.sim.site import LicenseServerNode, Site
from seatpool.sim.ssm.behavior import AgentBehavior

FINAL = {"Success", "Failed", "TimedOut", "Cancelled"}

DOCUMENT: dict[str, Any] = {
    "schemaVersion": "2.2",
    "description": "Runs what its caller says, for tests.",
    "parameters": {
        "Script": {"type": "StringList"},
        "Text": {
            "type": "String",
            "default": "nothing",
            "allowedPattern": "^[A-Za-z0-9 ;$()]*$",
            "interpolationType": "ENV_VAR",
        },
        "Timeout": {"type": "String", "default": "30", "allowedPattern": "^[0-9.]{1,5}$"},
    },
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "run",
            "precondition": {"StringEquals": ["platformType", "Linux"]},
            "inputs": {"timeoutSeconds": "{{ Timeout }}", "runCommand": ["{{ Script }}"]},
        }
    ],
}


@dataclass
class Server:
    """The license server, seen through SSM."""

    site: Site
    node: LicenseServerNode

    @property
    def ssm(self) -> Any:
        return self.site.client("ssm")

    def behavior(self, **faults: Any) -> None:
        self.node.host.behavior = AgentBehavior(**faults)

    def send(self, *script: str, parameters: dict[str, list[str]] | None = None, **options: Any) -> str:
        answer = self.ssm.send_command(
            InstanceIds=[self.node.instance_id],
            DocumentName=self.site.document_name,
            Parameters={"Script": list(script)} | (parameters or {}),
            **options,
        )
        return str(answer["Command"]["CommandId"])

    def look(self, command: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.ssm.get_command_invocation(CommandId=command, InstanceId=self.node.instance_id)
        return answer

    def until(self, command: str, *states: str, seconds: float = PATIENCE) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (answer := self.look(command))["Status"] not in (states or FINAL):
            assert time.monotonic() < deadline, f"not {states or FINAL} within {seconds:g} s: {answer}"
            time.sleep(0.005)
        return answer

    def run(self, *script: str, **options: Any) -> dict[str, Any]:
        return self.until(self.send(*script, **options))


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsStandIn]:
    with AwsStandIn(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


@pytest.fixture
def site(stand_in: AwsStandIn) -> Iterator[Site]:
    stand_in.control.reset()
    yield Site.create(stand_in, document=DOCUMENT)
    stand_in.control.reset()


@pytest.fixture
def server(site: Site) -> Server:
    return Server(site, site.add_license_server())
