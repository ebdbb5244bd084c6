"""`seatpool web` as a process: HTTPS, signals, and mistakes in its settings."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.integration.cli.conftest import Board
from tests.integration.web.conftest import AUDIENCE, allow_web, machine, recorded
from tests.waiting import wait_until

from seatpool.history.writing import write_rows
from seatpool.sim.controlplane import ControlPlane


@dataclass
class Started:
    """The process, and how to reach it."""

    process: subprocess.Popen[str]
    port: int
    certificate: Path
    token: str
    log: Path

    def connect(self) -> http.client.HTTPSConnection:
        trust = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection("localhost", self.port, timeout=30, context=trust)

    def ask(self, path: str) -> http.client.HTTPResponse:
        connection = self.connect()
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        return connection.getresponse()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.ask("/api/v1/me").status == 200
        except OSError:
            return False


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate for `localhost` that is its own authority, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(*form))
    return files


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "seatpool", "web", *flags]


@pytest.fixture
def started(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Started]:
    allow_web(control_plane, namespace)
    crt, key = certificate(tmp_path)
    port = free_port()
    settings = {
        "web": {"host": "127.0.0.1", "port": port, "tls_cert_file": str(crt), "tls_key_file": str(key)},
        "http": {"host": "127.0.0.1", "port": 0},
        "log": {"format": "json", "level": "debug"},
        "history": {"location": str(tmp_path / "history")},
    }
    write_rows(recorded(f"{namespace}/matlab"), tmp_path / "history")
    config, log = tmp_path / "settings.yaml", tmp_path / "log"
    config.write_text(yaml.safe_dump(settings))
    kubeconfig = control_plane.kubeconfig_for_service_account(namespace, "web")
    token = control_plane.kubectl("create", "token", "web", "-n", namespace, f"--audience={AUDIENCE}").strip()
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command("--config", str(config), "--kubeconfig", str(kubeconfig)), stderr=stderr, text=True
        )
    found = Started(process, port, crt, token, log)
    try:
        wait_until(found.is_ready, what="https")
        yield found
    finally:
        process.kill()
        process.wait()


def test_it_speaks_https_and_ends_its_streams_and_itself_at_sigterm(started: Started) -> None:
    stream = started.ask("/api/v1/events")
    assert stream.status == 200
    started.process.send_signal(signal.SIGTERM)
    rest = stream.read().decode()
    assert '{"id":"Stopping"' in rest
    assert started.process.wait(timeout=60) == 0
    text = started.log.read_text()
    assert '"event": "request"' in text
    assert started.token not in text
    assert started.token.rpartition(".")[2] not in text


def test_usage_is_computed_beside_the_process_and_does_not_hold_up_its_end(
    started: Started, control_plane: ControlPlane, namespace: str
) -> None:
    board = Board(control_plane, namespace)
    board.put(board.server(target=machine()), board.pool("matlab", seats=3))
    wait_until(lambda: started.ask(f"/api/v1/usage?pool={namespace}/matlab").status == 200)
    asked = started.connect()
    asked.request("GET", f"/api/v1/plan?pool={namespace}/matlab", headers={"Authorization": f"Bearer {started.token}"})
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(timeout=60) == 0
    assert "Traceback" not in started.log.read_text()


def test_plain_http_is_not_answered(started: Started) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", started.port, timeout=30)
    connection.request("GET", "/api/v1/me", headers={"Authorization": f"Bearer {started.token}"})
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["web.audience="], "web.audience"),
        (["web.tls_cert_file=/none"], "name both, or none of them"),
        (["web.tls_cert_file=/none", "web.tls_key_file=/none"], "No such file"),
        (["web.requests_per_minute=0"], "web.requests_per_minute"),
    ],
)
def test_a_mistake_in_the_settings_is_told_and_nothing_starts(settings: list[str], told: str, tmp_path: Path) -> None:
    flags = [part for one in settings for part in ("--set", one)]
    done = subprocess.run(
        command(*flags, "--port", "0", "--kubeconfig", str(tmp_path / "none")),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told(started: Started, tmp_path: Path) -> None:
    config = yaml.safe_load((tmp_path / "settings.yaml").read_text())
    config["web"] = {"host": "127.0.0.1", "port": started.port}
    (tmp_path / "second.yaml").write_text(yaml.safe_dump(config))
    kubeconfig = next(iter(started.process.args[started.process.args.index("--kubeconfig") + 1 :]))  # type: ignore[index, union-attr]
    done = subprocess.run(
        command("--config", str(tmp_path / "second.yaml"), "--kubeconfig", str(kubeconfig)),
        capture_output=True, text=True, timeout=60, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"web.port {started.port}" in done.stderr
    assert "Traceback" not in done.stderr
