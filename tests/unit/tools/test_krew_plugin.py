"""The archive and the manifest that Krew takes."""

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import krew_plugin
import yaml


def wheel(folder: Path) -> Path:
    made = folder / "seatpool-9.9.9-py3-none-any.whl"
    made.write_bytes(b"wheel")
    return made


def test_the_same_wheel_gives_the_same_archive_to_the_byte(tmp_path: Path) -> None:
    assert krew_plugin.plugin(wheel(tmp_path)) == krew_plugin.plugin(wheel(tmp_path))


def test_the_archive_has_a_launcher_that_can_be_run_and_the_license(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(krew_plugin.plugin(wheel(tmp_path)))) as tar:
        modes = {entry.name: entry.mode for entry in tar.getmembers()}
    assert modes == {"kubectl-seatpool": 0o755, "seatpool-9.9.9-py3-none-any.whl": 0o644, "LICENSE": 0o644}


def test_the_manifest_names_the_archive_by_its_checksum() -> None:
    text = krew_plugin.manifest(
        version="9.9.9", homepage="https://x.example", uri="https://x.example/a.tar.gz", content=b"a"
    )
    made = yaml.safe_load(text)
    (platform,) = made["spec"]["platforms"]
    assert (made["metadata"]["name"], made["spec"]["version"]) == ("seatpool", "v9.9.9")
    assert (platform["uri"], platform["sha256"]) == ("https://x.example/a.tar.gz", hashlib.sha256(b"a").hexdigest())
    assert len(made["spec"]["shortDescription"]) <= 50
    assert "$" not in text


def test_a_launcher_without_its_wheel_says_what_to_do(tmp_path: Path) -> None:
    launcher = tmp_path / "kubectl-seatpool"
    launcher.write_bytes(krew_plugin.LAUNCHER.read_bytes())
    done = subprocess.run(["sh", launcher, "status"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"kubectl-seatpool: no wheel in {tmp_path}: install the plugin again\n"


def test_the_launcher_hands_everything_to_the_program_of_its_own_version(tmp_path: Path) -> None:
    launcher, cache = tmp_path / "kubectl-seatpool", tmp_path / "cache"
    launcher.write_bytes(krew_plugin.LAUNCHER.read_bytes())
    home = cache / "seatpool" / "plugin" / wheel(tmp_path).stem
    (home / "bin").mkdir(parents=True)
    (home / "ready").touch()
    program = home / "bin" / "kubectl-seatpool"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", launcher, "why", "a b"], env={"XDG_CACHE_HOME": str(cache), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "why\na b\n"
