"""Repeats: load, a fault, rest. The exit code is 1 if anything was violated."""

import argparse
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.site import ACCOUNT, REGION, Place, pool
from benchmarks.soak.checker import Checker
from benchmarks.soak.faults import EVENTS, Faults
from benchmarks.soak.life import Life, PoolFacts, Record, login_of
from benchmarks.soak.statuses import StatusChecker
from seatpool.sim.fleet import Fleet

NAMESPACE = "soak"
PEOPLE = [f"person{number}" for number in range(24)]
POOLS = (
    PoolFacts("cad", 0, 6, "vew-cad"),
    PoolFacts("cad-extra", 0, 30, "vew-cad"),
    PoolFacts("matlab", 1, 8, "vew-matlab"),
    PoolFacts("matlab-extra", 0, 30, "vew-matlab"),
)
TYPES = ("vew-cad", "vew-matlab")
LIFE_BEFORE, LIFE_DURING, STEP = 4.0, 5.0, 0.25
CONVERGENCE_LIMIT = 120.0
REST = 2.0
"""Lists must stay right for so many seconds."""
GROWTH_ALLOWED = 1.25


@dataclass
class SoakResult:
    """Result of the run."""

    converged: dict[str, list[float]] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    console = Console()
    console.print(f"soak of {given.minutes:g} minutes, seed {given.seed}")
    result, violations, steps, writes = run(given.minutes, given.seed, console)
    _print(console, result, violations, steps, writes)
    sys.exit(bool(violations))


def run(minutes: float, seed: int, console: Console) -> tuple[SoakResult, list[str], int, int]:
    rng = random.Random(seed)
    result = SoakResult()
    with Place(servers=2) as place:
        place.namespace(NAMESPACE)
        place.apply(
            place.server(NAMESPACE, number, verifyInterval="5s", timeout="10s") for number in range(len(place.nodes))
        )
        place.apply(_pool(facts) for facts in POOLS)
        for facts in POOLS:
            place.nodes[facts.server].host.seats(facts.product, facts.seats)
        offset = place.directory / "clock-offset"
        offset.write_text("0")
        mapping = place.directory / "owners.csv"
        mapping.write_text("owner,user\n" + "".join(f"{login_of(user)},{user}\n" for user in PEOPLE))
        numbers = iter(range(1_000_000))
        program = ("-m", "benchmarks.soak.stepping_operator", str(offset))
        start = lambda elected: place.operator(  # noqa: E731
            f"operator-{next(numbers)}", program=program, **_settings(place, mapping=mapping, elected=elected)
        )
        record = Record()
        hosts = [node.host for node in place.nodes]
        fleet = Fleet(
            place.site.endpoint, region=REGION, account=ACCOUNT, queue_url=place.site.queue_url, troubles=EVENTS,
            randomness=random.Random(seed + 1),
        )  # fmt: skip
        faults = Faults(
            place, namespace=NAMESPACE, pools=POOLS, start=start, offset=offset, mapping=mapping, record=record, rng=rng
        )
        faults.troubles = lambda troubles: setattr(fleet, "troubles", troubles)
        life = Life(fleet, place.aws.control, record, people=PEOPLE, types=TYPES, rng=rng)
        with fleet, Checker(POOLS, hosts, record) as checker, StatusChecker(place, NAMESPACE) as statuses:
            deadline = time.monotonic() + 60 * minutes
            names: list[str] = []
            while time.monotonic() < deadline:
                if not names:
                    names = rng.sample(sorted(faults.all), len(faults.all))
                _cycle(names.pop(), faults, life, checker, result, console)
            faults.operator.process.end()
        violations = [*checker.violations, *statuses.violations, *faults.violations]
        console.print(f"{statuses.reads:,} readings of all statuses, {statuses.ready:,} of a Ready=True")
        return result, violations, life.steps, checker.writes


def _cycle(name: str, faults: Faults, life: Life, checker: Checker, result: SoakResult, console: Console) -> None:
    _live(life, LIFE_BEFORE)
    checker.fault_begins()
    with faults.all[name]():
        _live(life, LIFE_DURING)
    ended = time.monotonic()
    checker.fault_ended()
    right_since: float | None = None
    while right_since is None or time.monotonic() - right_since < REST:
        faults.operator.process.check()
        wrong = checker.wrong()
        if not wrong:
            right_since = right_since or time.monotonic()
        else:
            right_since = None
            if time.monotonic() - ended > CONVERGENCE_LIMIT:
                checker.violations.append(
                    f"after {name!r} not right within {CONVERGENCE_LIMIT:g} s: {'; '.join(wrong)}"
                )
                break
        time.sleep(0.05)
    took = (right_since or time.monotonic()) - ended
    result.converged.setdefault(name, []).append(took)
    result.memory.append(faults.operator.process.memory_mb())
    result.files.append(faults.operator.process.files())
    console.print(f"{name}: right after {took:.1f} s; {result.memory[-1]:.0f} MB, {result.files[-1]} files")


def _live(life: Life, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        life.step()
        time.sleep(STEP)


def _pool(facts: PoolFacts) -> dict[str, object]:
    return pool(
        NAMESPACE, facts.product, server=facts.server, product=facts.product, seats=facts.seats, types=[facts.type]
    )


def _settings(place: Place, *, mapping: Path, elected: bool) -> dict[str, object]:
    return {
        "leader_election": {"enabled": elected, "namespace": NAMESPACE},
        "namespaces": [NAMESPACE],
        "identity": {"mapping_file": str(mapping)},
        "mirror": {
            "queue": place.site.queue_url,
            "region": REGION,
            "endpoint_url": place.site.endpoint,
            "accounts": [{"account": ACCOUNT, "regions": [REGION], "namespace": NAMESPACE}],
            "resync_interval": "10s",
            "describe_lag": "0s",
            "terminated_retention": "30s",
            "visibility": "5s",
            "long_poll": "2s",
        },
        "watch": {"resync_interval": "10s"},
    }


def _print(console: Console, result: SoakResult, violations: list[str], steps: int, writes: int) -> None:
    table = Table("fault", "times", "median s to right", "worst", title="soak")
    for name, seconds in sorted(result.converged.items()):
        table.add_row(name, str(len(seconds)), f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}")
    console.print(table)
    injected = sum(len(seconds) for seconds in result.converged.values())
    worst = max(max(seconds) for seconds in result.converged.values())
    third = max(1, len(result.memory) // 3)
    early, late = statistics.median(result.memory[:third]), statistics.median(result.memory[-third:])
    if late > early * GROWTH_ALLOWED:
        violations.append(f"memory grew from {early:.0f} MB to {late:.0f} MB")
    files_early, files_late = statistics.median(result.files[:third]), statistics.median(result.files[-third:])
    if files_late > files_early * GROWTH_ALLOWED + 5:
        violations.append(f"open files grew from {files_early:g} to {files_late:g}")
    console.print(
        f"{steps:,} steps of life, {writes:,} lists written, {injected} faults injected, worst convergence {worst:.1f} s, "
        f"memory {early:.0f} -> {late:.0f} MB, open files {files_early:g} -> {files_late:g}, {len(violations)} violations"
    )
    for violation in violations:
        console.print(f"[red]{violation}[/red]")


if __name__ == "__main__":
    main()
