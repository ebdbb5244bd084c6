"""Reads the time. Code that decides gets its clock as an argument; this is the default."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Returns the present instant in UTC, with its time zone."""
    return datetime.now(UTC)
