"""Rows to record."""

from datetime import UTC, datetime, timedelta
from typing import Any

from seatpool.history.schema import Capacity, Refusal, Session, Wait, fact_id

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "installation": "ours",
    "pool": "lab/matlab",
    "product": "matlab",
    "server": "lab/licenses",
    "mode": "Enforce",
    "source": "operator",
}


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def session(
    user: str, granted: float = 0, released: float | None = None, *, seen: float | None = None, **others: Any
) -> Session:
    """A seat from then to then, in seconds after noon."""
    ends: dict[str, Any] = {}
    if released is not None:
        ends = {"released_at": after(released), "release_reason": "WorkbenchesStopped"}
    last = granted if released is None else released
    pool = others.get("pool", FACTS["pool"])
    values: dict[str, Any] = {
        "id": fact_id("session", pool, user, granted),
        "user_id": user,
        "granted_at": after(granted),
        "grant_reason": "Granted",
        "seen_at": after(last if seen is None else seen),
    }
    return Session(**(FACTS | values | ends | others))


def wait(user: str, began: float = 0, ended: float | None = None, *, outcome: str = "Granted", **others: Any) -> Wait:
    ends: dict[str, Any] = {} if ended is None else {"ended_at": after(ended), "outcome": outcome}
    values: dict[str, Any] = {
        "id": fact_id("wait", user, began),
        "user_id": user,
        "began_at": after(began),
        "reason": "PoolFull",
        "seen_at": after(began if ended is None else ended),
    }
    return Wait(**(FACTS | values | ends | others))


def refusal(user: str, at: float = 0) -> Refusal:
    return Refusal(
        **FACTS, id=fact_id("refusal", user, at), user_id=user, refused_at=after(at), reason="Denied", seen_at=after(at)
    )


def capacity(seats: int, since: float = 0, **others: Any) -> Capacity:
    pool = others.get("pool", FACTS["pool"])
    values: dict[str, Any] = {
        "id": fact_id("capacity", pool, since),
        "since": after(since),
        "seats": seats,
        "seen_at": after(since),
    }
    return Capacity(**(FACTS | values | others))
