"""Runs all benchmarks, or the named ones, and prints one table. `python -m benchmarks [side-by-side start-up ...]`"""

import argparse
import time
from collections.abc import Callable

from rich.console import Console

from benchmarks import back_ends, micro, side_by_side, start_up, storm, tables, web
from benchmarks.results import FILE, Results, load_of_others

Say = Callable[[str], None]
QUIET = 0.7
LONG = ("storm-whole", "web")
"""Benchmarks that run only if they are named."""
BENCHMARKS: dict[str, Callable[[Say], tables.Told]] = {
    "micro": lambda _say: tables.of_micro(micro.measure()),
    "start-up": lambda say: tables.of_start_up(start_up.measure(say=say)),
    "storm": lambda say: tables.of_storm(storm.measure(say=say)),
    "storm-whole": lambda say: tables.of_storm(storm.measure(say=say, starts=storm.WHOLE), prefix="storm_whole"),
    "back-ends": lambda say: tables.of_back_ends(back_ends.measure(say=say)),
    "web": lambda say: tables.of_web(web.measure(say=say)),
    "side-by-side": lambda say: tables.of_side_by_side(side_by_side.measure(say=say)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all but {', '.join(LONG)} without any"
    )
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(BENCHMARKS)):
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    console, results, began = Console(), Results(), time.monotonic()
    load = load_of_others()
    if load > QUIET:
        console.print(f"[yellow]others are at work here (load {load:.1f}): ratios hold, seconds are too long[/yellow]")
    for name in given.names or [name for name in BENCHMARKS if name not in LONG]:
        console.rule(name)
        start = time.monotonic()
        results.add(name, *BENCHMARKS[name](console.print))
        console.print(f"{name}: {time.monotonic() - start:.0f} s")
        results.values["load_before"] = round(load, 2)
        results.write()
    console.print(results.table())
    console.print(f"{(time.monotonic() - began) / 60:.1f} minutes; numbers are in {FILE}")


if __name__ == "__main__":
    main()
