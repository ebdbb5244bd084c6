"""Prints the answer of `seatpool who`: the holders and the waiting line of pools."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from seatpool.cli.line_screens import print_line
from seatpool.explain.who import Who
from seatpool.policy.wait_estimate import WaitEstimate
from seatpool.terminal.output import table
from seatpool.text import NOT_KNOWN, TimeFormat, format_names


def who_screen(every: Iterable[Who], *, console: Console, wide: bool, times: TimeFormat) -> None:
    """Prints for each pool those who have a seat, those who wait, and what blocks it."""
    for number, found in enumerate(every):
        if number:
            console.print()
        _who(console, found, wide=wide, times=times)


def _who(console: Console, found: Who, *, wide: bool, times: TimeFormat) -> None:
    counts = f"{len(found.holders)} of {found.seats} seats used, {len(found.waiting)} waiting"
    print_line(console, f"{found.pool}: {counts}", style="bold")
    if found.holders:
        console.print(Padding(_holders(found, wide=wide, times=times), (0, 0, 0, 2)))
    if found.waiting:
        console.print(Padding(_waiting(found, wide=wide, times=times), (1, 0, 0, 2)))
    if found.no_estimate is not None:
        print_line(console, found.no_estimate.text, indent=2)
    if found.denied:
        print_line(console, f"Denied (spec.deniedUsers): {format_names(found.denied)}", indent=2, style="red")
    for problem in found.problems:
        print_line(console, problem.message.text, indent=2, style="" if problem.is_intended else "red")


def _holders(found: Who, *, wide: bool, times: TimeFormat) -> Table:
    drawn = table("USER", "SINCE", "TYPE", "IDLE", "UNTIL", *(["REASON", "WORKBENCHES"] if wide else []))
    for line in found.holders:
        more = [line.reason, escape(format_names(line.workbenches))] if wide else []
        drawn.add_row(
            escape(line.user), times.format_time(line.since), _types(line.types), times.format_age(line.idle_since),
            _time(line.until, times), *more,
        )  # fmt: skip
    return drawn


def _waiting(found: Who, *, wide: bool, times: TimeFormat) -> Table:
    drawn = table("LINE", "USER", "SINCE", "TYPE", "REASON", "PROBABLY", *(["WORKBENCHES"] if wide else []))
    for line in found.waiting:
        more = [escape(format_names(line.workbenches))] if wide else []
        drawn.add_row(
            NOT_KNOWN if line.position is None else str(line.position), escape(line.user),
            times.format_time(line.since), _types(line.types), line.reason, _range(line.likely, times), *more,
        )  # fmt: skip
    return drawn


def _types(types: tuple[str, ...]) -> str:
    return escape(format_names(types, most=2)) or NOT_KNOWN


def _time(instant: datetime | None, times: TimeFormat) -> str:
    return NOT_KNOWN if instant is None else times.format_time(instant)


def _range(likely: WaitEstimate | None, times: TimeFormat) -> str:
    if likely is None:
        return NOT_KNOWN
    begin, end = times.format_time(likely.begin), times.format_time(likely.end)
    return begin if begin == end else f"{begin} to {end}"
