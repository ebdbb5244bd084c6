"""Keeps a reader of the pages signed in: a cookie with the reader's own token, and the checks that a browser needs.

There is no session on the server: the cookie holds the token, and each request asks about it as if it came in a header. So a
token that has ended ends the session, and any replica can answer. The cookie is not sent along from other sites, no script can
read it, and what changes something is refused unless the browser says that the request comes from a page of this very site.
"""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Request, Response

SECURE_COOKIE = "__Host-seatpool"
LOOPBACK_COOKIE = "seatpool"
"""A browser takes no `__Host-` cookie without HTTPS. On the reader's own machine no network is in between."""
LONGEST_COOKIE = 3800
"""Bytes of a token that every browser keeps in a cookie."""
_LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,600}", re.ASCII)
SAFE_METHODS = frozenset({"GET", "HEAD"})


def cookie_token(request: Request) -> str | None:
    """Returns the token of the cookie. None: there is none."""
    return request.cookies.get(_cookie_of(request)) or None


def sign_in(request: Request, response: Response, token: str) -> None:
    """Lets the browser keep a token until it is closed or signed out."""
    name = _cookie_of(request)
    response.set_cookie(
        name, token, path="/", httponly=True, samesite="strict", secure=name == SECURE_COOKIE
    )  # fmt: skip


def sign_out(request: Request, response: Response) -> None:
    """Lets the browser forget its token."""
    name = _cookie_of(request)
    response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=name == SECURE_COOKIE)


def is_same_origin(request: Request) -> bool:
    """Tells whether the browser says that a request comes from a page of this very site.

    Sec-Fetch-Site cannot be set by a page. Browsers leave it out without HTTPS; then Origin has to name this host.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin, host = request.headers.get("origin"), request.headers.get("host")
    return bool(host) and origin is not None and urlsplit(origin).netloc == host


def is_from_another_site(request: Request) -> bool:
    """Tells whether a browser says that a page of another site makes it send a request. Programs say nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return request.headers.get("origin") is not None and not is_same_origin(request)


def is_plain(request: Request) -> bool:
    """Tells whether the reader's browser has no HTTPS here, so that it keeps no cookie."""
    origin = urlsplit(request.headers.get("origin", ""))
    return origin.scheme == "http" and not is_loopback(origin.hostname or "")


def comes_from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Tells whether a link of another site was followed. Then the browser has left the cookie out."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") == "navigate"


def local_path(text: str | None) -> str:
    """Returns a path of this site as it is, and `/` for everything else, such as an address of another site."""
    return text if text is not None and _LOCAL_PATH.fullmatch(text) else "/"


def is_loopback(host: str) -> bool:
    """Tells whether a host name means the reader's own machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _cookie_of(request: Request) -> str:
    plain = request.url.scheme == "http" and is_loopback(
        urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    )
    return LOOPBACK_COOKIE if plain else SECURE_COOKIE
