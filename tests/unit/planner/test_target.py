"""The grammar of targets, and which percentile is meant."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.planner.replay_result import NEVER_SERVED
from seatpool.planner.target import InvalidTarget, Statistic, Target, percentile

EVERY_FORM = [
    "p1 wait < 1s",
    "p95 wait < 10m",
    "p99.999 wait < 1h",
    "max wait < 1h",
    "share waiting < 5%",
    "share waiting <= 0%",
    "share waiting < 0%",
    "share served within 10m >= 95%",
    "share served within 10m > 100%",
]


@pytest.mark.parametrize(
    ("text", "statistic", "percent", "limit", "told"),
    [
        ("p95 wait < 10m", Statistic.PERCENTILE, 95, 600, "p95 wait < 10m"),
        ("  p50<=1h30m ", Statistic.PERCENTILE, 50, 5400, "p50 wait <= 1h30m"),
        ("p99.9 waiting < 2h", Statistic.PERCENTILE, Fraction("99.9"), 7200, "p99.9 wait < 2h"),
        ("max wait < 90s", Statistic.MAX, 0, 90, "max wait < 1m30s"),
        ("share waiting < 5%", Statistic.SHARE, 0, 0.05, "share waiting < 5%"),
        ("share wait <= 0.01", Statistic.SHARE, 0, 0.01, "share waiting <= 1%"),
        ("share served within 10m >= 95%", Statistic.SERVED_WITHIN, 0, 0.95, "share served within 10m >= 95%"),
        ("served within 1h>.9", Statistic.SERVED_WITHIN, 0, 0.9, "share served within 1h > 90%"),
    ],
)
def test_a_target_is_read_in_any_spacing(
    text: str, statistic: Statistic, percent: Fraction, limit: float, told: str
) -> None:
    target = Target.read(text)
    assert (target.statistic, target.percent, target.limit, target.text) == (statistic, percent, limit, told)
    assert Target.read(target.text) == target


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no bound"),
        ("p95 wait > 10m", "no bound"),
        ("p100 wait < 10m", "no bound"),
        ("p95 wait < 10", "not a duration"),
        ("p95 wait < 10 m", "no bound"),
        ("p0 wait < 1m", "no percentile p0"),
        ("share waiting < 10m", "not a share"),
        ("share waiting < 150%", "more than all"),
        ("mean wait < 10m", "no bound"),
        ("share served within 10m < 95%", "no bound"),
        ("share served within 10 >= 95%", "not a duration"),
        ("share served within 10m >= 95m", "not a share"),
        ("p95 wait < 10m; rm", "no bound"),
    ],
)
def test_what_is_no_target_is_refused_with_examples(text: str, what: str) -> None:
    with pytest.raises(InvalidTarget, match=what) as refused:
        Target.read(text)
    assert "write for example 'p95 wait < 10m'" in str(refused.value)


def test_a_bound_without_equality_is_not_met_by_the_limit_itself() -> None:
    for of in ("p95 wait", "max wait"):
        assert Target.read(f"{of} < 10m").is_exceeded_by(600)
        assert not Target.read(f"{of} <= 10m").is_exceeded_by(600)
    assert not Target.read("share served within 10m >= 95%").is_exceeded_by(600)
    assert not Target.read("share waiting < 5%").permits(5, of=100)
    assert Target.read("share waiting <= 5%").permits(5, of=100)
    assert not Target.read("share served within 10m > 95%").permits(5, of=100)
    assert Target.read("share served within 10m >= 95%").permits(5, of=100)


@pytest.mark.parametrize(
    "text", ["p50 wait < 0s", "p95 wait <= 9999d", "max wait < 9999d", "share waiting < 5%", "served within 1h >= 50%"]
)
def test_a_need_that_is_never_served_exceeds_every_bound(text: str) -> None:
    assert Target.read(text).is_exceeded_by(NEVER_SERVED)


@given(st.integers(0, 400), st.sampled_from(EVERY_FORM))
def test_the_most_that_a_target_permits_is_permitted_and_one_more_is_not(of: int, text: str) -> None:
    target = Target.read(text)
    most = target.most_permitted(of)
    assert most < 0 or target.permits(most, of=of)
    assert most == of or not target.permits(most + 1, of=of)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(1, 99))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    found = percentile([float(value) for value in sorted(values)], percent)
    enough = [value for value in values if sum(other <= value for other in values) * 100 >= percent * len(values)]
    assert found == min(enough)
