"""The page for license admins names every column that they can ask for."""

import re
from pathlib import Path

from seatpool.history.schema import KINDS
from seatpool.history.store import open_history

PAGE = Path(__file__).parents[3] / "docs" / "history.md"


def test_every_column_of_every_view_is_on_the_page(tmp_path: Path) -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE.read_text()))
    with open_history(tmp_path) as database:
        for kind in KINDS:
            found = database.execute(f"SELECT * FROM {kind.kind}").description or ()
            assert {kind.kind, *(column[0] for column in found)} <= named, kind.kind
