"""Runs an AWS stand-in for unmodified boto3 clients: moto over real HTTP, with an SSM that runs scripts.

The backends of moto are global in a process. So two stand-ins in one process are one AWS with two addresses.
Independent ones need two processes: `AwsProcess`, which runs `python -m seatpool.sim.aws` on a lifeline.
"""

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from seatpool.domain.errors import SeatpoolError
from seatpool.sim.aws_control import AwsControl
from seatpool.sim.aws_front import Front
from seatpool.sim.ec2_past import name_all_unknown_ids
from seatpool.sim.lifeline import Lifeline
from seatpool.sim.quick_queues import make_queues_quick
from seatpool.sim.ssm.api import RunCommand

__all__ = ["AwsProcess", "AwsStandIn", "AwsStandInError"]

HOST = "127.0.0.1"


class AwsStandInError(SeatpoolError):
    """The process of the stand-in did not start. The message has its output."""


class AwsStandIn:
    """AWS stand-in in this process. Give `endpoint` to boto3, with any credentials."""

    def __init__(self, directory: Path, *, host: str = HOST, port: int = 0) -> None:
        """Prepares the stand-in. `directory` may hold the homes of nodes. Port 0 takes a free one."""
        self.directory = directory.absolute()
        self._host, self._port = host, port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        make_queues_quick()
        name_all_unknown_ids()
        self._lifeline = Lifeline()
        self._run_command = RunCommand(self._lifeline)
        front = Front(DomainDispatcherApplication(create_backend_app), self._run_command)
        self._server = make_server(self._host, self._port, front, threaded=True, request_handler=_QuietHandler)
        self.endpoint = f"http://{self._host}:{self._server.server_port}"
        self.control = AwsControl(self.endpoint)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="aws", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Refuses new requests and kills every script that runs."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._run_command.close()
        self._lifeline.close()


class AwsProcess:
    """AWS stand-in in a process of its own, with its own backends. It ends with this process at the latest."""

    def __init__(self, directory: Path, *, host: str = HOST, port: int = 0) -> None:
        self.directory = directory.absolute()
        self._host, self._port = host, port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *, timeout: float = 60.0) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lifeline = Lifeline()
        log = self.directory / "aws.log"
        options = ["--host", self._host, "--port", str(self._port), "--directory", str(self.directory)]
        command = [sys.executable, "-m", "seatpool.sim.aws", *options]
        with log.open("wb") as output:
            self._child = self._lifeline.start(command, output=output)
        deadline = time.monotonic() + timeout
        while (ready := _ready_line(log)) is None:
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AwsStandInError(f"port {self._port}: not ready within {timeout:g} s: {log.read_text()[-2000:]}")
            time.sleep(0.01)
        self.endpoint = str(ready["endpoint"])
        self.control = AwsControl(self.endpoint)

    def stop(self) -> None:
        """Kills the process with SIGKILL. Its state is lost."""
        self._lifeline.end(self._child)
        self._lifeline.close()


class _QuietHandler(MotoRequestHandler):
    def log_request(self, *_: object) -> None:
        """Logs nothing: no line for each request is needed."""


def _ready_line(log: Path) -> dict[str, Any] | None:
    for line in log.read_text(errors="replace").splitlines(keepends=True):
        if line.startswith('{"endpoint"') and line.endswith("\n"):
            document: dict[str, Any] = json.loads(line)
            return document
    return None


def _serve(directory: Path, *, host: str, port: int) -> None:
    """Serves until SIGTERM, SIGINT or the end of the parent process."""
    parent, ended = os.getppid(), threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with AwsStandIn(directory, host=host, port=port) as aws:
        sys.stdout.write(json.dumps({"endpoint": aws.endpoint, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        while os.getppid() == parent and not ended.wait(0.2):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m seatpool.sim.aws", description=__doc__)
    parser.add_argument("--host", default=HOST, help="another address than the loopback one lets pods in")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--directory", type=Path, required=True, help="where nodes' homes may be kept")
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _serve(given.directory, host=given.host, port=given.port)


if __name__ == "__main__":
    main()
