"""Renders plans as one HTML page that loads nothing, for a browser and for paper."""

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seatpool.planner import text
from seatpool.planner.past import Past
from seatpool.planner.picture import curve_picture
from seatpool.planner.plan import SeatPlan
from seatpool.planner.screen import worth_showing
from seatpool.text import format_number, format_percent, format_seconds, html_value

TEMPLATE = "page.html.jinja"


def page(plans: Sequence[SeatPlan], past: Past, left_out: Sequence[str]) -> str:
    """Returns the whole HTML document."""
    environment = Environment(
        loader=PackageLoader("seatpool.planner", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=html_value,
    )
    helpers = {
        function.__name__: function
        for function in (
            text.circumstances,
            text.headline,
            text.rules_told,
            text.seats_range,
            worth_showing,
        )
    }
    return environment.get_template(TEMPLATE).render(
        plans=plans,
        past=past,
        remarks=text.remarks(past, left_out),
        priced=any(plan.cost is not None for plan in plans),
        pictures=[Markup(curve_picture(plan)) for plan in plans],  # noqa: S704
        length=format_seconds,
        number=format_number,
        percent=format_percent,
        **helpers,
    )
