"""No line of the log has a control character, in JSON and on a terminal."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from seatpool.cli.logging_setup import configure_logging
from seatpool.settings.settings import LogFormat, LogSettings

EVIL = "vew-\x1b]0;pwned\x1b\\\x1b[2J\u202efalse\nlevel=info\r\x9b\x7f"


@pytest.fixture(params=list(LogFormat))
def stream(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    made = StringIO()
    monkeypatch.setattr("sys.stderr", made)
    configure_logging(LogSettings(format=request.param))
    yield made
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_no_value_name_or_event_is_written_raw(stream: StringIO) -> None:
    structlog.get_logger().warning(EVIL, type=EVIL, several=[EVIL], named={EVIL: EVIL}, error=ValueError(EVIL))
    logging.getLogger("library").warning("said %s", EVIL)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_the_message_of_an_exception_is_not_written_raw(stream: StringIO) -> None:
    try:
        raise ValueError(EVIL.replace("\n", ""))
    except ValueError:
        structlog.get_logger().exception("failed")
    assert stream.getvalue().replace("\n", "").isprintable()


def test_a_line_of_json_says_the_very_text(monkeypatch: pytest.MonkeyPatch, stream: StringIO) -> None:
    structlog.get_logger().warning("event", type=EVIL)
    line = stream.getvalue()
    if line.startswith("{"):
        assert json.loads(line)["type"] == EVIL
