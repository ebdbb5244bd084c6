"""Style and SVG output of all charts.

A page embeds the SVG text and loads nothing. The fixed hash salt and the missing date make equal charts equal text.
Importing this module needs matplotlib, which the `report` extra installs.
"""

import io
from html import escape
from typing import Any

from matplotlib.figure import Figure

from seatpool.text import escape_unprintable

BLUE, RED, GRID = "#1f5fa8", "#b3261e", "#e3e3e3"
SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "seatpool",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def svg(figure: Figure, *, title: str | None = None, description: str = "") -> str:
    """Returns the figure as an SVG element.

    With a title and a description it is an image for screen readers too. Then its background is that of the page.
    """
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None}, transparent=title is not None)
    element = written.getvalue()[written.getvalue().index("<svg") :]
    if title is None:
        return element
    begin, inside = element.split(">", 1)
    name, words = (escape(escape_unprintable(text)) for text in (title, description))
    return f'{begin} role="img" aria-label="{name}"><title>{name}</title><desc>{words}</desc>{inside}'
