"""The system's clock. Code takes it as an argument, so that tests can give another one."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Returns the time now, in UTC."""
    return datetime.now(UTC)
