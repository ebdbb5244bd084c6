"""How long seats are held: what is likely, for somebody who waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FEWEST = 20
"""From fewer seats nothing is concluded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """How much longer a seat is likely held that has been held for some time already."""

    p50: timedelta
    p90: timedelta
    seats: int
    """From how many earlier ones this is concluded."""


def remaining(
    database: "DuckDBPyConnection", *, pool: str, held: timedelta, since: datetime | None = None
) -> Remaining | None:
    """From the pool's seats that were held longer than this one; None when they are too few.

    Only those count whose end was decided by their holder's last workbench, and `since` leaves out what is long ago.
    """
    row = database.execute(
        """SELECT count(*), quantile_disc(held_s - $held, 0.5), quantile_disc(held_s - $held, 0.9) FROM sessions
        WHERE pool = $pool AND release_reason = 'WorkbenchesStopped' AND held_s > $held
            AND ($since IS NULL OR granted_at >= $since)""",
        {
            "pool": pool,
            "held": held.total_seconds(),
            "since": since.replace(tzinfo=None) if since is not None else None,
        },
    ).fetchall()[0]
    count, p50, p90 = row
    if count < FEWEST:
        return None
    return Remaining(p50=timedelta(seconds=p50), p90=timedelta(seconds=p90), seats=count)
