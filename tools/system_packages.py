"""Installs system programs that are rarely there, if this user may, and else says what to install."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from progress import SetupError, run, say

PLACES = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin:/usr/lib/cni:/opt/cni/bin"
"""Folders where a program may be. Root's tools are not on every user's PATH."""


def ensure(needed: Mapping[str, str], *, why: str) -> None:
    """Installs the Debian packages of the missing programs. Raises SetupError if that is not possible."""
    packages = {package for program, package in needed.items() if not find(program)}
    if not packages:
        return
    names = " ".join(sorted(packages))
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SetupError(f"{why} needs {', '.join(p for p in needed if not find(p))}: as root, apt-get install {names}")
    say(f"installing {names}")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *sorted(packages)]
    if subprocess.run(install, env=environ, capture_output=True, check=False).returncode:
        # The lists of a fresh system are empty or old.
        run("apt-get update", ["apt-get", "update", "-qq"], cwd=Path("/"), environ=environ)
        run("apt-get install", install, cwd=Path("/"), environ=environ)
    if missing := [program for program in needed if not find(program)]:
        raise SetupError(f"{why} needs {', '.join(missing)}, which {names} did not bring")


def find(program: str) -> str | None:
    """Returns the path of the program. None: it is missing."""
    return shutil.which(program, path=PLACES)
