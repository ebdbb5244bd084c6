"""The templates as they are synthesised, deployed by CloudFormation into a stand-in for AWS."""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.control.conftest import ACCOUNT, REGION, Stage

from seatpool.kube.client import KubeClient
from seatpool.sim.aws import AwsProcess
from seatpool.sim.aws_access import AwsAccess
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.site import Site as Account
from seatpool_infra.__main__ import write
from seatpool_infra.operator_settings import SETTINGS

OTHER_ACCOUNT = "444455556666"
OTHER_REGION = "eu-west-1"


@dataclass(frozen=True)
class Deployed:
    """One account for everything, and another one with workbenches."""

    aws: AwsProcess
    folder: Path
    outputs: dict[str, str]

    def settings(self, namespace: str) -> dict[str, Any]:
        """Those that were written beside the templates, for this stand-in and this namespace."""
        settings: dict[str, Any] = yaml.safe_load((self.folder / SETTINGS).read_text())
        mirror = settings["mirror"] | {"endpoint_url": self.aws.endpoint, "long_poll": "1s", "describe_lag": "0s"}
        mirror["accounts"] = [account | {"namespace": namespace} for account in mirror["accounts"]]
        return {"mirror": mirror}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("infra")
    site = {
        "license": {
            "account": ACCOUNT,
            "region": REGION,
            "pod_identity_cluster": "tools",
        },
        "workbenches": [
            {"account": ACCOUNT, "regions": [REGION], "external_id": "seatpool-home"},
            {"account": OTHER_ACCOUNT, "regions": [REGION], "external_id": "seatpool-other"},
        ],
        "license_servers": [{"account": OTHER_ACCOUNT, "regions": [OTHER_REGION], "external_id": "seatpool-servers"}],
    }
    (folder / "site.yaml").write_text(yaml.safe_dump(site))
    write(site=folder / "site.yaml", out=folder / "out")
    with AwsProcess(tmp_path_factory.mktemp("aws")) as aws:
        outputs = {}
        for name, account, region in (
            ("seatpool-license", ACCOUNT, REGION),
            (f"seatpool-workbenches-{ACCOUNT}-{REGION}", ACCOUNT, REGION),
            (f"seatpool-workbenches-{OTHER_ACCOUNT}-{REGION}", OTHER_ACCOUNT, REGION),
            (f"seatpool-license-servers-{OTHER_ACCOUNT}-{OTHER_REGION}", OTHER_ACCOUNT, OTHER_REGION),
        ):
            template = (folder / "out" / f"{name}.template.json").read_text()
            cloudformation = AwsAccess(aws.endpoint, region=region, account=account).client("cloudformation")
            cloudformation.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
            (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
            assert stack["StackStatus"] == "CREATE_COMPLETE"
            outputs |= {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
        yield Deployed(aws=aws, folder=folder / "out", outputs=outputs)


@pytest.fixture
async def stage(
    control_plane: ControlPlane, namespace: str, deployed: Deployed, tmp_path: Path
) -> AsyncIterator[Stage]:
    """A license server in the account, which has nothing but what the templates made."""
    account = Account(deployed.aws, region=REGION, account=ACCOUNT)
    account.queue = deployed.outputs["QueueArn"].rpartition(":")[2]
    account.queue_url = account.client("sqs").get_queue_url(QueueName=account.queue)["QueueUrl"]
    kube = await KubeClient.connect(kubeconfig=str(control_plane.kubeconfig))
    yield Stage(
        plane=control_plane,
        kube=kube,
        site=account,
        node=account.add_license_server(f"licenses-{secrets.token_hex(3)}"),
        namespace=namespace,
        tmp_path=tmp_path,
    )
    await kube.close()
