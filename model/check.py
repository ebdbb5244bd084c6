"""Checks fence.pml exhaustively: what is right has no error, and what is wrong on purpose has one."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MODEL = Path(__file__).with_name("fence.pml")
SMALL = ("CHANGES=1", "CRASHES=1")


class Case(NamedTuple):
    """One search."""

    name: str
    defines: tuple[str, ...]
    is_right: bool = True


CASES = (
    Case("as designed, without ever reading back", ("CHANGES=2", "CRASHES=1", "NO_VERIFY")),
    Case("two crashes", ("CHANGES=1", "CRASHES=2", "NO_VERIFY")),
    Case("commands that run twice", (*SMALL, "REPEATS=2", "NO_VERIFY")),
    Case("with reading back", ("CHANGES=2", "CRASHES=1")),
    Case("a status restored from a backup", (*SMALL, "BACKUP")),
    Case("a second installation", ("CHANGES=1", "CRASHES=0", "OWNERS")),
    Case("no fence", (*SMALL, "NO_VERIFY", "NO_FENCE"), is_right=False),
    Case(
        "the list before the status, and no look back", (*SMALL, "NO_VERIFY", "STALE_FIRST", "NO_WATCH"), is_right=False
    ),
    Case("no compare-and-swap, and no look back", (*SMALL, "NO_VERIFY", "NO_CAS", "NO_WATCH"), is_right=False),
    Case("a backup, and nobody reads back", (*SMALL, "BACKUP", "NO_VERIFY"), is_right=False),
    Case("a fence without an owner", (*SMALL, "OWNERS", "NO_OWNER"), is_right=False),
)


def main() -> None:
    needed = {"spin": "spin (Debian and Ubuntu: apt-get install spin)", "cc": "a C compiler (apt-get install gcc)"}
    missing = [text for program, text in needed.items() if shutil.which(program) is None]
    if missing:
        sys.exit(f"make model needs {' and '.join(missing)}: not on PATH")
    surprises = [case.name for case in CASES if not _is_as_expected(case)]
    if surprises:
        sys.exit(f"not as expected: {'; '.join(surprises)}")


def _is_as_expected(case: Case) -> bool:
    began = time.monotonic()
    errors, states, why = _search(case.defines)
    seconds = time.monotonic() - began
    found = f"error, as it must: {why}" if errors else "no error"
    as_expected = case.is_right != bool(errors)
    print(f"{'ok  ' if as_expected else 'BAD '} {case.name}: {found} ({states:,} states, {seconds:.1f} s)", flush=True)
    return as_expected


def _search(defines: Sequence[str]) -> tuple[int, int, str]:
    """Errors, states and what was violated."""
    with tempfile.TemporaryDirectory(prefix="seatpool-model-") as folder:
        _run(["spin", "-a", *(f"-D{define}" for define in defines), str(MODEL)], folder)
        _run(["cc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"], folder)
        output = _run(["./pan", "-E", "-m200000"], folder)  # -E: operators that reach a bound of the model rest there
    if "max search depth too small" in output or "out of memory" in output:
        sys.exit(f"the search was not exhaustive:\n{output}")
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    why = re.search(r"pan:1: (.*?) \(at depth", output)
    if errors is None or states is None:
        sys.exit(f"pan did not say what it found:\n{output}")
    return int(errors[1]), int(states[1]), " ".join(why[1].split()) if why else ""


def _run(command: Sequence[str], folder: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
