"""Starts a real Kubernetes API without a cluster: etcd and kube-apiserver as child processes, ready in about 3 s.

A stand-in for the API server would share our misreadings of it. The real one checks schemas and CEL rules, decides
RBAC, merges server-side apply, cuts watches and expires resource versions as in production.

No controller-manager runs. So owner references are not collected, a deleted namespace stays in `Terminating`, the
ServiceAccount `default` does not appear, and no pods are created. Tokens of service accounts come from the TokenRequest
API of kube-apiserver.

Measured on 2 cores: switching off more admission plugins saves neither start-up time nor memory.
"""

import base64
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from seatpool.domain.errors import SeatpoolError
from seatpool.sim import binaries
from seatpool.sim.lifeline import Lifeline

__all__ = ["ControlPlane", "ControlPlaneError", "KubectlError"]

HOST = "127.0.0.1"

LINES_SHOWN_OF_A_LOG = 15


class ControlPlaneError(SeatpoolError):
    """The control plane cannot be started. The message names the program that failed and its last output."""


class KubectlError(SeatpoolError):
    """kubectl failed. The message is its own."""


class ControlPlane:
    """etcd and kube-apiserver on free loopback ports, with RBAC on. Several can run side by side.

    The ports stay reserved while the control plane lives, also while the API server is down. So kubeconfigs stay valid
    over a restart.
    """

    def __init__(
        self,
        *,
        directory: Path | None = None,
        programs: Path | None = None,
        address: str = HOST,
        port: int = 0,
        with_pods: bool = False,
        apiserver_flags: Sequence[str] = (),
    ) -> None:
        """Prepares a control plane. `directory` gets data, logs and kubeconfigs and is kept. None: a temporary one.

        The API server listens on `address` and `port`. Port 0 takes a free one. `with_pods` is for callers that add a
        node: pods then get the token of a ServiceAccount, which the caller has to create.
        """
        self._address, self._port, self._with_pods = address, port, with_pods
        self._apiserver_flags = tuple(apiserver_flags)
        self._programs = programs or binaries.find()
        self._kept = directory is not None
        self._chosen = directory
        self._running = False
        self._apiserver: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"https://{self._address}:{self._api_port.number}"

    @property
    def kubeconfig(self) -> Path:
        """Returns the administrator's kubeconfig (group system:masters)."""
        return self.directory / "admin.kubeconfig"

    @property
    def ca_file(self) -> Path:
        return self.directory / "certs" / "apiserver.crt"

    def start(self) -> None:
        """Starts both programs and returns when the API server is ready."""
        if self._programs is None:
            raise ControlPlaneError(
                f"no folder with {', '.join(binaries.PROGRAMS)}: neither KUBEBUILDER_ASSETS nor {binaries.named_dir()} "
                "has them; run make bootstrap"
            )
        self.directory = (self._chosen or Path(tempfile.mkdtemp(prefix="seatpool-controlplane-"))).absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lifeline = Lifeline()
        self._api_port = _Port(address=self._address, number=self._port)
        self._etcd_port, self._peer_port = _Port(), _Port()
        self._running = True
        try:
            self._token = secrets.token_urlsafe(24)
            _write_private(self.directory / "tokens.csv", f"{self._token},admin,admin,system:masters\n")
            self._start_etcd()
            self.start_apiserver()
            _write_private(self.kubeconfig, self._kubeconfig(user="admin", token=self._token))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Kills both programs at once. Their data is not needed any more. Stopping again does nothing."""
        if not self._running:
            return
        self._running = False
        self._lifeline.close()
        for port in (self._api_port, self._etcd_port, self._peer_port):
            port.close()
        if not self._kept:
            shutil.rmtree(self.directory, ignore_errors=True)

    def kill_apiserver(self) -> None:
        """Kills the API server with SIGKILL. Clients see refused connections until `start_apiserver`."""
        if self._apiserver is not None:
            self._lifeline.end(self._apiserver)
            self._apiserver = None

    def start_apiserver(self, *, timeout: float = 60.0) -> None:
        """Starts the API server on its port and data, and waits until it is ready. A running one is killed first."""
        self.kill_apiserver()  # two of them would share the port without an error
        certs = self.directory / "certs"
        # kube-apiserver makes certs/apiserver.{crt,key} where they are missing, before it reads the key for tokens.
        apiserver = self._apiserver = self._run(
            "kube-apiserver",
            f"--etcd-servers={self._etcd_port.url}",
            f"--bind-address={self._address}",
            f"--secure-port={self._api_port.number}",
            "--permit-port-sharing",
            f"--cert-dir={certs}",
            f"--service-account-key-file={certs / 'apiserver.key'}",
            f"--service-account-signing-key-file={certs / 'apiserver.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            *(() if self._with_pods else ("--disable-admission-plugins=ServiceAccount",)),
            "--enable-priority-and-fairness=false",
            *self._apiserver_flags,
        )
        deadline = time.monotonic() + timeout
        while not self._is_ready():
            for name, process in (("etcd", self._etcd), ("kube-apiserver", apiserver)):
                if process.poll() is not None:
                    raise ControlPlaneError(f"{name} ended with code {process.returncode}:\n{self._end_of_log(name)}")
            if time.monotonic() > deadline:
                raise ControlPlaneError(
                    f"kube-apiserver was not ready within {timeout:g} s:\n{self._end_of_log('kube-apiserver')}"
                )
            time.sleep(0.05)

    @property
    def kubectl_file(self) -> Path:
        """The kubectl that belongs to the API server."""
        assert self._programs is not None  # noqa: S101
        return self._programs / "kubectl"

    def kubectl(self, *arguments: str | Path, input: str | None = None, timeout: float = 60.0) -> str:  # noqa: A002
        """Runs kubectl as administrator, with `input` on its standard input, and returns its output.

        Raises KubectlError.
        """
        assert self._programs is not None  # noqa: S101
        environ = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
        done = subprocess.run(  # noqa: S603
            [self.kubectl_file, "--kubeconfig", self.kubeconfig, *arguments],
            # Another control plane may have had this port before, with other resources to discover.
            env=environ | {"KUBECACHEDIR": str(self.directory / "kubectl-cache")},
            input=input or "",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def install_crds(self, directory: Path, *, timeout: float = 10.0) -> None:
        """Applies the CRDs in `directory` and returns when their objects can be used at full speed."""
        applied = self.kubectl("apply", "--server-side", "--output=name", "--filename", directory).split()
        self.kubectl("wait", "--for=condition=Established", *applied)
        self.until_served([name.partition("/")[2] for name in applied], timeout=timeout)

    def delete_crds(self, *, timeout: float = 60.0) -> None:
        """Deletes all CRDs with their objects."""
        names = self.kubectl("get", "customresourcedefinitions", "--output=name").split()
        if names:
            self.until_served([name.partition("/")[2] for name in names], timeout=timeout)
            self.kubectl("delete", "customresourcedefinitions", "--all", timeout=2 * timeout)

    def until_served(self, resources: Sequence[str], *, timeout: float = 10.0) -> None:
        """Waits until the API server has the watch caches of these resources.

        The condition `Established` comes too early. Discovery follows a moment later, and the first watch or delete of
        each resource is answered by 429 with a second to wait, because its watch cache is only then created. A list
        creates it at once. A CRD that is deleted before then was seen to stay for minutes: "could not list instances:
        storage is (re)initializing", and nothing retries.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.kubectl("get", ",".join(resources), "--all-namespaces")
                return
            except KubectlError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def kubeconfig_for_service_account(self, namespace: str, name: str) -> Path:
        """Returns a kubeconfig that acts as this existing ServiceAccount for a day, with its RBAC rights."""
        token = self.kubectl("create", "token", name, "--namespace", namespace, "--duration=24h").strip()
        path = self.directory / f"{namespace}.{name}.kubeconfig"
        _write_private(path, self._kubeconfig(user=name, token=token, namespace=namespace))
        return path

    def _start_etcd(self) -> None:
        self._etcd = self._run(
            "etcd",
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={self._etcd_port.url}",
            f"--advertise-client-urls={self._etcd_port.url}",
            f"--listen-peer-urls={self._peer_port.url}",
            f"--initial-advertise-peer-urls={self._peer_port.url}",
            f"--initial-cluster=default={self._peer_port.url}",
            "--socket-reuse-port",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        assert self._programs is not None  # noqa: S101
        # With so few objects Go would collect garbage all the time.
        environ = {"GOGC": "400", **os.environ}
        with self._log(program).open("ab") as log:
            return self._lifeline.start(
                [self._programs / program, *arguments], cwd=self.directory, output=log, environ=environ
            )

    def _log(self, program: str) -> Path:
        return self.directory / f"{program}.log"

    def _end_of_log(self, program: str) -> str:
        lines = self._log(program).read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LINES_SHOWN_OF_A_LOG:])

    def _is_ready(self) -> bool:
        request = urllib.request.Request(f"{self.url}/readyz", headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310
        try:
            trust = ssl.create_default_context(cafile=self.ca_file)
            with urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
            ).open(request, timeout=5):
                return True
        except OSError:
            return False

    def _kubeconfig(self, *, user: str, token: str, namespace: str = "default") -> str:
        authority = base64.b64encode(self.ca_file.read_bytes()).decode()
        config: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "local", "cluster": {"server": self.url, "certificate-authority-data": authority}},
            ],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": user, "namespace": namespace}}],
            "current-context": "local",
        }
        return json.dumps(config, indent=2)


class _Port:
    """A free port that no other process is given while it is held.

    The socket is bound but never listens. The program that gets the number shares it by SO_REUSEPORT. The usual way
    closes the socket first, and another process may then take the number.
    """

    def __init__(self, *, address: str = HOST, number: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((address, number))
        self.number: int = self._socket.getsockname()[1]
        self.url = f"http://{address}:{self.number}"

    def close(self) -> None:
        self._socket.close()


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)
