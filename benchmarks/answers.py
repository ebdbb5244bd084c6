"""Measures `seatpool status` and `seatpool why` in the large installation, from the start of the process to its end.

Two references in the same run: a process that lists the same Workbenches from the API server's cache with aiohttp and
does nothing with them, and one that imports what such a command needs and makes no request.
"""

import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet_of_many import NAMESPACE, workbenches_of
from benchmarks.measured import MeasuredProcess
from benchmarks.site import Place

REPEATS = 3


@dataclass(frozen=True, slots=True)
class Answers:
    """Medians in seconds."""

    objects: int
    status: float
    why_waiting: float
    """`why` of a user who waits. It also computes what would have to happen."""
    why_seated: float
    start: float
    """Time that Python takes to start and to import the modules for the requests."""
    listing: float


def measure(place: Place, workbenches: int, *, say: Callable[[str], None], repeats: int = REPEATS) -> Answers:
    """Measures in an installation whose operator has finished: every list is in sync and every status is written."""
    waiting, seated = _people(place)
    say(f"asked about {waiting}, who waits, and {seated}, who has every seat")
    rounds = [
        (
            _seatpool(place, "status"),
            _seatpool(place, "why", waiting, problems=True),
            _seatpool(place, "why", seated),
            _start(place),
            _list(place, workbenches),
        )
        for _ in range(repeats)
    ]
    found = Answers(workbenches, *(statistics.median(times) for times in zip(*rounds, strict=True)))
    say(
        f"status {found.status:.2f} s, why {found.why_waiting:.2f} and {found.why_seated:.2f} s, "
        f"start alone {found.start:.2f} s, plain LIST {found.listing:.2f} s"
    )
    return found


def _people(place: Place) -> tuple[str, str]:
    """Returns a user whose workbenches wait and one whose do not."""
    waits: dict[str, bool] = {}
    for one in workbenches_of(place, NAMESPACE):
        waiting = any(seat["phase"] == "Waiting" for seat in one["status"].get("seats", ()))
        owner = one["spec"]["owner"]
        waits[owner] = waits.get(owner, False) or waiting
    return min(user for user in waits if waits[user]), min(user for user in waits if not waits[user])


def _seatpool(place: Place, *words: str, problems: bool = False) -> float:
    """Runs one command. `problems` tells whether it has something to report."""
    options = ["-n", NAMESPACE, "--kubeconfig", str(place.plane.kubeconfig)]
    return _run(place, ["-m", "seatpool", *words, *options], code=int(problems))


def _start(place: Place) -> float:
    return _run(place, ["-c", "import seatpool.cli.main, seatpool.cli.inspect_verbs"])


def _list(place: Place, size: int) -> float:
    seconds = _run(place, ["-m", "benchmarks.plain_list", str(place.plane.kubeconfig), NAMESPACE, "--cached"])
    told = json.loads(_log(place).read_text())
    if told["objects"] != size:
        raise RuntimeError(f"the LIST has {told['objects']} objects, not {size}")
    return seconds


def _run(place: Place, arguments: list[str], *, code: int = 0) -> float:
    log = _log(place)
    log.unlink(missing_ok=True)
    with MeasuredProcess(arguments, log=log) as process:
        seconds = process.wait(seconds=120)
        if process.child.returncode != code:
            raise RuntimeError(
                f"{' '.join(arguments)} ended with {process.child.returncode}: {log.read_text()[-2000:]}"
            )
        return seconds


def _log(place: Place) -> Path:
    return place.directory / "answer.log"
