"""What people see: one screen for `status` and `top`, a few lines for each pool of `why`."""

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleRenderable, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seatpool.answers.difference import Diff
from seatpool.answers.history import History
from seatpool.answers.obstacles import Obstacle
from seatpool.answers.overview import Overview, PoolLine, ServerLine
from seatpool.answers.sentences import SENTENCES, Part, Said
from seatpool.answers.speech import Speech, counted
from seatpool.answers.why import Explanation, Phase, PoolAnswer
from seatpool.api.licensepool import PoolDifference

POOLS_SHOWN = 20
NARROW = 100
_COLOURS = {
    Phase.ASSIGNED: "green",
    Phase.PENDING: "yellow",
    Phase.WAITING: "yellow",
    Phase.DENIED: "red",
    Phase.UNDECIDED: "yellow",
    Phase.NONE: "default",
}


def status_screen(found: Overview, *, speech: Speech, wide: bool, width: int, where: str) -> RenderableType:
    """Problems first; then as many pools as one screen takes, the urgent ones first."""
    narrow = width < NARROW
    parts: list[RenderableType] = [_headline(found, speech, where)]
    parts += _problems(found, wide=wide)
    if found.servers:
        parts += [Text(), _servers(found.servers, speech, narrow=narrow)]
    if found.pools:
        shown = found.pools if wide else found.pools[:POOLS_SHOWN]
        parts += [Text(), _pools(shown, speech, narrow=narrow)]
        if len(found.pools) > len(shown):
            parts.append(
                Text(f"and {len(found.pools) - len(shown)} more pools that are less urgent: -o wide", style="dim")
            )
    return Group(*parts)


def why_screen(found: Explanation, *, console: Console, wide: bool) -> None:
    """A pool a paragraph: how the person stands, then why, when, and what stands in the way."""
    for said in found.said:
        _line(console, said.text, style="yellow")
    for number, answer in enumerate(found.pools):
        if number or found.said:
            console.print()
        _pool_answer(console, answer, wide=wide)


def diff_screen(every: Iterable[Diff], *, console: Console, wide: bool, speech: Speech) -> None:
    """For each pool three lines for three lists, and who differs."""
    for found in every:
        _diff(console, found, wide=wide, speech=speech)


def _diff(console: Console, found: Diff, *, wide: bool, speech: Speech) -> None:
    in_sync = found.is_well
    _line(console, f"{found.pool}: {found.reason or 'no status yet'}", style="bold green" if in_sync else "bold yellow")
    if found.message:
        _line(console, found.message, indent=2)
    table = _table("LIST", "PEOPLE", "HASH", "REVISION", "AT")
    for state in found.states:
        table.add_row(
            state.what, _count(state.people), (state.hash or "-")[: 64 if wide else 12], _count(state.revision),
            "-" if state.at is None else speech.at(state.at),
        )  # fmt: skip
    console.print(Padding(table, (0, 0, 0, 2)))
    if found.difference is not None:
        _difference(console, found.difference, speech)
    for obstacle in found.obstacles:
        _line(console, obstacle.said.text, indent=2, style="cyan" if obstacle.is_chosen else "red")
    if wide:
        _line(console, f"As it should be: {', '.join(found.users) or 'nobody'}", indent=2)


def _difference(console: Console, difference: PoolDifference, speech: Speech) -> None:
    _line(console, f"Different since {speech.at(difference.since)}:", indent=2)
    for sign, names, count, colour in (
        ("+", difference.add, difference.adds, "green"), ("-", difference.remove, difference.removes, "red")
    ):  # fmt: skip
        for name in names:
            _line(console, f"{sign} {name}", indent=4, style=colour)
        if count > len(names):
            _line(console, f"{sign} and {count - len(names)} more", indent=4, style=colour)


def history_screen(every: Iterable[History], *, console: Console, speech: Speech) -> None:
    """A line for each thing that happened, the newest last; then what is not known."""
    for found in every:
        _history(console, found, speech)


def _history(console: Console, found: History, speech: Speech) -> None:
    several = len({one.pool for one in found.happenings}) > 1
    for one in found.happenings:
        where = f"{one.pool}: " if several else ""
        _line(console, f"{speech.at(one.at):>16}  {where}{one.what} [{one.source}]")
    if not found.happenings:
        _line(console, f"Nothing is known of {found.of}.")
    for text in found.not_known:
        _line(console, f"Not known: {text}", style="dim")


