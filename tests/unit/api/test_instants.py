"""An instant is UTC once it was read. One that UTC cannot say is refused where it is read, and breaks nothing later."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from seatpool.api.base import Instant, format_instant

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_outside_the_calendar_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValidationError, match="is no time of the years 1 to 9999 in UTC"):
        INSTANT.validate_python(text)


def test_an_instant_of_another_zone_is_read_as_utc() -> None:
    assert INSTANT.validate_python("2026-01-05T10:00:00+01:00").tzinfo is UTC
    assert INSTANT.validate_python("2026-01-05T10:00:00+01:00") == datetime(2026, 1, 5, 9, tzinfo=UTC)


@given(st.datetimes(timezones=OFFSETS))
def test_whatever_is_read_can_be_written_and_read_again(instant: datetime) -> None:
    try:
        read = INSTANT.validate_python(instant.isoformat())
    except ValidationError:
        return
    assert read.utcoffset() == timedelta(0)
    text = format_instant(read)
    assert INSTANT.validate_python(text) == read.replace(microsecond=read.microsecond // 1000 * 1000)
