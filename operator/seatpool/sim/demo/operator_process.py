"""Runs the operator as a user does, `seatpool run --config FILE`, in a process with no more rights than it needs."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from seatpool.sim.demo.options import DemoError
from seatpool.sim.lifeline import Lifeline

__all__ = ["OperatorProcess"]

GRACE = 15.0
LINES_SHOWN_OF_THE_LOG = 4
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LOGNAME", "USER")


class OperatorProcess:
    """One run of the operator. Its log is kept."""

    def __init__(self, directory: Path, settings: Mapping[str, Any]) -> None:
        self.config = directory / "settings.yaml"
        self.log = directory / "operator.log"
        self.config.write_text(yaml.safe_dump(dict(settings), sort_keys=False))
        self._lifeline = Lifeline()
        self._child: subprocess.Popen[bytes] | None = None
        self._url = ""

    def start(self, *, timeout: float = 60.0) -> None:
        """Starts it and returns when /readyz is ok."""
        # The AWS account and the cluster of this shell must not reach the process.
        environ = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        environ |= {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command: list[str | Path] = [sys.executable, "-m", "seatpool", "run", "--config", self.config]
        with self.log.open("wb") as output:
            self._child = self._lifeline.start(command, environ=environ, output=output)
        deadline = time.monotonic() + timeout
        while not self._is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"the operator was not ready within {timeout:g} s; {self._end_of_log()}")
            time.sleep(0.05)

    def check(self) -> None:
        """Raises DemoError if the process has ended."""
        if self._child is None or self._child.poll() is None:
            return
        raise DemoError(f"the operator ended with code {self._child.returncode}; {self._end_of_log()}")

    def stop(self) -> int | None:
        """Sends SIGTERM and returns the exit code. 0: a clean end. None: it had ended before."""
        child, self._child = self._child, None
        runs = child is not None and child.poll() is None
        if child is not None:
            self._lifeline.end(child, grace=GRACE)
        self._lifeline.close()
        return child.returncode if child is not None and runs else None

    def peak_memory(self) -> float:
        """Returns the most memory that it held, in MB. 0: the system does not tell."""
        if self._child is None:
            return 0.0
        try:
            status = Path(f"/proc/{self._child.pid}/status").read_text()
        except OSError:
            return 0.0
        kilobytes = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), "0")
        return round(int(kilobytes) / 1024, 1)

    def total(self, metric: str) -> float:
        """Returns the sum of a metric over its labels, from /metrics."""
        text = self._get("/metrics") or ""
        families = text_string_to_metric_families(text)
        return sum(sample.value for family in families for sample in family.samples if sample.name == metric)

    def _is_ready(self) -> bool:
        if not self._url and (port := self._port()) is not None:
            self._url = f"http://127.0.0.1:{port}"
        return bool(self._url) and self._get("/readyz") is not None

    def _port(self) -> int | None:
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("event") == "starting":
                return int(entry["port"])
        return None

    def _get(self, path: str) -> str | None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(self._url + path, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return None

    def _end_of_log(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return f"the end of {self.log}:" + "".join(f"\n    {line}" for line in lines[-LINES_SHOWN_OF_THE_LOG:])
