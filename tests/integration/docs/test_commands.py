"""The commands in the guides, run as they are written and in their order, against a real API server that is new.

A block whose language is more than `sh` needs what is not here, and says so in its first line: an AWS account, nodes, Argo
CD, Flux, or time to build something.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from seatpool.sim import binaries
from seatpool.sim.controlplane import ControlPlane

REPOSITORY = Path(__file__).resolve().parents[3]
ELSEWHERE = {"aws", "node", "make", "argocd", "flux"}
BLOCK = re.compile(r"^```sh ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A working copy of the repository, with what `make infra` leaves in it."""
    for name in ("charts", "crds", "examples"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    sys.path.insert(0, str(REPOSITORY / "infra"))
    try:
        from seatpool_infra.operator_settings import chart_values
        from seatpool_infra.site import load_site
    finally:
        sys.path.pop(0)
    folder = tmp_path / "build" / "infra"
    folder.mkdir(parents=True)
    values = chart_values(load_site(REPOSITORY / "infra" / "site.example.yaml"))
    (folder / "values.yaml").write_text(yaml.safe_dump(values))
    return tmp_path


@pytest.fixture
def shell(clone: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody who has kubectl, helm and seatpool, and a cluster."""
    programs, helm = binaries.find(), binaries.find_helm()
    assert programs is not None
    assert helm is not None
    with ControlPlane() as plane:
        yield {
            "PATH": os.pathsep.join(map(str, (Path(sys.executable).parent, helm.parent, programs, os.environ["PATH"]))),
            "HOME": str(clone),
            "KUBECONFIG": str(plane.kubeconfig),
        }


def _until_explained(shell: dict[str, str]) -> None:
    """The API server publishes the schema of a new kind some seconds after the kind itself; a person is slower than that."""
    for _ in range(60):
        asked = subprocess.run(
            ["kubectl", "explain", "licensepool.spec"], env=shell, capture_output=True, text=True, check=False
        )
        if not asked.returncode:
            return
        time.sleep(0.5)
    raise AssertionError(asked.stderr)


def _until_refused(commands: str, clone: Path, shell: dict[str, str]) -> None:
    """Runs a command that has to be refused, until it is: a new policy takes effect a moment after it is stored."""
    for _ in range(120):
        asked = subprocess.run(
            ["bash", "-c", commands], cwd=clone, env=shell, capture_output=True, text=True, check=False
        )
        if asked.returncode:
            assert "forbidden" in asked.stderr, asked.stderr
            return
        time.sleep(0.5)
    raise AssertionError(f"{commands} is not refused")


@pytest.mark.parametrize("guide", ["install-eks.md", "gitops.md", "security.md"])
def test_a_guide_can_be_followed_line_by_line(guide: str, clone: Path, shell: dict[str, str]) -> None:
    blocks = BLOCK.findall((REPOSITORY / "docs" / guide).read_text())
    assert {language for language, _ in blocks if language} <= ELSEWHERE
    here = [commands for language, commands in blocks if not language]
    assert here
    for commands in here:
        if "kubectl explain" in commands:
            _until_explained(shell)
        assert "\n! " not in commands, "a command that has to fail is a block of its own"
        if commands.startswith("! "):
            _until_refused(commands.removeprefix("! "), clone, shell)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=clone,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"


def test_what_cannot_be_run_here_says_so_in_its_first_line() -> None:
    for language, word in (("aws", "# AWS"), ("node", "# node")):
        blocks = BLOCK.findall((REPOSITORY / "docs" / "install-eks.md").read_text())
        chosen = [commands for found, commands in blocks if found == language]
        assert chosen
        assert [commands for commands in chosen if not commands.startswith(word)] == []
