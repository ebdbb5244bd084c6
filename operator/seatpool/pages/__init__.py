"""Renders HTML pages that load nothing, for a wide screen, a telephone, a dark screen and paper.

The pages of `plan` and `report` are templates in their own packages. They share `style.css`, and the line that says how
a page was made. Importing this package needs jinja2, which the `report` extra installs.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from seatpool.text import html_value

TEMPLATE = "page.html.jinja"


@dataclass(frozen=True, slots=True)
class Origin:
    """Says how a page was made."""

    at: datetime
    """In UTC."""
    version: str
    command: str
    """The command line."""


def render(package: str, origin: Origin, **values: Any) -> str:
    """Returns the whole HTML document from the template of a package. Every value is escaped."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("seatpool.pages", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=html_value,
    )
    return environment.get_template(TEMPLATE).render(origin=origin, **values)
