"""Writes SVG elements. Every text and every attribute is escaped, so no name in the data can become markup."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from seatpool.text import escape_unprintable

WIDE, NARROW = 760, 352
"""Widths of a chart in pixels: for a desk, and for a telephone."""


def tag(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """Returns an element. An attribute's name loses a trailing underscore, and an inner one becomes a hyphen."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(_text(child) for child in children)
    return Markup(f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>")  # noqa: S704


def image(
    id: str,  # noqa: A002
    *parts: Markup,
    width: float,
    height: float,
    title: str,
    description: str,
) -> Markup:
    """Returns a whole image with a name and a description for screen readers. `id` is the only one of its page."""
    return tag(
        "svg", tag("title", title, id=f"{id}-t"), tag("desc", description, id=f"{id}-d"), *parts,
        viewBox=f"0 0 {number(width)} {number(height)}", role="img", aria_labelledby=f"{id}-t {id}-d", class_="chart",
        focusable="false",
    )  # fmt: skip


def text(x: float, y: float, content: str, *, anchor: str = "start", class_: str | None = None) -> Markup:
    """Returns a line of text. `anchor` is start, middle or end."""
    return tag("text", content, x=number(x), y=number(y), text_anchor=anchor, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Returns a straight line."""
    return tag("line", x1=number(x1), y1=number(y1), x2=number(x2), y2=number(y2), class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str, **more: object) -> Markup:
    """Returns a rectangle."""
    return tag("rect", x=number(x), y=number(y), width=number(width), height=number(height), class_=class_, **more)


def hatch(id: str) -> Markup:  # noqa: A002
    """Returns a pattern of slanting lines, for what must not be told by colour alone."""
    stroke = tag("path", d="M0 6L6 0", class_="hatch")
    return tag("defs", tag("pattern", stroke, id=id, width=6, height=6, patternUnits="userSpaceOnUse"))


def number(value: float) -> str:
    """Returns a coordinate, to a tenth of a pixel."""
    return f"{round(float(value), 1):g}"


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to pixels."""

    low: float
    high: float
    begin: float
    """Pixel of `low`."""
    end: float
    """Pixel of `high`."""

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return self.begin + (value - self.low) / span * (self.end - self.begin) if span else self.begin

    def ticks(self, most: int) -> list[int]:
        """Returns whole numbers at even distances, from `low` to `high`."""
        step = _step((self.high - self.low) / max(1, most))
        first = -(-int(self.low) // step) * step
        return list(range(first, int(self.high) + 1, step))


def joined(parts: Iterable[Markup]) -> Markup:
    """Returns the parts one after the other."""
    return Markup("").join(parts)


def _step(least: float) -> int:
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size >= least:
                return factor * size
        size *= 10


def _text(value: object) -> str:
    return str(value if isinstance(value, Markup) else escape(escape_unprintable(str(value))))
