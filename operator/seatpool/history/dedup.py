"""Merges the rows of one fact by SQL. Reading and compaction use the same query.

The query can be applied to its own results, in any order and any number of times, and gives the same. Each instant is
the earliest in any row. A value that belongs to an instant is taken from the row with that instant.
"""

from seatpool.history.schema import Row, columns

_EARLIEST = frozenset({"released_at", "listed_at", "unlisted_at", "ended_at", "since", "refused_at"})
_LATEST = frozenset({"seen_at", "waited_s"})
_GOES_WITH = {
    "granted_revision": "listed_at",
    "released_revision": "unlisted_at",
    "release_reason": "released_at",
    "outcome": "ended_at",
    "workbench_type": "seen_at",
    "account": "seen_at",
    "reason": "seen_at",
}


def dedup_query(kind: type[Row], relation: str) -> str:
    """Returns a query for the facts of a kind in a relation of its rows."""
    chosen = ", ".join(f"{_choice(name)} AS {name}" for name in columns(kind) if name != "id")
    return f"SELECT id, {chosen} FROM {relation} GROUP BY id"  # noqa: S608


def _choice(name: str) -> str:
    if name in _EARLIEST:
        return f"min({name})"
    if name in _LATEST:
        return f"max({name})"
    if name in _GOES_WITH:
        return f"arg_min({name}, {_GOES_WITH[name]})"
    return f"any_value({name})"
