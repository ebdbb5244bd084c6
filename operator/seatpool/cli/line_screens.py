"""Prints the results of `why`, `diff` and `events` line by line."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding

from seatpool.api.licensepool import PoolDifference
from seatpool.explain.list_diff import Diff
from seatpool.explain.messages import MESSAGES, Message, Part
from seatpool.explain.recent_history import RecentHistory
from seatpool.explain.why import Explanation, Phase, PoolExplanation
from seatpool.terminal.output import Line, count_cell, table
from seatpool.text import TimeFormat

_COLOURS = {
    Phase.ASSIGNED: "green",
    Phase.PENDING: "magenta",
    Phase.WAITING: "magenta",
    Phase.DENIED: "red",
    Phase.UNDECIDED: "magenta",
    Phase.NONE: "default",
}


def why_screen(found: Explanation, *, console: Console, wide: bool, again: bool = False) -> None:
    """Prints a paragraph for each pool: the state of the user, then why, until when, and what blocks it.

    `again`: another answer was printed before.
    """
    if again:
        console.print()
    for message in found.messages:
        print_line(console, message.text, style="magenta")
    for number, answer in enumerate(found.pools):
        if number or found.messages:
            console.print()
        _pool_answer(console, answer, wide=wide)


def diff_screen(every: Iterable[Diff], *, console: Console, wide: bool, times: TimeFormat) -> None:
    """Prints for each pool the three states of its list, and the users who differ."""
    for found in every:
        _diff(console, found, wide=wide, times=times)


def _diff(console: Console, found: Diff, *, wide: bool, times: TimeFormat) -> None:
    in_sync = found.is_well
    print_line(
        console, f"{found.pool}: {found.reason or 'no status yet'}", style="bold green" if in_sync else "bold magenta"
    )
    if found.message:
        print_line(console, found.message, indent=2)
    drawn = table("LIST", "PEOPLE", "HASH", "REVISION", "AT")
    for state in found.states:
        drawn.add_row(
            state.what, count_cell(state.people), (state.hash or "-")[: 64 if wide else 12], count_cell(state.revision),
            "-" if state.at is None else times.format_time(state.at),
        )  # fmt: skip
    console.print(Padding(drawn, (0, 0, 0, 2)))
    if found.difference is not None:
        _difference(console, found.difference, times)
    for problem in found.problems:
        print_line(console, problem.message.text, indent=2, style="" if problem.is_intended else "red")
    if wide:
        print_line(console, f"As it should be: {', '.join(found.users) or 'nobody'}", indent=2)


def _difference(console: Console, difference: PoolDifference, times: TimeFormat) -> None:
    print_line(console, f"Different since {times.format_time(difference.since)}:", indent=2)
    for sign, names, count, colour in (
        ("+", difference.add, difference.adds, "green"), ("-", difference.remove, difference.removes, "red")
    ):  # fmt: skip
        for name in names:
            print_line(console, f"{sign} {name}", indent=4, style=colour)
        if count > len(names):
            print_line(console, f"{sign} and {count - len(names)} more", indent=4, style=colour)


def history_screen(every: Iterable[RecentHistory], *, console: Console, times: TimeFormat) -> None:
    """Prints a line for each event, the newest last, and then what is not known."""
    for found in every:
        _history(console, found, times)


def _history(console: Console, found: RecentHistory, times: TimeFormat) -> None:
    several = len({one.pool for one in found.entries}) > 1
    for one in found.entries:
        where = f"{one.pool}: " if several else ""
        Line(f"{where}{one.what} [{one.source}]", label=f"{times.format_time(one.at):>16}").print(console)
    if not found.entries:
        print_line(console, f"Nothing is known of {found.of}.")
    for text in found.not_known:
        print_line(console, f"Note: {text}", style="dim")


def _pool_answer(console: Console, answer: PoolExplanation, *, wide: bool) -> None:
    head, *rest = answer.messages
    print_line(console, head.text, style=f"bold {_COLOURS[answer.phase]}")
    for message in rest:
        named = f" [{answer.reason}; {answer.decided_by}]" if _part(message) is Part.RULE and answer.decided_by else ""
        print_line(console, f"{message.text}{named}", indent=2)
    for problem in answer.problems:
        print_line(console, problem.message.text, indent=2, style="" if problem.is_intended else "red")
        if wide and problem.detail:
            print_line(console, problem.detail, indent=4, style="dim")


def _part(message: Message) -> Part:
    return MESSAGES[message.id].part


def print_line(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    """Prints a line. It is wrapped on a terminal only, so that programs can read it."""
    Line(text, style, indent).print(console)
