"""DuckDB without surprises: what does not fit into memory goes where temporary files go, and not into the present folder."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BESIDE_OTHER_WORK: dict[str, Any] = {"threads": 1, "memory_limit": "256MB"}
"""In the operator, whose batches are small."""


def open_database(**settings: Any) -> "DuckDBPyConnection":
    """An empty database in memory. It takes no Python variable for a table."""
    import duckdb

    spill = Path(tempfile.gettempdir()) / f"seatpool-duckdb-{secrets.token_hex(6)}"
    return duckdb.connect(config={"temp_directory": str(spill), "python_enable_replacements": False, **settings})


@contextmanager
def working_database() -> "Iterator[DuckDBPyConnection]":
    """One for work beside other work."""
    with open_database(**BESIDE_OTHER_WORK) as database:
        yield database
