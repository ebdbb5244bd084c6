"""The rows of one fact made into one: the SQL for it, the same when files are read and when they are put together.

It may be applied to its own answers, in any order and any number of times, and says the same: instants are the earliest that
anybody saw, and what belongs to an instant goes with it.
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
    """A query for the facts of a kind in a relation of its rows."""
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
