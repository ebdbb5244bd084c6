"""Tables in Markdown, for the reference pages."""

from collections.abc import Iterable


def markdown_table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; a bar within a cell stays one."""
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
