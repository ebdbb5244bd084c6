"""Opens the history as SQL: a DuckDB connection with the views `sessions`, `waits`, `refusals` and `capacity`.

A fact is one row here, however many rows its files have. An open fact of the operator that was not seen for 3 hours,
although others were, ended when it was last seen. So a session whose end was lost does not last for ever in a report.
The connection can read the history and nothing else, and that cannot be changed on it.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatpool.domain.errors import SeatpoolError
from seatpool.history.database import open_database
from seatpool.history.dedup import dedup_query
from seatpool.history.factory import HistoryNotInstalled
from seatpool.history.schema import KINDS, YEARS, Capacity, Row, Session, Wait, columns, required_columns
from seatpool.history.writing import FILES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNSEEN = timedelta(hours=3)
"""The operator writes open facts every hour. A fact that was not seen for so long has ended."""
UNSEEN_REASON = "NotSeenAgain"
_MOST_SECONDS = 2**32
_LIMITS = {
    "TIMESTAMP_MS": (f"{YEARS[0]}-01-01", f"{YEARS[-1]}-12-31 23:59:59.999"),
    "DOUBLE": (f"{-_MOST_SECONDS}", f"{_MOST_SECONDS}"),
}
"""The least and most that a row can have, by SQL type: so an instant less a duration is in a year that Python knows.

There is none for whole numbers, because a revision has no bounds.
"""


class HistoryNotReadable(SeatpoolError):
    """There is no history in the folder, or it is broken."""


def connect(
    folder: Path, *, since: date | None = None, limits: Mapping[str, Any] | None = None
) -> "DuckDBPyConnection":
    """Opens the history in a folder. With `since` only facts that did not end before that day.

    `limits` are settings of DuckDB, such as `BESIDE_OTHER_WORK`. Raises HistoryNotReadable.
    """
    try:
        import duckdb
    except ImportError as error:
        raise HistoryNotInstalled(error.name) from error
    if not folder.is_dir():
        raise HistoryNotReadable(f"history folder {folder}: there is no such folder; name the one of history.location")
    database = open_database(**(limits or {}))
    try:
        # A broken file may be wrong about its own least and most values too. DuckDB would leave out the checks of `_checked`.
        database.execute("SET disabled_optimizers = 'statistics_propagation'")
        for kind in KINDS:
            days = None if kind is Capacity else since  # the number of seats may be much older
            database.execute(f"CREATE VIEW {kind.kind}_rows AS {_rows(folder, kind, since=days)}")
        database.execute(_latest())
        for kind in KINDS:
            database.execute(f"CREATE VIEW {kind.kind} AS {_view(kind)}")
        database.execute(f"SET allowed_directories = ['{_quoted(folder.resolve())}', '{_quoted(folder)}']")
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
    except (duckdb.Error, UnicodeDecodeError, OverflowError) as error:
        database.close()
        raise HistoryNotReadable(f"history folder {folder}: {error}") from error
    return database


@contextlib.contextmanager
def open_history(
    folder: Path, *, since: date | None = None, limits: Mapping[str, Any] | None = None
) -> "Iterator[DuckDBPyConnection]":
    """Opens the history as `connect` does, and closes it at the end.

    Raises HistoryNotReadable also if a query of the caller finds a file that is broken.
    """
    with contextlib.closing(connect(folder, since=since, limits=limits)) as database:
        import duckdb

        try:
            yield database
        except (duckdb.Error, UnicodeDecodeError, OverflowError) as error:
            raise HistoryNotReadable(f"history folder {folder}: {error}") from error


def _rows(folder: Path, kind: type[Row], *, since: date | None) -> str:
    pattern = f"kind={kind.kind}/day=*/{FILES}"
    needed = required_columns(kind)
    known = ", ".join(
        f"{_checked(kind, name, sql, needed=name in needed)} AS {name}" for name, sql in columns(kind).items()
    )
    if next(folder.glob(pattern), None) is None:
        empty = ", ".join(f"NULL::{sql} AS {name}" for name, sql in columns(kind).items())
        return f"SELECT {empty}, NULL::DATE AS day WHERE false"
    where = f" WHERE day >= DATE '{since.isoformat()}'" if since is not None else ""
    return (
        f"SELECT {known}, day FROM read_parquet('{_quoted(folder / pattern)}', hive_partitioning = true, "  # noqa: S608
        f"hive_types = {{'day': DATE, 'kind': VARCHAR}}){where}"
    )


def _checked(kind: type[Row], name: str, sql: str, *, needed: bool) -> str:
    """Returns SQL for a column that fails where a broken file has what no row can have.

    That is another type under the same name, nothing where every row has a value, or a number or instant beyond all bounds.
    An instant in a year that Python does not know would come from DuckDB as text.
    """
    value = f"{name}::{sql}"
    if (limits := _LIMITS.get(sql)) is not None:
        first, last = limits
        wrong = f"error('a row of {kind.kind} has {name} ' || {value} || ', which is not between {first} and {last}')"
        value = f"CASE WHEN {value} < {sql} '{first}' OR {value} > {sql} '{last}' THEN {wrong} ELSE {value} END"
    if needed:
        value = f"coalesce({value}, error('a row of {kind.kind} has no {name}'))"
    return value


def _latest() -> str:
    """Returns SQL for the instant at which each installation was last heard of."""
    parts = " UNION ALL ".join(f"SELECT installation, seen_at FROM {kind.kind}_rows" for kind in KINDS)  # noqa: S608
    return f"CREATE TABLE heard AS SELECT installation, max(seen_at)::TIMESTAMP AS heard_at FROM ({parts}) GROUP BY 1"  # noqa: S608


def _view(kind: type[Row]) -> str:
    facts = dedup_query(kind, f"{kind.kind}_rows")
    if kind is Session:
        return _with_ends(facts, began="granted_at", ended="released_at", why="release_reason", length="held_s")
    if kind is Wait:
        return _with_ends(facts, began="began_at", ended="ended_at", why="outcome", length="waited_s")
    return facts


def _with_ends(facts: str, *, began: str, ended: str, why: str, length: str) -> str:
    limit = f"to_seconds({UNSEEN.total_seconds():.0f})"
    known = (
        f"SELECT facts.*, heard_at, source = 'operator' AND {ended} IS NULL AND seen_at < heard_at - {limit} AS unseen "  # noqa: S608
        f"FROM ({facts}) AS facts LEFT JOIN heard USING (installation)"
    )
    over = (
        f"SELECT * REPLACE (CASE WHEN unseen THEN seen_at ELSE {ended} END AS {ended}, "  # noqa: S608
        f"CASE WHEN unseen THEN '{UNSEEN_REASON}' ELSE {why} END AS {why}) FROM ({known})"
    )
    return (
        f"SELECT * EXCLUDE (heard_at, unseen), {ended} IS NULL AS is_open, "  # noqa: S608
        f"epoch(coalesce({ended}, heard_at) - {began}) AS {length} FROM ({over})"
    )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
