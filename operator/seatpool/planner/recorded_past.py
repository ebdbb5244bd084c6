"""Reads the past from a history that Seatpool recorded or imported from a license server's log."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from seatpool.api.workbench import InstanceState
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.reasons import Reason
from seatpool.history.store import open_history
from seatpool.planner.past import ActivePeriod, NoSuchPast, Past, trim_end

_SESSIONS = (
    "SELECT user_id, pool, workbench_type, granted_at - to_seconds(coalesce(waited_s, 0)), released_at, release_reason, "
    "waited_s IS NULL "
    "FROM sessions"
)
_WAITS = (
    "SELECT user_id, pool, workbench_type, began_at, ended_at, outcome, false FROM waits "
    "WHERE outcome IS DISTINCT FROM 'Granted' AND outcome IS DISTINCT FROM 'Denied'"
)


class TooMuchPast(SeatpoolError):
    """There are more seats and waits than the caller wants to read."""


def read_history(
    folder: Path,
    *,
    since: date | None,
    linger: timedelta,
    by_type: bool,
    pool: str | None = None,
    most: int | None = None,
    limits: Mapping[str, Any] | None = None,
) -> Past:
    """Returns the past in a folder. Its workbench types are the pools of the history, unless `by_type`.

    `since` is a day in UTC, and what began before it is cut. `linger` is how long the pools kept a seat after the last
    workbench stopped. The need ended so much before the release. `pool`: only this one. `most`: so many rows at most.
    `limits` are those of `open_history`. Raises NoSuchPast, TooMuchPast and HistoryNotReadable.
    """
    with open_history(folder, since=since, limits=limits) as database:
        query, values = f"SELECT * FROM ({_SESSIONS} UNION ALL {_WAITS})", []  # noqa: S608
        if pool is not None:
            query, values = f"{query} WHERE pool = ?", [pool]
        found = database.execute(query, values)
        rows: list[tuple[Any, ...]] = found.fetchall() if most is None else found.fetchmany(most + 1)
        last = database.execute("SELECT max(heard_at) FROM heard").fetchone()
    if not rows or last is None or last[0] is None:
        raise NoSuchPast(f"--history {folder}: it has no seat intervals; record some, or import a log into it")
    if most is not None and len(rows) > most:
        raise TooMuchPast(f"--history {folder}: more than {most:,} seats and waits are in it")
    until = _utc(last[0])
    first = datetime.min.replace(tzinfo=UTC) if since is None else datetime.combine(since, time(), UTC)
    periods = []
    waits_not_known = 0
    for user, pool, of_type, begin, ended, why, unknown in rows:
        begun, end = max(_utc(begin), first), until if ended is None else _utc(ended)
        if why == Reason.WORKBENCHES_STOPPED:
            end = trim_end(begun, end, by=linger)
        name = (of_type or pool) if by_type else pool
        if begun < end:
            waits_not_known += unknown
            periods.append(ActivePeriod(user, name, InstanceState.RUNNING.value, begun, end))
    if not periods:
        after = "" if since is None else f" after {since}"
        raise NoSuchPast(
            f"--history {folder}: no user has a seat for any time{after}; it ends at {until:%Y-%m-%d %H:%M}"
        )
    return Past(
        periods=periods,
        since=min(period.begin for period in periods),
        until=max(until, *(period.end for period in periods)),
        source=str(folder),
        lines=len(rows),
        passed_over=Counter(),
        waits_not_known=waits_not_known,
    )


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
