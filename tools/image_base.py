"""Makes a base image for machines that cannot pull one: Debian with Python, by debootstrap.

It replaces `python:3.13-slim` during the build. The final image has only the files of it that the operator needs, so it
need not be small.
"""

import shutil
import subprocess
from pathlib import Path

import system_packages
from progress import run
from whole import exclusive, folder

from seatpool.sim.binaries import cache_dir, target

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3", "python3-venv")


def ensure() -> Path:
    """Returns the archive of the root file system of the base image, from the cache if it is there."""
    home = cache_dir() / f"base-{SUITE}-{target()}"
    with exclusive(home.name, cache=home.parent):
        if not (home / "root.tar").exists():
            system_packages.ensure({"debootstrap": "debootstrap", "unshare": "util-linux"}, why="a base image")
            with folder(home) as partial:
                _make(partial)
    return home / "root.tar"


def _make(into: Path) -> None:
    root = into / "root"
    try:
        # In a mount namespace: what debootstrap mounts is gone with it, also when it fails.
        run(
            f"debootstrap {SUITE}",
            ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root],
            cwd=into,
            environ={"PATH": system_packages.PLACES, "DEBIAN_FRONTEND": "noninteractive"},
        )
        for archive in (root / "var" / "cache" / "apt").rglob("*.deb"):
            archive.unlink()
        subprocess.run(["tar", "--numeric-owner", "-cf", into / "root.tar", "-C", root, "."], check=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
