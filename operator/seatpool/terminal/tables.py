"""Tables as people know them from kubectl: capital headings, no lines, numbers to the right."""

from rich.table import Table

_NUMBERS = frozenset({"LISTS", "PEOPLE", "REVISION", "SEATS", "USED", "WAITING", "CHANGES"})


def table(*headings: str) -> Table:
    """An empty one."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        made.add_column(heading, justify="right" if heading in _NUMBERS else "left", no_wrap=True, overflow="ellipsis")
    return made


def count_cell(value: int | None) -> str:
    """A number, or `-` for one that is not known."""
    return "-" if value is None else str(value)
