"""Opens DuckDB with safe settings: what does not fit into memory is spilled to the temporary folder, not to the current one."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BESIDE_OTHER_WORK: dict[str, Any] = {"threads": 1, "memory_limit": "256MB"}
"""Limits for the operator, whose batches are small."""


def open_database(**settings: Any) -> "DuckDBPyConnection":
    """Opens an empty database in memory. It does not take Python variables for tables."""
    import duckdb

    spill = Path(tempfile.gettempdir()) / f"seatpool-duckdb-{secrets.token_hex(6)}"
    return duckdb.connect(config={"temp_directory": str(spill), "python_enable_replacements": False, **settings})


@contextmanager
def working_database() -> "Iterator[DuckDBPyConnection]":
    """Opens a database with the limits for work beside other work."""
    with open_database(**BESIDE_OTHER_WORK) as database:
        yield database