def _pool_answer(console: Console, answer: PoolAnswer, *, wide: bool) -> None:
    head, *rest = answer.said
    _line(console, head.text, style=f"bold {_COLOURS[answer.phase]}")
    for said in rest:
        named = f" [{answer.reason}; {answer.decided_by}]" if _part(said) is Part.RULE and answer.decided_by else ""
        _line(console, f"{said.text}{named}", indent=2)
    for obstacle in answer.obstacles:
        _line(console, obstacle.said.text, indent=2, style="cyan" if obstacle.is_chosen else "red")
        if wide and obstacle.detail:
            _line(console, obstacle.detail, indent=4, style="dim")


def _part(said: Said) -> Part:
    return SENTENCES[said.id].part


def _line(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    shown = Text(text, style=style)
    if console.is_terminal:
        console.print(Padding(shown, (0, 0, 0, indent)))
    else:
        console.print(Text(" " * indent) + shown, soft_wrap=True)


def _headline(found: Overview, speech: Speech, where: str) -> Text:
    used, seats = sum(line.used or 0 for line in found.pools), sum(line.seats for line in found.pools)
    waiting = sum(line.waiting or 0 for line in found.pools)
    problems = len(found.problems) + len(found.unreadable)
    state = ("well", "bold green") if found.is_well else (counted(problems, "problem"), "bold red")
    servers, pools = counted(len(found.servers), "server"), counted(len(found.pools), "pool")
    counts = f"{servers}, {pools}, {used} of {seats} seats used, {waiting} waiting"
    return Text.assemble(state, f" at {speech.at(speech.now)} in {where}: {counts}")


def _problems(found: Overview, *, wide: bool) -> Iterator[ConsoleRenderable]:
    told: Iterable[tuple[Obstacle, str]] = [
        *((one, "red") for one in found.problems), *((one, "cyan") for one in found.notes)
    ]  # fmt: skip
    for obstacle, colour in told:
        yield Padding(Text(obstacle.said.text, style=colour), (0, 0, 0, 2), expand=False)
        if wide and obstacle.detail:
            yield Padding(Text(obstacle.detail, style="dim"), (0, 0, 0, 4), expand=False)
    for text in found.unreadable:
        yield Padding(Text(f"Cannot be read: {text}", style="red"), (0, 0, 0, 2), expand=False)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        right = heading in ("LISTS", "PEOPLE", "REVISION", "SEATS", "USED", "WAITING", "CHANGES")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    return table


def _servers(lines: Iterable[ServerLine], speech: Speech, *, narrow: bool) -> Table:
    headings = ["SERVER", "READY", "IN SYNC", "PEOPLE", "LAST CHANGE", "READ BACK"]
    headings += [] if narrow else ["LISTS", "REVISION", "MODE"]
    table = _table(*headings)
    for line in lines:
        cells = [
            escape(line.name), _shaded(line.ready), _shaded(line.in_sync), str(line.people),
            speech.ago(line.last_changed), speech.ago(line.last_verified),
        ]  # fmt: skip
        table.add_row(*cells, *([] if narrow else [str(line.lists), str(line.revision), line.mode]))
    return table


def _pools(lines: Iterable[PoolLine], speech: Speech, *, narrow: bool) -> Table:
    headings = ["POOL", "SEATS", "USED", "WAITING", "OLDEST", "IN SYNC", "REASON"]
    headings += [] if narrow else ["CHANGES", "SERVER", "PRODUCT", "MODE"]
    table = _table(*headings)
    for line in lines:
        cells = [
            escape(line.name), str(line.seats), _count(line.used), _waiting(line.waiting),
            speech.ago(line.oldest_wait), _shaded(line.in_sync), line.reason or "-",
        ]  # fmt: skip
        more = [_changes(line), escape(line.server), escape(line.product), line.mode]
        table.add_row(*cells, *([] if narrow else more))
    return table


def _changes(line: PoolLine) -> str:
    if line.changes_allowed is None:
        return "-"
    return f"{_count(line.changes_used)} of {line.changes_allowed} in {line.changes_window}"


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _waiting(value: int | None) -> str:
    return f"[yellow]{value}[/]" if value else _count(value)


def _shaded(word: str) -> str:
    colour = {"yes": "green", "no": "red"}.get(word)
    return f"[{colour}]{word}[/]" if colour else word
