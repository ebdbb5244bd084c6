"""What a pod knows of itself, and what is known outside one."""

import socket
from pathlib import Path

import pytest

from seatpool.kube import pod


@pytest.fixture(autouse=True)
def no_pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Wherever these tests run: nowhere, with a file for the namespace that can be made."""
    for name in ("POD_NAME", "POD_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pod, "NAMESPACE_FILE", tmp_path / "namespace")
    return tmp_path / "namespace"


def test_outside_a_cluster_the_host_has_a_name_and_nobody_a_namespace() -> None:
    assert pod.own_name() == socket.gethostname()
    assert pod.own_namespace() is None


def test_the_downward_api_names_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAME", "seatpool-7d9c5b6f4-abcde")
    assert pod.own_name() == "seatpool-7d9c5b6f4-abcde"


def test_the_namespace_is_that_of_the_service_account_unless_the_downward_api_says_so(
    monkeypatch: pytest.MonkeyPatch, no_pod: Path
) -> None:
    no_pod.write_text("licenses\n")
    assert pod.own_namespace() == "licenses"
    monkeypatch.setenv("POD_NAMESPACE", "seatpool")
    assert pod.own_namespace() == "seatpool"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff"])
def test_a_file_that_names_nothing_is_none(no_pod: Path, content: bytes) -> None:
    no_pod.write_bytes(content)
    assert pod.own_namespace() is None
