"""A storm makes tens of lines."""

import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.rate_limited_log import RateLimitedLog, escaped


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_thousand_lines_of_a_kind_are_five_and_the_next_minute_says_how_many_were_left_out() -> None:
    clock = Clock()
    log = RateLimitedLog(structlog.get_logger(), MirrorMetrics(CollectorRegistry()), monotonic=clock)
    with capture_logs() as lines:
        for _ in range(1000):
            log.warning("bad message", reason="not_json")
        clock.now = 61
        log.warning("bad message", reason="not_json")
    assert len(lines) == 6
    assert lines[-1]["left_out_before"] == 995


def test_a_rare_reason_is_not_drowned_by_a_frequent_one() -> None:
    log = RateLimitedLog(structlog.get_logger(), MirrorMetrics(CollectorRegistry()), monotonic=Clock())
    with capture_logs() as lines:
        for _ in range(1000):
            log.warning("bad message", reason="not_json")
        log.warning("bad message", reason="too_large")
    assert lines[-1]["reason"] == "too_large"


@pytest.mark.parametrize("text", ["\x1b[2J\x1b]0;owned\x07", "two\nlines", "\u202egnp.exe", "\ud800"])
def test_nothing_in_a_strangers_text_reaches_a_terminal_as_it_is(text: str) -> None:
    assert escaped(text).isprintable()
    assert escaped(text).isascii()


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert escaped("x" * 100_000) == "'" + "x" * 200 + "'... (100000 characters)"
