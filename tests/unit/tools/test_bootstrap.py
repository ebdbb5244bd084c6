"""What the set-up says when something that it needs is missing, and when it has nothing to do."""

import shutil
import subprocess
import sys
from pathlib import Path

import bootstrap
import controlplane_programs
import pytest
import python_environment
from progress import SetupError, run

from seatpool.sim import binaries


def put_program(directory: Path, name: str, script: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)


def test_an_old_python_is_told_which_one_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(SystemExit, match=r"(?s)3\.11 or newer is needed.*is Python 3\.10\..*PYTHON=python3\.12"):
        bootstrap.refuse_old_python()


def test_a_machine_without_go_is_told_both_ways_out(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"needs go, .*install Go 1\.26 or newer.* or set KUBEBUILDER_ASSETS"):
        controlplane_programs.check_toolchain(tmp_path, {"PATH": str(tmp_path)})


def test_a_machine_without_git_is_told_so(tmp_path: Path) -> None:
    put_program(tmp_path, "go", "echo go1.26.8")
    with pytest.raises(SetupError, match=r"needs git, .*install git"):
        controlplane_programs.check_toolchain(tmp_path, {"PATH": str(tmp_path)})


@pytest.mark.parametrize("script", ["echo go1.25.11", "echo go1.9", "echo 'go.mod requires go >= 1.26.0' >&2; exit 1"])
def test_a_go_that_is_too_old_is_named(script: str, tmp_path: Path) -> None:
    put_program(tmp_path, "git", "exit 0")
    put_program(tmp_path, "go", script)
    with pytest.raises(SetupError, match=r"too old or broken \(go.*install Go 1\.26"):
        controlplane_programs.check_toolchain(tmp_path, {"PATH": str(tmp_path)})


@pytest.mark.parametrize("version", ["go1.26.8", "go1.27rc1", "go2.0"])
def test_a_go_that_is_new_enough_is_taken(version: str, tmp_path: Path) -> None:
    put_program(tmp_path, "git", "exit 0")
    put_program(tmp_path, "go", f"echo {version}")
    controlplane_programs.check_toolchain(tmp_path, {"PATH": str(tmp_path)})


def test_incomplete_kubebuilder_assets_are_said_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEATPOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    put_program(tmp_path / "assets", "etcd", "exit 0")
    binaries.named_dir().mkdir(parents=True)
    monkeypatch.setenv("SEATPOOL_ENVTEST_INDEX", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="needs go"):
        controlplane_programs.ensure(tmp_path)
    assert "has no executable kube-apiserver, kubectl" in capsys.readouterr().err


def test_a_failed_command_shows_the_end_of_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"thing failed with exit code 4 after 0 s:\n(.*\n)*.*line 99$") as caught:
        run("thing", ["sh", "-c", "seq -f 'line %g' 0 99; exit 4"], cwd=tmp_path, environ={"PATH": "/usr/bin:/bin"})
    assert "line 69" not in str(caught.value)


def test_an_environment_from_the_same_files_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATPOOL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "uv.lock").write_text("version = 1")
    calls = tmp_path / "calls"
    put_program(tmp_path / "bin", "uv", f'echo "$*" >> {calls}; mkdir -p .venv/bin; cp "$0" .venv/bin/python')
    uv = tmp_path / "cache" / f"uv-{python_environment.UV_VERSION}-{binaries.target()}" / "uv"
    uv.parent.mkdir(parents=True)
    shutil.copy(tmp_path / "bin" / "uv", uv)

    python_environment.ensure(tmp_path)
    python_environment.ensure(tmp_path)
    assert calls.read_text().splitlines() == [f"sync --frozen --all-extras --python {sys.executable}"]

    (tmp_path / "uv.lock").write_text("version = 2")
    python_environment.ensure(tmp_path)
    (tmp_path / ".venv" / "bin" / "python").unlink()
    python_environment.ensure(tmp_path)
    assert len(calls.read_text().splitlines()) == 3


def test_help_names_the_settings() -> None:
    script = Path(bootstrap.__file__)
    shown = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True).stdout
    for setting in ("SEATPOOL_CACHE", "KUBEBUILDER_ASSETS", "SEATPOOL_ENVTEST_INDEX"):
        assert setting in shown
