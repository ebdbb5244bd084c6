"""An AWS in a process of its own."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.sim.conftest import DOCUMENT, Server

from seatpool.sim.aws import AwsProcess, AwsStandInError
from seatpool.sim.site import Site

OWNER = """
import sys
from pathlib import Path
from seatpool.sim.aws import AwsProcess

aws = AwsProcess(Path(sys.argv[1]))
aws.start()
print(aws.endpoint, flush=True)
sys.stdin.read()
"""


def test_two_side_by_side_share_nothing_and_run_commands(tmp_path: Path) -> None:
    with AwsProcess(tmp_path / "a") as first, AwsProcess(tmp_path / "b") as second:
        server = Server(site := Site.create(first, document=DOCUMENT), site.add_license_server())
        other = Site(second)
        assert server.run("xlc list --product P; echo ok")["StandardOutputContent"] == "ok\n"
        assert other.client("sqs").list_queues().get("QueueUrls", []) == []
        assert other.client("ec2").describe_instances()["Reservations"] == []
        server.conduct(offline=True)
        command = server.send("echo back")
        assert server.look(command)["Status"] == "Pending"
        server.conduct()
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
    connect = f"import socket; socket.create_connection(({host!r}, {port}), timeout=1)"
    return subprocess.run([sys.executable, "-c", connect], stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_it_ends_with_its_parent_and_so_does_a_script_that_runs_in_it(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    endpoint = owner.stdout.readline().strip()
    aws = AwsProcess(tmp_path)
    aws.endpoint = endpoint
    aws.control = type(aws.control)(endpoint) if hasattr(aws, "control") else __import__("seatpool.sim.aws_control", fromlist=["AwsControl"]).AwsControl(endpoint)
    server = Server(site := Site.create(aws, document=DOCUMENT), site.add_license_server())
    command = server.send("echo $$ >$HOME/pid; exec sleep 60")
    server.until(command, "InProgress")
    pid_file = server.node.host.home / "pid"
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.01)
    pid = int(pid_file.read_text())
    os.kill(pid, 0)
    owner.kill()
    owner.communicate(timeout=5)
    deadline = time.monotonic() + 5
    while answers(endpoint) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(endpoint)
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
