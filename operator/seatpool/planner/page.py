"""Renders plans as one HTML page that loads nothing, for a browser and for paper."""

from collections.abc import Sequence

from markupsafe import Markup

from seatpool.pages import Origin, render
from seatpool.planner import text
from seatpool.planner.past import Past
from seatpool.planner.picture import curve_picture, description
from seatpool.planner.plan import SeatPlan
from seatpool.planner.screen import worth_showing
from seatpool.text import format_number, format_percent


def page(plans: Sequence[SeatPlan], past: Past, left_out: Sequence[str], origin: Origin) -> str:
    """Returns the whole HTML document."""
    helpers = {
        function.__name__: function
        for function in (
            description,
            text.circumstances,
            text.format_wait,
            text.headline,
            text.rules_told,
            text.seats_range,
            text.verdict,
            worth_showing,
        )
    }
    return render(
        "seatpool.planner",
        origin,
        plans=plans,
        past=past,
        remarks=text.remarks(past, left_out),
        sum_told=text.sum_told(plans),
        priced=any(plan.cost is not None for plan in plans),
        pictures=[_pictures(plan) for plan in plans],
        number=format_number,
        percent=format_percent,
        **helpers,
    )


def _pictures(plan: SeatPlan) -> list[Markup]:
    """Returns the picture for a wide page and the one for a narrow page, or nothing if there is nothing to draw."""
    return [Markup(curve_picture(plan, narrow=narrow)) for narrow in (False, True) if plan.curve]  # noqa: S704
