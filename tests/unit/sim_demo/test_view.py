"""What is seen on terminals of several sizes, and without one."""

import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from seatpool.sim.demo.monitor import PoolRow, SeatChange
from seatpool.sim.demo.view import LiveView, PlainView, change_line


@dataclass(frozen=True)
class Seen:
    """A pool of four with two who wait, and its list on disk."""

    folder: Path
    changes: Collection[SeatChange] = (
        SeatChange(1, "matlab", "ann", True, 0.412),
        SeatChange(2, "matlab", "bob", False, None),
    )
    pools: tuple[PoolRow, ...] = (
        PoolRow("matlab", "matlab", 4, 3, 2, ("eve", "fay")),
        PoolRow("none", "none", 0, 0, 0, ()),
    )

    def shown_list(self, product: str) -> tuple[str, tuple[str, ...]]:
        path = self.folder / f"{product}.list"
        users = tuple(path.read_text().split()) if path.exists() else ()
        return f"products/{product}.list", users


def picture(seen: Seen, *, width: int, height: int, tellings: Collection[str] = ()) -> list[str]:
    """The last picture that a terminal gets."""
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, force_terminal=True, color_system=None)
    view = LiveView(console, seen)
    for text in tellings:
        view.tell(text)
    with view:
        view.progress("5 of 10 lines sent")
    return (
        file.getvalue().split("\x1b[2K")[-1].splitlines()
        if "\x1b[2K" in file.getvalue()
        else file.getvalue().splitlines()
    )


@pytest.mark.parametrize(("width", "height"), [(80, 24), (80, 40), (120, 40), (200, 60)])
def test_pools_changes_and_the_servers_file_fit_on_the_terminal(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "matlab.list").write_text("".join(f"user-{n:03}\n" for n in range(60)))
    lines = picture(
        Seen(tmp_path), width=width, height=height, tellings=[f"sentence {n} " + "x" * 60 for n in range(20)]
    )
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert len(lines) <= height
    assert "+ ann  matlab  412 ms" in text
    assert "- bob  matlab" in text
    assert "products/matlab.list, 60 on it" in text
    assert "user-000, user-001" in text
    assert "▸ sentence 19" in text
    assert "eve, fay" in text


def test_a_list_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert "(empty)" in "\n".join(picture(Seen(tmp_path), width=100, height=40))


def test_before_anything_happened_there_is_nothing_to_show_but_pools(tmp_path: Path) -> None:
    assert "none yet" in "\n".join(picture(Seen(tmp_path, changes=()), width=100, height=40))


def test_without_a_terminal_there_is_a_line_for_each_news() -> None:
    file = io.StringIO()
    with PlainView(Console(file=file, width=80), every_change=True) as view:
        view.tell("Ann starts a workbench [with a name that looks like markup].")
        view.changed(SeatChange(0, "matlab", "ann", True, 0.5))
    lines = file.getvalue().splitlines()
    assert lines[0].endswith("s  Ann starts a workbench [with a name that looks like markup].")
    assert lines[1].endswith("+ ann  matlab  500 ms")


def test_progress_without_a_terminal_is_told_now_and_then_only() -> None:
    file = io.StringIO()
    view = PlainView(Console(file=file, width=80), every_change=False, progress_every=3600)
    for number in range(100):
        view.progress(f"{number} lines")
    view.changed(SeatChange(0, "matlab", "ann", True, 0.5))
    assert [line.rpartition("  ")[2] for line in file.getvalue().splitlines()] == ["0 lines"]


def test_a_change_without_a_known_latency_shows_none() -> None:
    assert change_line(SeatChange(0, "cad", "ann", False, None)).plain == "- ann  cad"
