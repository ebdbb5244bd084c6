"""Arithmetic on instants that cannot fail.

Durations come from resources that people write: `minimumHold: 999999d` must mean what it says, and one that reaches
beyond the calendar "for ever", not an OverflowError in the middle of a pool's answer.
"""

from datetime import UTC, datetime, timedelta

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


def after(instant: datetime, duration: timedelta) -> datetime:
    """`instant + duration`, at most NEVER."""
    try:
        return min(instant + duration, NEVER)
    except OverflowError:
        return NEVER


def to_milliseconds(instant: datetime) -> datetime:
    """The instant as the API server keeps it; a finer one would look newer than its own stored copy for ever."""
    finer = instant.microsecond % 1000
    return instant.replace(microsecond=instant.microsecond - finer) if finer else instant
