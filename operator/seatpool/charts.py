"""Style and SVG output of all charts.

A page embeds the SVG text and loads nothing. The fixed hash salt and the missing date make equal charts equal text.
Importing this module needs matplotlib, which the `report` extra installs.
"""

import io
from typing import Any

from matplotlib.figure import Figure

BLUE, RED, GRID = "#1f5fa8", "#b3261e", "#e3e3e3"
SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "seatpool",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def svg(figure: Figure) -> str:
    """Returns the figure as an SVG element."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
