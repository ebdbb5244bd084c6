"""Draws the charts of the pages as SVG: data in, an image out, the same image for the same data.

None tells anything by colour alone: lines differ in style, areas in pattern, and each chart has its numbers in a table beside
it. Colours are those of the style sheet, so a chart is right on a light screen, on a dark one and on paper.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from markupsafe import Markup

from seatpool.text import format_count, format_percent, format_seconds
from seatpool.web.pages.svg import Axis, hatch, image, joined, line, number, rect, tag, text
from seatpool.web.usage import PlanPoint, SeatsFrom, Usage, UsageHourOfWeek, UsageStep, UsageWaits

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_SQUARES = 60
"""Seats that are drawn one by one."""
SHADES = 5
_LEFT, _RIGHT, _BOTTOM = 42.0, 8.0, 24.0


def seat_strip(id: str, *, seats: int, used: int, waiting: int, product: str, width: int = 320) -> Markup:  # noqa: A002
    """Draws the seats of a pool: taken ones filled, free ones empty, and who waits as rings after the last seat."""
    about = f"{used} of {format_count(seats, 'seat')} taken, {waiting} waiting"
    if seats + waiting > MOST_SQUARES:
        across = Axis(0, max(1, seats + waiting), 1, width - 1)
        parts = [
            rect(1, 1, across(seats) - 1, 14, "free", rx=2),
            rect(1, 1, max(0.0, across(min(used, seats)) - 1), 14, "used", rx=2),
        ]
        if waiting:
            parts += [hatch(f"{id}-h"), rect(across(seats) + 1, 1, across(seats + waiting) - across(seats) - 1, 14, "over",
                                             fill=f"url(#{id}-h)")]  # fmt: skip
        return image(id, *parts, width=width, height=16, title=f"Seats of {product}", description=about)
    step = 16
    a_row = width // step
    places = [(index % a_row * step, index // a_row * step) for index in range(seats + waiting)]
    taken, empty, line_up = places[: min(used, seats)], places[min(used, seats) : seats], places[seats:]
    parts = [
        tag("path", d="".join(f"M{x + 2} {y + 2}h10v10h-10z" for x, y in taken), class_="used seat"),
        tag("path", d="".join(f"M{x + 2} {y + 2}h10v10h-10z" for x, y in empty), class_="free seat"),
        tag("path", d="".join(f"M{x + 2} {y + 7}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0" for x, y in line_up), class_="queue"),
    ]
    height = max(1, -(-len(places) // a_row)) * step
    return image(id, *parts, width=width, height=height, title=f"Seats of {product}", description=about)


def concurrency(id: str, usage: Usage, *, zone: tzinfo, width: int, product: str) -> Markup:  # noqa: A002
    """Draws how many seats were taken over time: the average filled, the most at once as a line, the seats dashed."""
    height, steps = 230.0, usage.steps
    top = max([1, *(one.used_peak for one in steps), *(one.seats for one in usage.seats)])
    x = Axis(usage.since.timestamp(), usage.until.timestamp(), _LEFT, width - _RIGHT)
    y = Axis(0, top * 1.08, height - _BOTTOM, 26)
    described = (
        f"From {usage.since.astimezone(zone):%Y-%m-%d} to {usage.until.astimezone(zone):%Y-%m-%d}. At most "
        f"{format_count(usage.peak, 'seat')} taken at once"
    )
    described += f", of {usage.seats[-1].seats}." if usage.seats else "."
    parts = [
        *_grid(y, width),
        *_days(x, usage.since, usage.until, zone, height, most=width // 110),
        tag("path", d=_path(_levels(steps, lambda one: one.used_mean), x, y, closed=True), class_="mean"),
        tag("path", d=_path(_levels(steps, lambda one: one.used_peak), x, y), class_="peak"),
        tag("path", d=_path(_seats_line(usage.seats, usage.since), x, y), class_="seats"),
        *_key(width, bool(usage.seats)),
    ]
    return image(id, *parts, width=width, height=height, title=f"Seats of {product} over time", description=described)


def week_map(id: str, week: Sequence[UsageHourOfWeek], *, seats: int | None, width: int, product: str) -> Markup:  # noqa: A002
    """Draws the hours of the week: darker is more seats taken, slanting lines are hours in which all were taken."""
    left, top, gap = 34.0, 18.0, 1.5
    cell_width, cell = (width - left - 2) / 24, 22.0
    highest = max([1.0, *(one.mean for one in week)])
    parts = [hatch(f"{id}-h")]
    every = 3 if width > 500 else 6
    parts += [text(left + hour * cell_width, 11, f"{hour:02}", class_="small") for hour in range(0, 24, every)]
    parts += [text(0, top + day * cell + 15, name, class_="small") for day, name in enumerate(WEEKDAYS)]
    for one in week:
        x, y = left + one.hour * cell_width, top + WEEKDAYS.index(one.day) * cell
        shade = min(SHADES, round(one.mean / highest * SHADES))
        parts.append(rect(x, y, cell_width - gap, cell - gap, f"heat h{shade}", rx=2))
        if seats is not None and one.peak >= seats:
            parts.append(rect(x, y, cell_width - gap, cell - gap, "full", rx=2, fill=f"url(#{id}-h)"))
        if width > 500 and one.mean >= 0.5:
            parts.append(
                text(
                    x + (cell_width - gap) / 2,
                    y + 14.5,
                    str(int(one.mean + 0.5)),
                    anchor="middle",
                    class_=f"on h{shade}",
                )
            )
    busiest = max(week, key=lambda one: (one.mean, one.peak), default=None)
    described = "Seats taken on average in each hour of the week."
    if busiest is not None:
        described += f" The busiest is {busiest.day} {busiest.hour:02}:00 with {busiest.mean:.1f}."
    height = top + 7 * cell + 2
    return image(id, *parts, width=width, height=height, title=f"Week of {product}", description=described)


def wait_bars(id: str, waits: UsageWaits, *, width: int, product: str) -> Markup:  # noqa: A002
    """Draws which share of the starts had a seat after how long, as one bar for each length of a wait."""
    bar, left = 24.0, 92.0
    x = Axis(0, 1, left, width - 56)
    parts = []
    for index, one in enumerate(waits.served_within):
        y = index * bar
        parts += [
            text(left - 8, y + 16, within(one.seconds), anchor="end", class_="small"),
            rect(left, y + 4, x(1) - left, bar - 8, "free", rx=2),
            rect(left, y + 4, max(1.0, x(one.share) - left), bar - 8, "used" if index == 0 else "mean", rx=2),
            text(x(1) + 6, y + 16, format_percent(one.share), class_="small"),
        ]
    described = "; ".join(f"{within(one.seconds)}: {format_percent(one.share)}" for one in waits.served_within)
    height = bar * max(1, len(waits.served_within))
    return image(id, *parts, width=width, height=height, title=f"Waits for {product}", description=described)


def within(seconds: int) -> str:
    """Returns the name of a longest wait, such as `within 5 min`."""
    return f"within {format_seconds(seconds)}" if seconds else "at once"


def seats_curve(
    id: str,  # noqa: A002
    curve: Sequence[PlanPoint],
    *,
    now: int | None,
    chosen: int | None,
    width: int,
    product: str,
) -> Markup:
    """Draws the share of starts that wait by the number of seats, with the present number and a chosen one."""
    height, left = 210.0, _LEFT + 12  # room for 100 %
    x = Axis(curve[0].seats, curve[-1].seats, left + 8, width - _RIGHT - 8)
    y = Axis(0, max(0.05, *(one.share_waiting for one in curve)) * 1.08, height - _BOTTOM - 12, 22)
    dots = [(x(one.seats), y(one.share_waiting)) for one in curve]
    path = "M" + "L".join(f"{number(a)} {number(b)}" for a, b in dots)
    parts = [
        *(
            joined((line(left, y(share), width - _RIGHT, y(share), "grid"),
                    text(left - 5, y(share) + 4, format_percent(share, places=0), anchor="end", class_="small")))
            for share in _shares(y.high)
        ),
        *(text(x(seats), height - 18, str(seats), anchor="middle", class_="small") for seats in x.ticks(width // 60)),
        text((x.begin + x.end) / 2, height - 2, "seats", anchor="middle", class_="small"),
        tag("path", d=path, class_="peak"),
        *(tag("circle", cx=number(a), cy=number(b), r=2.5, class_="dot", data_seats=one.seats)
          for (a, b), one in zip(dots, curve, strict=True)),
    ]  # fmt: skip
    if now is not None and curve[0].seats <= now <= curve[-1].seats:
        parts += [
            line(x(now), 16, x(now), y.begin, "now"),
            text(x(now), 11, f"now {now}", anchor="middle", class_="small"),
        ]
    point = next((one for one in curve if one.seats == chosen), None)
    if point is not None:
        parts.append(
            tag(
                "circle",
                cx=number(x(point.seats)),
                cy=number(y(point.share_waiting)),
                r=7,
                class_="chosen",
                id=f"{id}-c",
            )
        )
    described = "; ".join(f"{one.seats} seats: {format_percent(one.share_waiting)} of starts wait" for one in curve)
    return image(
        id, *parts, width=width, height=height, title=f"Share of starts that wait, by seats of {product}",
        description=described,
    )  # fmt: skip


def _levels(steps: Sequence[UsageStep], level: Callable[[UsageStep], float]) -> list[tuple[float, float]]:
    return [(one.begin.timestamp(), level(one)) for one in steps]


def _seats_line(seats: Sequence[SeatsFrom], since: datetime) -> list[tuple[float, float]]:
    return [(max(one.since, since).timestamp(), one.seats) for one in seats]


def _path(levels: Sequence[tuple[float, float]], x: Axis, y: Axis, *, closed: bool = False) -> str:
    """Returns a path that stays level from each instant to the next, to the end of the axis."""
    if not levels:
        return ""
    first, before = levels[0]
    found = [f"M{number(x(first))} {number(y(0 if closed else before))}"]
    if closed:
        found.append(f"V{number(y(before))}")
    for at, level in levels[1:]:
        if level != before:
            found.append(f"H{number(x(at))}V{number(y(level))}")
            before = level
    found.append(f"H{number(x.end)}")
    return "".join([*found, *([f"V{number(y(0))}Z"] if closed else [])])


def _grid(y: Axis, width: float) -> list[Markup]:
    return [
        joined((
            line(_LEFT, y(value), width - _RIGHT, y(value), "grid"),
            text(_LEFT - 6, y(value) + 4, str(value), anchor="end", class_="small"),
        ))
        for value in y.ticks(5)
    ]  # fmt: skip


def _days(x: Axis, begin: datetime, end: datetime, zone: tzinfo, height: float, *, most: int) -> list[Markup]:
    """Returns the labels of some midnights."""
    day = begin.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    midnights = []
    while day < end:
        if day >= begin:
            midnights.append(day)
        day += timedelta(days=1)
    every = max(1, -(-len(midnights) // max(1, most)))
    return [
        joined((
            line(x(one.timestamp()), height - _BOTTOM, x(one.timestamp()), height - _BOTTOM + 4, "axis"),
            text(x(one.timestamp()) + 2, height - 6, f"{one:%a} {one.day} {one:%b}", class_="small"),
        ))
        for one in midnights[::every]
        if x(one.timestamp()) < x.end - 50
    ]  # fmt: skip


def _key(width: float, with_seats: bool) -> list[Markup]:
    wide = width > 500
    places = (_LEFT, _LEFT + (130 if wide else 100), _LEFT + (250 if wide else 200))
    found = [
        rect(places[0], 5, 18, 9, "mean"), text(places[0] + 24, 13, "average", class_="small"),
        line(places[1], 10, places[1] + 18, 10, "peak"), text(places[1] + 24, 13, "most at once", class_="small"),
    ]  # fmt: skip
    if with_seats:
        found += [line(places[2], 10, places[2] + 18, 10, "seats"), text(places[2] + 24, 13, "seats", class_="small")]
    return found


def _shares(high: float) -> list[float]:
    step = next((one for one in (0.01, 0.02, 0.05, 0.1, 0.2) if high / one <= 6), 0.25)
    return [step * index for index in range(int(high / step) + 1)]
