"""Runs `make e2e`: the image and the chart on a node that really runs pods.

It uses kind if kind is installed and docker answers. Else it creates a node on this machine, as root, in namespaces
that end with it. Unknown arguments are passed to pytest.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import controlplane_programs
import image
import own_machine
from progress import SetupError, say
from setup_steps import stop_on_signal
from whole import exclusive

from seatpool.sim.binaries import cache_dir

REPOSITORY = Path(__file__).resolve().parent.parent
TESTS = ["pytest", "tests/e2e_node"]


def by_kind(tests: list[str]) -> int:
    """Runs on a node of kind, which kind removes too."""
    image.build_with("docker")
    with tempfile.TemporaryDirectory(prefix="seatpool-e2e-") as directory:
        told = {
            "SEATPOOL_E2E": "kind",
            "SEATPOOL_E2E_DIRECTORY": directory,
            "SEATPOOL_E2E_IMAGE": image.name(),
        }
        return subprocess.run(tests, env=os.environ | told, cwd=REPOSITORY, check=False).returncode


def on_own_machine(tests: list[str]) -> int:
    """Runs on a node of this machine. Only one run at a time: a second one waits."""
    controlplane_programs.ensure_node(REPOSITORY / "tools" / "controlplane")
    told = {"SEATPOOL_E2E": "own", "SEATPOOL_E2E_IMAGE": str(image.archive())}
    with exclusive("e2e", cache=cache_dir()):
        return own_machine.run(tests, environ=os.environ | told, cwd=REPOSITORY)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make e2e ARGS=...", description=__doc__)
    parser.add_argument("--node", choices=("kind", "own"), help="who provides the node; default: kind if it can")
    parser.add_argument("--check", action="store_true", help="only tell whether a node can be had here")
    options, others = parser.parse_known_args()
    signal.signal(signal.SIGTERM, stop_on_signal)
    tests = [sys.executable, "-m", *TESTS, *others]
    try:
        if options.node != "own" and shutil.which("kind") and image.engine() == "docker":
            return 0 if options.check else by_kind(tests)
        if options.node == "kind":
            raise SetupError("kind is not on PATH, or docker does not answer: install kind and start docker")
        own_machine.check()
        return 0 if options.check else on_own_machine(tests)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("stopped; everything is cleaned up")
        return 130


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    sys.exit(main())
