"""A cluster on this machine without kind, registry or container engine: our control plane, and a node beside it.

`make e2e` runs it in PID, mount and network namespaces that end with it. The network has nothing but what is made here:
a bridge for the pods, and the address of the API server's Service, where the API server itself listens. So pods need
neither kube-proxy nor a packet filter to find it; DNS and other Services there are none.
"""

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.e2e_node.cluster import pause_image
from tests.e2e_node.cluster.node_settings import BRIDGE, PAUSE_IMAGE, POD_NETWORK, NodePlaces
from tests.e2e_node.cluster.own_node import OwnNode

from seatpool.sim import binaries
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.lifeline import Lifeline

__all__ = ["OwnCluster"]

API_ADDRESS = "10.0.0.1"
"""The first address of the control plane's range for Services is that of the Service `kubernetes`."""


class OwnCluster:
    """etcd, kube-apiserver, kube-controller-manager, kube-scheduler, containerd and kubelet."""

    kubeconfig: Path
    stand_in_host = f"{POD_NETWORK}.1"

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        programs = binaries.find_node()
        assert programs is not None, "no kubelet: make e2e provides it"
        self._lifeline = self._ending.enter_context(Lifeline())
        try:
            self._make_network()
            plane = ControlPlane(
                directory=self._directory / "control-plane",
                address=API_ADDRESS,
                port=443,
                with_pods=True,
                apiserver_flags=["--kubelet-preferred-address-types=InternalIP"],  # there is no DNS
            )
            self._plane = self._ending.enter_context(plane)
            self.kubeconfig = plane.kubeconfig
            self._start_controllers(programs)
            self._start_node(programs)
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def cut_power(self) -> None:
        self._node.cut_power()

    def power_on(self) -> None:
        self._node.power_on()

    def told(self) -> str:
        return self._node.told()

    def _make_network(self) -> None:
        for command in (
            f"ip link add {BRIDGE} type bridge",
            f"ip address add {POD_NETWORK}.1/24 dev {BRIDGE}",
            f"ip link set {BRIDGE} up",
            f"ip address add {API_ADDRESS}/32 dev lo",
        ):
            subprocess.run(command.split(), check=True)

    def _start_controllers(self, programs: Path) -> None:
        certificates = self._plane.ca_file
        common = ("--kubeconfig", self.kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1")
        self._start(
            programs / "kube-controller-manager",
            *common,
            f"--root-ca-file={certificates}",
            f"--service-account-private-key-file={certificates.with_suffix('.key')}",
        )
        self._start(programs / "kube-scheduler", *common)

    def _start(self, program: Path, *arguments: str | Path) -> None:
        with (self._directory / f"{program.name}.log").open("wb") as log:
            self._lifeline.start([program, *arguments], cwd=self._directory, output=log)

    def _start_node(self, programs: Path) -> None:
        places = NodePlaces(
            directory=self._directory / "node",
            cgroup=os.environ["SEATPOOL_E2E_CGROUP"],
            network_plugins=Path(os.environ["SEATPOOL_E2E_NETWORK_PLUGINS"]),
        )
        self._node = OwnNode(places, kubeconfig=self.kubeconfig, kubelet=programs / "kubelet", lifeline=self._lifeline)
        self._ending.callback(self._node.cut_power)
        self._node.power_on()
        pause = self._directory / "pause.tar"
        pause_image.write(programs / "pause", name=PAUSE_IMAGE, into=pause)
        for archive in (pause, Path(os.environ["SEATPOOL_E2E_IMAGE"])):
            self._node.load_image(archive)
