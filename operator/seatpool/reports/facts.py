"""Prepares the part of the history that a report is about, as two tables from which every figure comes.

`held` has every seat in the window, cut to it. `needs` has every need that began in it, with the length of its wait up to
the end of the window. Instants are whole seconds. Everything within a second is one change, so a seat that passes from
one user to another is never counted twice. Intervals of one user and pool that overlap are one seat. There are such if
several installations recorded the pool, or if it was deleted and created again: then seats and waits that went on are noted
from their beginning twice. Only these pools are searched for them.

A wait of `LATENCY_S` or less is none. A wait is NULL where the history does not know it, as of an import that does not tell it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from seatpool.history.store import UNSEEN_REASON
from seatpool.reports.question import Question
from seatpool.reports.teams import NO_TEAM

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNKNOWN = "(not known)"
LATENCY_S = 5
"""A seat that was given so many seconds after the need was not waited for: events and the operator take that long.

The operator records 0 for a user who was never in the waiting line. Histories of older versions have the latency there.
"""
NAMED = ("pool", "user_id", "team", "workbench_type", "account")
"""Columns of both tables that rows can be about. Each is an ENUM with at least one name, because codes sort fast."""


@dataclass(frozen=True, slots=True)
class PreparedTables:
    """Counts of the tables that a report has to mention."""

    in_dry_run: int
    """Seats in DryRun, which were on no license server and are not in the tables."""
    unseen: int
    """Seats whose end was not recorded."""
    waits_not_known: int
    """Needs of which it is not known how long they waited."""
    needs: int
    """All needs."""
    every_pool: tuple[str, ...]
    """Every pool of the history, also those that the report leaves out."""


def recorded_range(database: "DuckDBPyConnection") -> tuple[datetime, datetime] | None:
    """Returns the first and the last instant of the history. None: it is empty."""
    first, last = database.execute(
        "SELECT least((SELECT min(granted_at) FROM sessions_rows), (SELECT min(began_at) FROM waits_rows), "
        "(SELECT min(since) FROM capacity_rows)), (SELECT max(heard_at) FROM heard)"
    ).fetchall()[0]
    if first is None or last is None:
        return None
    return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)


def prepare_tables(database: "DuckDBPyConnection", question: Question, teams: Mapping[str, str]) -> PreparedTables:
    """Creates the tables, and `capacity_steps`: how many seats each pool had from when on."""
    _put(database, "teams", "user_id VARCHAR, team VARCHAR", [list(pair) for pair in sorted(teams.items())])
    every_pool = tuple(name for (name,) in database.execute(_POOLS).fetchall())
    pools = [name for name in every_pool if question.includes(name)]
    _put(database, "chosen", "pool VARCHAR, seats BIGINT", [[name, question.seats.for_pool(name)] for name in pools])
    window = {"begin": question.begin_s, "end": question.end_s}
    modes = "('Enforce', 'DryRun')" if question.dry_run else "('Enforce')"
    database.execute(_SEATS.format(modes=modes, who=_WHO, never=_NEVER, latency=LATENCY_S), window)
    database.execute(_UNSERVED.format(modes=modes, who=_WHO, unseen=UNSEEN_REASON), window)
    passed_over = 0 if question.dry_run else _in_dry_run(database, window)
    unseen = int(
        database.execute(
            "SELECT count(*) FROM seats WHERE release_reason = ? AND granted_s < ?", [UNSEEN_REASON, question.end_s]
        ).fetchall()[0][0]
    )
    for column in NAMED:
        names = f"SELECT {column} FROM seats UNION SELECT {column} FROM unserved UNION SELECT ''"  # noqa: S608
        database.execute(f"CREATE TYPE names_of_{column} AS ENUM ({names})")
        for table in ("seats", "unserved"):
            database.execute(f"ALTER TABLE {table} ALTER {column} TYPE names_of_{column}")
    database.execute(_HELD.format(named=", ".join(NAMED)), window)
    database.execute(_NEEDS.format(named=", ".join(NAMED)), window)
    database.execute(_CAPACITY, window)
    not_known, needs = database.execute("SELECT count(*) - count(wait_s), count(*) FROM needs").fetchall()[0]
    return PreparedTables(passed_over, unseen, not_known, needs, every_pool)


def _in_dry_run(database: "DuckDBPyConnection", window: dict[str, int]) -> int:
    (is_any,) = database.execute("SELECT count(*) > 0 FROM sessions_rows WHERE mode = 'DryRun'").fetchall()[0]
    return int(database.execute(_DRY_RUN, window).fetchall()[0][0]) if is_any else 0


def _put(database: "DuckDBPyConnection", table: str, columns: str, rows: list[list[object]]) -> None:
    database.execute(f"CREATE TEMP TABLE {table} ({columns})")
    if rows:
        database.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)  # noqa: S608


_POOLS = (
    "SELECT pool FROM sessions_rows UNION SELECT pool FROM waits_rows UNION SELECT pool FROM capacity_rows ORDER BY 1"
)

_WHO = (
    f"pool, user_id, coalesce(team, '{NO_TEAM}') AS team, coalesce(workbench_type, '{UNKNOWN}') AS workbench_type, "
    f"coalesce(account, '{UNKNOWN}') AS account"
)

_NEVER = 1 << 40

_SEATS = """CREATE TEMP TABLE seats AS
WITH every AS MATERIALIZED (
    SELECT {who}, hash(installation, server, mode) AS origin, release_reason,
        epoch(granted_at)::BIGINT AS granted_s,
        CASE WHEN waited_s <= {latency} THEN 0 ELSE waited_s END AS wait_s,
        coalesce(epoch(released_at)::BIGINT, {never}) AS end_s
    FROM sessions JOIN chosen USING (pool) LEFT JOIN teams USING (user_id)
    WHERE mode IN {modes} AND granted_s - coalesce(wait_s, 0) < $end AND (granted_s >= $begin OR end_s > $begin)
), several AS (
    SELECT pool FROM every GROUP BY pool
    HAVING count(DISTINCT origin) > 1 OR count(DISTINCT hash(user_id, granted_s)) < count(*)
), ordered AS (
    SELECT *, granted_s < max(end_s) OVER (
        PARTITION BY pool, user_id ORDER BY granted_s, end_s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS goes_on
    FROM every SEMI JOIN several USING (pool)
), numbered AS (
    SELECT *, count(*) FILTER (goes_on IS NOT TRUE) OVER (
        PARTITION BY pool, user_id ORDER BY granted_s, end_s ROWS UNBOUNDED PRECEDING
    ) AS number
    FROM ordered
)
SELECT pool, user_id, arg_min(team, granted_s) AS team, arg_min(workbench_type, granted_s) AS workbench_type,
    arg_min(account, granted_s) AS account, arg_max(release_reason, end_s) AS release_reason,
    min(granted_s) AS granted_s, first(wait_s ORDER BY granted_s, wait_s NULLS LAST) AS wait_s,
    least(max(end_s), $end) AS end_s
FROM numbered GROUP BY pool, user_id, number
UNION ALL SELECT pool, user_id, team, workbench_type, account, release_reason, granted_s, wait_s,
    least(end_s, $end)
FROM every ANTI JOIN several USING (pool)"""

_DRY_RUN = """SELECT count(*) FROM sessions JOIN chosen USING (pool)
WHERE mode = 'DryRun' AND epoch(granted_at) < $end
    AND (epoch(granted_at) >= $begin OR coalesce(epoch(released_at), $end) > $begin)"""

_UNSERVED = """CREATE TEMP TABLE unserved AS
WITH every AS (
    SELECT {who}, outcome, epoch(began_at) AS at_s,
        least(coalesce(epoch(ended_at), $end), $end) - epoch(began_at) AS wait_s
    FROM waits JOIN chosen USING (pool) LEFT JOIN teams USING (user_id)
    WHERE mode IN {modes} AND epoch(began_at) >= $begin AND epoch(began_at) < $end
    QUALIFY row_number() OVER (
        PARTITION BY pool, user_id, began_at
        ORDER BY coalesce(outcome IN ('PoolDeleted', '{unseen}'), false), ended_at
    ) = 1
)
SELECT * EXCLUDE (outcome) FROM every WHERE outcome IS DISTINCT FROM 'Granted'"""

_HELD = """CREATE TEMP TABLE held AS
SELECT {named}, greatest(granted_s, $begin) AS begin_s, end_s FROM seats WHERE granted_s < $end"""

_NEEDS = """CREATE TEMP TABLE needs AS
SELECT {named}, granted_s - coalesce(seats.wait_s, 0) AS at_s,
    CASE WHEN seats.wait_s IS NOT NULL THEN least(granted_s, $end) - at_s END AS wait_s, granted_s < $end AS served
FROM seats WHERE at_s >= $begin
UNION ALL SELECT {named}, at_s, wait_s, false FROM unserved"""

_CAPACITY = """CREATE TEMP TABLE capacity_steps AS
SELECT pool, greatest(epoch(since)::BIGINT, $begin) AS t, arg_max(capacity.seats, since) AS seats
FROM capacity JOIN chosen USING (pool) WHERE epoch(since) < $end AND chosen.seats IS NULL GROUP BY ALL
UNION ALL SELECT pool, $begin, seats FROM chosen WHERE seats IS NOT NULL"""
