"""The wheel and the plugin are built as the pages say, and the plugin's launcher runs what is in the wheel."""

import hashlib
import os
import site
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from tests.integration.docs.pages import REPOSITORY

NO_INDEX = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "tools/wheel.py", "--dist", folder, "--homepage", "https://git.example/seatpool"]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return folder


def run(*command: str | Path, cache: Path) -> str:
    """The packages that the wheel needs come from the environment of the tests, and not from an index."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(cache),
        "XDG_CACHE_HOME": str(cache),
        "SEATPOOL_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(site.getsitepackages()),
        **NO_INDEX,
    }
    done = subprocess.run(list(map(str, command)), env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_plugin_that_krew_would_unpack_runs_by_itself(dist: Path, tmp_path: Path) -> None:
    manifest = yaml.safe_load((dist / "seatpool.yaml").read_text())
    (platform,) = manifest["spec"]["platforms"]
    archive = dist / platform["uri"].rpartition("/")[2]
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == platform["sha256"]
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "store", filter="data")
    (tmp_path / "bin").mkdir()
    plugin = tmp_path / "bin" / "kubectl-seatpool"
    plugin.symlink_to(tmp_path / "store" / platform["bin"])
    for _ in range(2):
        assert run(plugin, "version", cache=tmp_path / "cache").strip() == manifest["spec"]["version"].removeprefix("v")
    assert "status" in run(plugin, "--help", cache=tmp_path / "cache")


def test_the_wheel_alone_gives_the_program_and_the_plugin(dist: Path, tmp_path: Path) -> None:
    """What pipx does: an environment of its own, and the wheel in it."""
    (wheel,) = dist.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "venv", cache=tmp_path)
    run(tmp_path / "venv/bin/python", "-m", "pip", "install", "--quiet", wheel, cache=tmp_path)
    for program in ("seatpool", "kubectl-seatpool"):
        assert "why" in run(tmp_path / "venv/bin" / program, "--help", cache=tmp_path)
