"""Writes the newest figures into the documentation. `python -m benchmarks.pages`."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.results import FILE

REPOSITORY = Path(__file__).resolve().parents[1]
README, PAGE = REPOSITORY / "README.md", REPOSITORY / "docs" / "benchmarks.md"
ORDER = ("side-by-side", "back-ends", "start-up", "storm", "micro")
"""Benchmarks of one run. Longer ones run and are reported separately."""
HEAD = ("", "Seatpool", "beside", "ratio", "target reached")
VERDICT = len(HEAD) - 1


def write() -> None:
    """Writes both pages. Text outside the marks stays."""
    values = json.loads(FILE.read_text())
    rows: Mapping[str, list[list[str]]] = values["rows"]
    every = [row for name in ORDER for row in rows.get(name, ())]
    about = f"`make bench` on {values['machine']}, {values['at'][:10]}:"
    _put(README, [about, "", *_table(row for row in every if row[VERDICT])])
    _put(PAGE, [about, "", *_table(every)])


def _table(rows: Iterable[list[str]]) -> list[str]:
    lines = [HEAD, ("---",) * len(HEAD), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _put(page: Path, lines: list[str]) -> None:
    begin, end = "<!-- measured -->", "<!-- end of measured -->"
    text = "\n".join([begin, *lines, end])
    found, count = re.subn(f"{begin}.*?{end}", lambda _: text, page.read_text(), flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page} has {count} places between {begin} and {end}, not one")
    page.write_text(found)


if __name__ == "__main__":
    write()
