"""Connects the pipeline to the license server: its own SSM document on the same stand-in, and one command a product."""

import base64
import time
from collections.abc import Sequence

from benchmarks.site import REGION
from seatpool.sim.aws import AwsProcess
from seatpool.sim.site import Site

DOCUMENT = "pipeline-apply"
SCRIPT = [
    "list=$(mktemp)",
    "printf '%s' '{{Users}}' | base64 -d >\"$list\"",
    "xlc apply --product '{{Product}}' --file \"$list\"",
    'rm -f "$list"',
]
CONTENT = {
    "schemaVersion": "2.2",
    "description": "Overwrites one product's list of users.",
    "parameters": {"Product": {"type": "String"}, "Users": {"type": "String", "default": ""}},
    "mainSteps": [{"action": "aws:runShellScript", "name": "apply", "inputs": {"runCommand": SCRIPT}}],
}
PATIENCE = 60.0


class RealServer:
    """Sends real commands to a real `xlc`."""

    def __init__(self, aws: AwsProcess) -> None:
        self._site = Site.create(aws, document=CONTENT, document_name=DOCUMENT, queue=None, region=REGION)
        self._node = self._site.add_license_server("pipeline")
        self._journal_lines = 0

    def send(self, product: str, users: Sequence[str]) -> float:
        """Sends one list, waits until the server has it, and returns the seconds since SendCommand."""
        began = time.time()
        text = base64.b64encode("".join(f"{user}\n" for user in users).encode()).decode()
        self._site.client("ssm").send_command(
            InstanceIds=[self._node.instance_id],
            DocumentName=DOCUMENT,
            Parameters={"Product": [product], "Users": [text]},
        )
        while time.time() < began + PATIENCE:
            for entry in self._node.host.journal():
                if entry.product == product:
                    return entry.at.timestamp() - began
            time.sleep(0.002)
        raise RuntimeError(f"the list of {product} did not arrive within {PATIENCE:g} s")

    def users(self, product: str) -> tuple[str, ...]:
        return tuple(sorted(self._node.host.users(product)))
