"""Renders the templates of the pages, and gives each response its security header fields.

Every value is escaped. What is not printable is shown as an escape, because a browser would obey it. A script or a style runs
only with the nonce of its response, so markup that got into a page could neither run nor load anything.
"""

import hashlib
import secrets
from collections.abc import Hashable
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from fastapi import Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seatpool.text import (
    TimeFormat,
    escape_html,
    format_count,
    format_percent,
    format_seconds,
    html_value,
    split_command,
)
from seatpool.web.pages.charts import seat_strip
from seatpool.web.pages.views.pool import PoolRow

HTML = "text/html; charset=utf-8"
STATIC = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Files that pages load, with their media types."""
MOST_KEPT = 20_000
"""Rendered parts that are kept. Readers who see the same get the same text."""


@cache
def static_file(name: str) -> tuple[bytes, str]:
    """Returns a file that pages load, and the tag of its content."""
    content = files("seatpool.web.pages").joinpath("static", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:16]


def static_url(name: str) -> str:
    """Returns the address of a file. Another content has another address, so browsers may keep it for ever."""
    return f"/static/{name}?v={static_file(name)[1]}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("seatpool.web.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=html_value,
    )
    made.globals |= {
        "static": static_url,
        "count": format_count,
        "time": time_tag,
        "moment": moment_tag,
        "strip": _strip,
    }
    made.filters |= {"percent": format_percent, "seconds": format_seconds, "sentence": sentence, "lines": lines}
    return made


def lines(text: str) -> Markup:
    """Returns a text of several lines, each escaped by itself."""
    return Markup("\n".join(escape_html(line) for line in text.split("\n")))  # noqa: S704


def sentence(text: str) -> Markup:
    """Returns a sentence with the command at its end set apart, so that it can be copied."""
    told, command = split_command(text)
    if not command:
        return Markup(escape_html(text))  # noqa: S704
    return Markup(f"{escape_html(told)} <code>{escape_html(command)}</code>")  # noqa: S704


def _strip(row: PoolRow) -> Markup:
    used = row.used or 0
    return seat_strip(f"strip:{row.key}", seats=row.seats, used=used, waiting=row.waiting, product=row.product)


def time_tag(instant: datetime | None, times: TimeFormat) -> Markup:
    """Returns a time as the reader's clock shows it, with the exact instant for programs."""
    if instant is None:
        return Markup("–")
    return _time(instant, times.format_time(instant))


def moment_tag(instant: datetime, times: TimeFormat) -> Markup:
    """Returns a time with its day, also if that is today."""
    return _time(instant, f"{instant.astimezone(times.zone):%Y-%m-%d %H:%M}")


def _time(instant: datetime, shown: str) -> Markup:
    exact = escape_html(instant.isoformat(timespec="seconds"))
    return Markup(f'<time datetime="{exact}">{escape_html(shown)}</time>')  # noqa: S704


def render(template: str, **values: Any) -> Markup:
    """Returns a part of a page, or a whole page."""
    return Markup(_environment().get_template(template).render(**values))  # noqa: S704


def part(template: str, it: Hashable, times: TimeFormat) -> Markup:
    """Returns a part of a page that shows one thing. It is rendered once a day for all who see the same."""
    day = times.now.astimezone(times.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return _kept_part(template, it, TimeFormat(zone=times.zone, now=day))


@lru_cache(maxsize=MOST_KEPT)
def _kept_part(template: str, it: Hashable, times: TimeFormat) -> Markup:
    return render(template, it=it, times=times)


def page_response(
    template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> Response:
    """Returns the response with a whole page."""
    nonce = secrets.token_urlsafe(16)
    body = render(template, nonce=nonce, **values)
    return Response(body, status_code=status, media_type=HTML, headers=security_headers(nonce) | (headers or {}))


def security_headers(nonce: str) -> dict[str, str]:
    """Returns the header fields of a page. It loads from this site only, and runs what has the nonce."""
    policy = (
        "default-src 'none'",
        f"script-src 'nonce-{nonce}'",
        f"style-src 'nonce-{nonce}'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    # A form sends no Origin with no-referrer, and then nothing tells that it is of this site.
    return {"Content-Security-Policy": "; ".join(policy), "Referrer-Policy": "same-origin"}
