"""Makes the reference page of the settings."""

from seatpool.reference.metrics_page import markdown_table
from seatpool.reference.patterns import PATTERNS
from seatpool.settings.catalogue import all_settings

_ABOUT = """\
`seatpool run --help` prints the same list. [Configuration](../configuration.md) says where settings come from, and which of
them take effect without a restart. In the chart they are below `config`.

Lengths of time have a unit: `250ms`, `30s`, `5m`, `24h`, `365d`. In a key, `[]` stands for each element of a list. The
environment variable of `mirror.long_poll` is `SEATPOOL_MIRROR__LONG_POLL`, and so on. An empty default means none.
"""


def settings_page() -> str:
    """Returns the text and a table for each section."""
    sections: dict[str, list[tuple[str, ...]]] = {}
    for row in all_settings():
        section, dot, _ = row.key.partition(".")
        default = f"`{row.default}`" if row.default not in ("", "required") else row.default
        cells = (f"`{row.key}`", default, ", ".join(map(_named, row.limits)), row.meaning)
        sections.setdefault(section if dot or row.key.endswith("[]") else "", []).append(cells)
    parts = [_ABOUT]
    for section, rows in sections.items():
        parts += [f"## {section or 'At the top'}\n", markdown_table(("Setting", "Default", "Allowed", "Meaning"), rows)]
    return "\n".join(parts)


def _named(limit: str) -> str:
    return PATTERNS.get(limit) or (f"`{limit}`" if limit.startswith("^") else limit)
