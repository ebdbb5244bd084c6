"""Runs the steps of the set-up, and has its command line: first the programs of Python, then those of the control plane."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import controlplane_programs
import python_environment
from progress import SetupError, say

REPOSITORY = Path(__file__).resolve().parent.parent


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Makes .venv from uv.lock and provides etcd, kube-apiserver, kubectl and helm. Safe to repeat.",
        epilog="SEATPOOL_CACHE moves the cache (default ~/.cache/seatpool); KUBEBUILDER_ASSETS names a folder with "
        "ready programs; SEATPOOL_ENVTEST_INDEX names another index of ready-made programs, empty = do not download.",
    )
    parser.add_argument("--no-controlplane", action="store_true", help="only the Python environment")
    parser.add_argument("--no-helm", action="store_true", help="all but helm, which only tests of the chart need")
    parser.add_argument("--print-assets", action="store_true", help="print the folder with the control-plane programs")
    return parser.parse_args(arguments)


def stop_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    signal.signal(signal.SIGTERM, stop_on_signal)
    try:
        python_environment.ensure(REPOSITORY)
        if not options.no_controlplane:
            module = REPOSITORY / "tools" / "controlplane"
            assets = controlplane_programs.ensure(module)
            if not options.no_helm:
                controlplane_programs.ensure_helm(module)
            if options.print_assets:
                print(assets)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("stopped; run it again to go on")
        return 130
    return 0
