"""Counts how long users waited, in classes such as "up to 1 min"."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CLASSES = (
    ("not at all", 0),
    ("up to 1 min", 60),
    ("to 5 min", 300),
    ("to 15 min", 900),
    ("to 1 h", 3600),
    ("to 4 h", 4 * 3600),
    ("to 1 day", 86_400),
    ("longer", None),
)
"""Name of each class, and its longest wait in seconds."""


@dataclass(frozen=True, slots=True)
class WaitClasses:
    """Number of needs in each class."""

    counts: tuple[int, ...]
    """Number of needs, by class."""
    unserved: int
    """Number of all these needs that ended before there was a seat, or that still wait."""

    @property
    def any_waited(self) -> bool:
        return any(self.counts[1:])


def served_within(database: "DuckDBPyConnection", pool: str) -> dict[int, float]:
    """Returns the share of a pool's needs that had a seat within each limit of `CLASSES`, in seconds. Empty: no wait is known."""
    limits = [limit for _, limit in CLASSES if limit is not None]
    counts = ", ".join(f"count(*) FILTER (served AND wait_s <= {limit})" for limit in limits)
    query = f"SELECT count(*), {counts} FROM needs WHERE wait_s IS NOT NULL AND pool = ?"  # noqa: S608
    ((needs, *served),) = database.execute(query, [pool]).fetchall()
    return {limit: count / needs for limit, count in zip(limits, served, strict=True)} if needs else {}


def waiting(database: "DuckDBPyConnection") -> dict[str, WaitClasses]:
    """Returns the classes of every pool with a need whose wait is known."""
    cases = " ".join(
        f"WHEN wait_s <= {limit} THEN {index}" for index, (_, limit) in enumerate(CLASSES) if limit is not None
    )
    query = f"""
    SELECT pool, CASE {cases} ELSE {len(CLASSES) - 1} END AS class, count(*), count(*) FILTER (NOT served)
    FROM needs WHERE wait_s IS NOT NULL GROUP BY ALL"""  # noqa: S608
    counts: dict[str, list[int]] = {}
    unserved: dict[str, int] = {}
    for pool, index, count, without in database.execute(query).fetchall():
        counts.setdefault(pool, [0] * len(CLASSES))[index] = count
        unserved[pool] = unserved.get(pool, 0) + without
    return {pool: WaitClasses(tuple(found), unserved[pool]) for pool, found in counts.items()}
