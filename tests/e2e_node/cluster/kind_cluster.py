"""A cluster by kind, where docker can pull its node image: a laptop with Linux, or a hosted CI."""

import os
import subprocess
from pathlib import Path
from typing import Self

__all__ = ["KindCluster"]


class KindCluster:
    """One node in a container, which is removed at the end. Docker has the operator's image already."""

    stand_in_host: str

    def __init__(self, directory: Path) -> None:
        self._image = os.environ["SEATPOOL_E2E_IMAGE"]
        self._name = f"seatpool-e2e-{os.getpid()}"
        self._node = f"{self._name}-control-plane"
        self.kubeconfig = directory / "kind.kubeconfig"

    def __enter__(self) -> Self:
        try:
            self._kind("create", "cluster", "--kubeconfig", str(self.kubeconfig), "--wait", "180s")
            archive = self.kubeconfig.with_name("image.tar")
            self._run("docker", "save", "--output", str(archive), self._image)
            self._kind("load", "image-archive", str(archive))
            gateways = "{{range .IPAM.Config}}{{if .Gateway}}{{.Gateway}} {{end}}{{end}}"
            found = self._run("docker", "network", "inspect", "kind", "--format", gateways).split()
            self.stand_in_host = next(address for address in found if ":" not in address)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._kind("delete", "cluster", "--kubeconfig", str(self.kubeconfig))

    def cut_power(self) -> None:
        self._run("docker", "kill", self._node)

    def power_on(self) -> None:
        self._run("docker", "start", self._node)

    def told(self) -> str:
        return self._run("docker", "logs", "--tail", "40", self._node)

    def _kind(self, *arguments: str) -> None:
        self._run("kind", *arguments, "--name", self._name)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout
