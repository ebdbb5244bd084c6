"""An AWS in a process of its own."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.integration.sim.conftest import DOCUMENT, Server
from tests.waiting import wait_until

from seatpool.sim.aws import AwsProcess, AwsStandInError
from seatpool.sim.aws_control import AwsControl
from seatpool.sim.site import Site

OWNERS = {
    "on a lifeline": """
import sys
from pathlib import Path
from seatpool.sim.aws import AwsProcess

aws = AwsProcess(Path(sys.argv[1]))
aws.start()
print('{"endpoint": "' + aws.endpoint + '"}', flush=True)
sys.stdin.read()
""",
    "as a plain child": """
import subprocess
import sys

subprocess.Popen([sys.executable, "-m", "seatpool.sim.aws", "--directory", sys.argv[1]], stderr=subprocess.DEVNULL)
sys.stdin.read()
""",
}


@dataclass
class Elsewhere:
    """A stand-in that somebody else started."""

    endpoint: str
    directory: Path
    control: AwsControl


def test_two_side_by_side_share_nothing_and_run_commands(tmp_path: Path) -> None:
    with AwsProcess(tmp_path / "a") as first, AwsProcess(tmp_path / "b") as second:
        server = Server(site := Site.create(first, document=DOCUMENT), site.add_license_server())
        other = Site(second)
        assert server.run("xlc list --product P; echo ok")["StandardOutputContent"] == "ok\n"
        assert other.client("sqs").list_queues().get("QueueUrls", []) == []
        assert other.client("ec2").describe_instances()["Reservations"] == []
        server.behavior(offline=True)
        command = server.send("echo back")
        assert server.look(command)["Status"] == "Pending"
        server.behavior()
        assert server.until(command)["StandardOutputContent"] == "back\n"
        first.control.refuse("ListCommands", "AccessDeniedException")
        with pytest.raises(Exception, match="AccessDenied"):
            server.ssm.list_commands()


def test_a_port_that_is_taken_is_an_error_with_the_processs_own_words(tmp_path: Path) -> None:
    with AwsProcess(tmp_path / "a") as first:
        port = int(first.endpoint.rsplit(":", 1)[1])
        with pytest.raises(AwsStandInError, match=str(port)):
            AwsProcess(tmp_path / "b", port=port).start()


def answers(endpoint: str) -> bool:
    host, port = endpoint.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("owner", OWNERS.values(), ids=OWNERS)
def test_it_ends_with_its_parent_and_so_does_a_script_that_runs_in_it(tmp_path: Path, owner: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", owner, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    endpoint = json.loads(parent.stdout.readline())["endpoint"]
    aws = Elsewhere(endpoint, tmp_path, AwsControl(endpoint))
    server = Server(site := Site.create(aws, document=DOCUMENT), site.add_license_server())
    server.send("echo $$ >$HOME/pid.new; mv $HOME/pid.new $HOME/pid; exec sleep 60")
    wait_until((server.node.host.home / "pid").exists)
    pid = int((server.node.host.home / "pid").read_text())
    assert answers(endpoint)
    assert not is_gone(pid)
    parent.kill()
    parent.wait()
    wait_until(lambda: not answers(endpoint))
    wait_until(lambda: is_gone(pid))
