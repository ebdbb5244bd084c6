"""What a test of real pods asks of whoever provides the cluster."""

import os
from pathlib import Path
from typing import Protocol, Self

from seatpool.sim import binaries

__all__ = ["Cluster", "chosen", "helm", "kubectl"]


class Cluster(Protocol):
    """One node that runs pods, and the image is on it."""

    kubeconfig: Path
    stand_in_host: str
    """An address of this machine that pods reach: the stand-ins listen there."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def cut_power(self) -> None:
        """The node's processes end at once, and its pods with them."""

    def power_on(self) -> None:
        """The node starts again from its disk."""

    def told(self) -> str:
        """The ends of the node's own logs, for whoever looks into a failure."""


def chosen(directory: Path) -> Cluster:
    """The cluster that `make e2e` has prepared; nothing is started yet."""
    if os.environ["SEATPOOL_E2E"] == "kind":
        from tests.e2e_node.cluster.kind_cluster import KindCluster

        return KindCluster(directory)
    from tests.e2e_node.cluster.own_cluster import OwnCluster

    return OwnCluster(directory)


def kubectl() -> Path:
    """The pinned one."""
    programs = binaries.find()
    assert programs is not None, "no kubectl: make e2e provides it"
    return programs / "kubectl"


def helm() -> Path:
    """The pinned one."""
    found = binaries.find_helm()
    assert found is not None, "no helm: make e2e provides it"
    return found
