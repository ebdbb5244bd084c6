"""A real control plane for every test that asks for one: one in a session, and a namespace of its own for each test."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from seatpool.sim.controlplane import ControlPlane

REPOSITORY = Path(__file__).resolve().parent.parent

# How long an example takes says nothing on a machine that others use too.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """etcd and kube-apiserver with our CRDs. Without the programs tests fail: a skipped one looks like passed."""
    with ControlPlane() as plane:
        plane.install_crds(REPOSITORY / "crds")
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A fresh namespace. Nothing empties a deleted one here, so our objects in it are deleted one by one."""
    name = f"test-{secrets.token_hex(4)}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "seatpool", "--all", "--namespace", name, "--wait=false")
