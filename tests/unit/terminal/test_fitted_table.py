"""A table fits into any width: columns are left out by priority, and no cell is cut."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from seatpool.terminal.output import Column, console, fitted_table

WORDS = st.text(alphabet="abc-é漢", min_size=1, max_size=12)
COLUMNS = st.lists(st.integers(1, 9), min_size=1, max_size=6, unique=True).map(
    lambda priorities: (Column("NAME"), Column("N"), *(Column(f"C{one}", one) for one in priorities))
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[Column, ...], list[list[str]]]:
    columns = draw(COLUMNS)
    return columns, draw(st.lists(st.lists(WORDS, min_size=len(columns), max_size=len(columns)), max_size=4))


@given(tables(), st.integers(5, 160))
def test_every_shown_cell_is_whole_and_what_is_left_out_has_the_highest_numbers(
    drawn: tuple[tuple[Column, ...], list[list[str]]], width: int
) -> None:
    columns, rows = drawn
    table = fitted_table(columns, rows, width=width)
    shown = [str(column.header) for column in table.columns]
    headings = [column.heading for column in columns]
    assert [one for one in headings if one in shown] == sorted(shown, key=headings.index)
    left_out = [column.priority for column in columns if column.heading not in shown]
    kept = [column.priority for column in columns if column.heading in shown]
    assert not left_out or min(left_out) >= max(kept)
    assert {"NAME", "N"} <= set(shown)
    needed = sum(
        max(cell_len(cell) for cell in (heading, *(row[number] for row in rows))) + 2
        for number, heading in enumerate(headings)
        if heading in shown
    )
    if any(kept):
        assert needed - 2 <= width


def test_a_name_that_is_longer_than_the_screen_is_wrapped_and_not_cut() -> None:
    screen = console()
    screen.width = 20
    with screen.capture() as captured:
        screen.print(
            fitted_table((Column("POOL"), Column("SEATS"), Column("MODE", 1)), [["matlab" * 5, "4", "x"]], width=20)
        )
    printed = captured.get()
    assert "…" not in printed
    assert "".join(line[:13].strip() for line in printed.splitlines()[1:]) == "matlab" * 5
