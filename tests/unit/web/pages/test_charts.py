"""Charts: whatever the data says, the result is one well-formed image with a name, and no text of it is markup."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.web.pages.charts import concurrency, seat_strip, seats_curve, wait_bars, week_map, within
from seatpool.web.pages.svg import NARROW, WIDE, Axis
from seatpool.web.usage import PlanPoint, SeatsFrom, ServedWithin, Usage, UsageHourOfWeek, UsageStep, UsageWaits

SVG = "{http://www.w3.org/2000/svg}"
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = '<img src=x onerror="alert(1)">&\'"\u202e\x1b[31m]]></svg><script>'
names = st.one_of(st.just(HOSTILE), st.text(max_size=40))
levels = st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**6)), min_size=1, max_size=30)


def usage(steps: list[tuple[float, int]], seats: int | None = None) -> Usage:
    made = tuple(
        UsageStep(begin=BEGIN + timedelta(hours=at), used_mean=mean, used_peak=peak, waiting_mean=0, waiting_peak=0)
        for at, (mean, peak) in enumerate(steps)
    )
    waits = UsageWaits(
        needs=10, not_known=0, never_served=1, share_waiting=0.5, wait_p50_s=0, wait_p95_s=60, wait_max_s=60,
        served_within=(ServedWithin(seconds=0, share=0.5), ServedWithin(seconds=300, share=0.9)),
    )  # fmt: skip
    until = BEGIN + timedelta(hours=len(steps))
    return Usage(
        pool="lab/matlab", since=BEGIN, until=until, time_zone="UTC", first=BEGIN, last=until, step="hour", steps=made,
        seats=() if seats is None else (SeatsFrom(since=BEGIN, seats=seats),), week=(), waits=waits, users=1, sessions=1,
        held_hours=1, mean=1, p95=1, peak=max(peak for _, peak in steps), utilisation=None, saturated_hours=None,
        never_used=None, in_dry_run=0, ends_not_recorded=0,
    )  # fmt: skip


def point(seats: int, share: float) -> PlanPoint:
    return PlanPoint(
        seats=seats, share_served=1 - share, share_waiting=share, never_served=0, share_never_served=0, wait_p50_s=None,
        wait_p95_s=None, wait_p95_low_s=None, wait_p95_high_s=None, wait_max_s=0, utilisation=0.5, meets_target=True,
    )  # fmt: skip


def parsed(image: str) -> ElementTree.Element:
    """The image, if it is well formed, has a name and a description, and is made of nothing but known elements."""
    found = ElementTree.fromstring(str(image).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert found.tag == f"{SVG}svg"
    assert found.get("role") == "img"
    ids = (found.get("aria-labelledby") or "").split()
    title, description = found[0], found[1]
    assert (title.tag, description.tag) == (f"{SVG}title", f"{SVG}desc")
    assert [title.get("id"), description.get("id")] == ids
    assert title.text
    assert description.text
    known = {"svg", "title", "desc", "rect", "circle", "line", "path", "text", "defs", "pattern"}
    for element in found.iter():
        assert element.tag.removeprefix(SVG) in known
        assert not any(name.startswith("on") or name == "style" for name in element.attrib)
        for name in ("x", "y", "width", "height", "cx", "cy", "x1", "y2"):
            assert "nan" not in element.get(name, "")
            assert "inf" not in element.get(name, "")
    return found


@given(product=names, steps=levels, seats=st.none() | st.integers(0, 10**6), width=st.sampled_from((WIDE, NARROW)))
def test_seats_over_time(product: str, steps: list[tuple[float, int]], seats: int | None, width: int) -> None:
    found = parsed(concurrency("c", usage(steps, seats), zone=UTC, width=width, product=product))
    assert len(found.findall(f"{SVG}path[@class='seats']")) >= (seats is not None)


@given(
    product=names,
    seats=st.integers(0, 300),
    used=st.integers(0, 400),
    waiting=st.integers(0, 300),
)
def test_a_strip_has_a_shape_for_each_seat_and_each_user_who_waits(
    product: str, seats: int, used: int, waiting: int
) -> None:
    found = parsed(seat_strip("s", seats=seats, used=used, waiting=waiting, product=product))
    description = found[1].text or ""
    assert f"{waiting} waiting" in description
    if seats + waiting <= 60:
        drawn = {one.get("class"): (one.get("d") or "").count("M") for one in found.findall(f"{SVG}path")}
        taken = min(used, seats)
        assert drawn == {"used seat": taken, "free seat": seats - taken, "queue": waiting}


@given(product=names, cells=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23), st.floats(0, 1e5)), max_size=20))
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_full_hours_of_a_week_are_marked_by_a_pattern(
    width: int, product: str, cells: list[tuple[int, int, float]]
) -> None:
    week = [
        UsageHourOfWeek(
            day=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day], hour=hour, mean=mean, peak=int(mean), needs=0,
            share_waiting=None, wait_p95_s=None,
        )
        for day, hour, mean in cells
    ]  # fmt: skip
    found = parsed(week_map("w", week, seats=100, width=width, product=product))
    full = [one for one in week if one.peak >= 100]
    assert len(found.findall(f"{SVG}rect[@class='full']")) == len(full)


@given(product=names, shares=st.lists(st.floats(0, 1), max_size=9))
def test_waits_are_told_in_text_too(product: str, shares: list[float]) -> None:
    waits = UsageWaits(
        needs=10, not_known=0, never_served=0, share_waiting=None, wait_p50_s=None, wait_p95_s=None, wait_max_s=None,
        served_within=tuple(ServedWithin(seconds=at * 60, share=share) for at, share in enumerate(shares)),
    )  # fmt: skip
    made = wait_bars("b", waits, width=WIDE, product=product)
    if shares:
        assert len(parsed(made).findall(f"{SVG}text")) == 2 * len(shares)


@given(
    product=names,
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=15),
    first=st.integers(0, 10**5),
    now=st.none() | st.integers(0, 20),
    chosen=st.none() | st.integers(0, 20),
)
def test_the_curve_shows_each_number_of_seats(
    product: str, shares: list[float], first: int, now: int | None, chosen: int | None
) -> None:
    curve = [point(first + at, share) for at, share in enumerate(shares)]
    found = parsed(
        seats_curve(
            "c",
            curve,
            now=None if now is None else first + now,
            chosen=None if chosen is None else first + chosen,
            width=WIDE,
            product=product,
        )
    )
    dots = found.findall(f"{SVG}circle[@class='dot']")
    assert [dot.get("data-seats") for dot in dots] == [str(one.seats) for one in curve]
    assert len(found.findall(f"{SVG}circle[@class='chosen']")) == (chosen is not None and chosen < len(curve))


def test_no_name_becomes_markup() -> None:
    made = seat_strip("s", seats=2, used=1, waiting=1, product=HOSTILE)
    assert "<img" not in made
    assert "<script" not in made
    assert "\x1b" not in made
    assert "\u202e" not in made
    assert HOSTILE[:4] in (parsed(made)[0].text or "")


def test_equal_data_are_equal_text() -> None:
    first, second = (concurrency("c", usage([(1, 2), (2, 3)], 4), zone=UTC, width=WIDE, product="m") for _ in range(2))
    assert first == second


@given(low=st.integers(0, 10**6), span=st.integers(0, 10**6), most=st.integers(1, 20))
def test_an_axis_has_few_round_ticks(low: int, span: int, most: int) -> None:
    ticks = Axis(low, low + span, 0, 100).ticks(most)
    assert len(ticks) <= most + 1
    assert all(low <= one <= low + span for one in ticks)


def test_a_wait_is_named_as_people_say_it() -> None:
    assert [within(seconds) for seconds in (0, 60, 3600)] == ["at once", "within 1 min", "within 1 h"]
