"""`seatpool run` as a process: where its settings come from, and how it ends. No API server answers it here."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import PATIENCE


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    """Of a server that takes no connection."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{unheard.getsockname()[1]}"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(config))
        yield path


@contextmanager
def running(log: Path, *arguments: str | Path, **environ: str) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "seatpool", "run", *map(str, arguments)],
            env=os.environ | environ,
            stdout=output,
            stderr=output,
        )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def line_of(log: Path, event: str, *, seconds: float = PATIENCE) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            entry: dict[str, Any] = json.loads(line)
            if entry["event"] == event:
                return entry
        time.sleep(0.05)
    raise AssertionError(f"no line {event!r} within {seconds:g} s: {log.read_text()}")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_0(kubeconfig: Path, tmp_path: Path, ending: signal.Signals) -> None:
    log = tmp_path / "log"
    with running(log, "--kubeconfig", kubeconfig, "--http-port", "0", "--installation", "test") as child:
        line_of(log, "starting")
        child.send_signal(ending)
        assert child.wait(timeout=PATIENCE) == 0
    assert line_of(log, "stopped")["level"] == "info"


def test_probes_answer_before_the_api_server_does(kubeconfig: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(log, "--kubeconfig", kubeconfig, "--http-port", "0", "--installation", "test"):
        base = f"http://127.0.0.1:{line_of(log, 'starting')['port']}"
        with urllib.request.urlopen(f"{base}/healthz", timeout=PATIENCE) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{base}/metrics", timeout=PATIENCE) as answer:
            assert b"process_resident_memory_bytes" in answer.read()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{base}/readyz", timeout=PATIENCE)
        assert refused.value.code == 503


def test_flags_win_over_the_environment_and_that_over_the_file(kubeconfig: Path, tmp_path: Path) -> None:
    config, log = tmp_path / "settings.yaml", tmp_path / "log"
    config.write_text(
        f"kubeconfig: {kubeconfig}\ninstallation: from-file\nlog: {{format: console, level: error}}\n"
        "http: {host: 127.0.0.1, port: 1}\n"
    )
    environ = {"SEATPOOL_LOG__FORMAT": "json", "SEATPOOL_HTTP__PORT": "2", "SEATPOOL_INSTALLATION": "from-environment"}
    with running(log, "--config", config, "--http-port", "0", "--log-level", "info", **environ):
        started = line_of(log, "starting")
    assert started["port"] > 1024
    assert started["installation"] == "from-environment"


def test_a_port_that_is_taken_is_said_in_one_line(kubeconfig: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = ("--kubeconfig", kubeconfig, "--http-host", "127.0.0.1", "--http-port", port)
        with running(log, *taken, "--installation", "test") as child:
            assert child.wait(timeout=PATIENCE) == 2
    assert log.read_text().splitlines()[-1].startswith(f"seatpool: http.host 127.0.0.1 http.port {port}: ")
