"""Arithmetic with times that cannot fail.

Durations come from resources that users write. `minimumHold: 999999d` must not raise OverflowError in the middle of an
allocation. A time beyond the calendar is NEVER.
"""

from datetime import UTC, datetime, timedelta

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


def after(instant: datetime, duration: timedelta) -> datetime:
    """Returns `instant + duration`, at most NEVER."""
    try:
        return min(instant + duration, NEVER)
    except OverflowError:
        return NEVER


def before(instant: datetime, duration: timedelta) -> datetime:
    """Returns `instant - duration`, at least the beginning of the calendar."""
    try:
        return instant - duration
    except OverflowError:
        return _BEGINNING


def to_milliseconds(instant: datetime) -> datetime:
    """Cuts a time to milliseconds, as the API server keeps it. A finer time would look newer than its stored copy."""
    finer = instant.microsecond % 1000
    return instant.replace(microsecond=instant.microsecond - finer) if finer else instant
