"""Parts of a page that can be replaced while it is open, and what of them is new to a reader."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from seatpool.web.pages.svg import tag


@dataclass(frozen=True, slots=True)
class Fragment:
    """An element of a page, with its id."""

    id: str
    html: Markup
    rows: tuple["Fragment", ...] = ()
    """Elements in it that can be replaced by themselves."""


def container(name: str, id: str, rows: Iterable[Fragment], **attributes: object) -> Fragment:  # noqa: A002
    """Returns an element of these rows, such as a `tbody`."""
    found = tuple(rows)
    inner = Markup("").join(row.html for row in found) or Markup(" ")
    return Fragment(id, tag(name, inner, id=id, **attributes), found)


@dataclass
class Shown:
    """What a reader's page shows now."""

    _rows: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    """The ids of the rows of each element."""
    _html: dict[str, Markup] = field(default_factory=dict, init=False)
    _last: Sequence[Fragment] = field(default=(), init=False)

    def news(self, fragments: Sequence[Fragment]) -> dict[str, str]:
        """Returns the elements that the page does not show yet, by id. Rows come by themselves if the others stay."""
        if fragments is self._last:
            return {}
        self._last = fragments
        found: dict[str, str] = {}
        for one in fragments:
            ids = tuple(row.id for row in one.rows)
            if not ids or self._rows.get(one.id) != ids:
                if self._html.get(one.id) != one.html:
                    found[one.id] = one.html
            else:
                found |= {row.id: row.html for row in one.rows if self._html.get(row.id) != row.html}
            for gone in set(self._rows.get(one.id, ())) - set(ids):
                self._html.pop(gone, None)
            self._rows[one.id] = ids
            self._html |= {part.id: part.html for part in (one, *one.rows)}
        return found
