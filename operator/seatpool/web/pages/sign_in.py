"""Signs readers in and out, and serves the files that pages load. Here nobody is known yet.

The token is asked about as that of any request, and refused tokens count in the same limit. A reader is sent to no other site.
"""

from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from seatpool.web.authentication import LONGEST_TOKEN, check_token
from seatpool.web.caller import Caller
from seatpool.web.pages.reader import zone_of
from seatpool.web.pages.rendering import STATIC, page_response, static_file
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.routing import service_of
from seatpool.web.session import (
    LONGEST_COOKIE,
    comes_from_elsewhere,
    is_plain,
    is_same_origin,
    local_path,
    sign_in,
    sign_out,
)

router = APIRouter(include_in_schema=False, default_response_class=Response)
SIGN_IN = "/sign-in"
LONGEST_BODY = LONGEST_TOKEN + 4096
FOR_EVER = "public, max-age=31536000, immutable"


@router.get(SIGN_IN)
async def sign_in_page(request: Request, to: Annotated[str, Query(max_length=1024)] = "/") -> Response:
    """Shows the form that takes a token."""
    return _form(request, local_path(to))


@router.post(SIGN_IN)
async def take_token(request: Request) -> Response:
    """Takes a token, and opens the page that the reader came from."""
    if not is_same_origin(request):
        raise Refusal(ProblemId.OTHER_SITE)
    given = await _fields(request)
    to = local_path(given.get("to"))
    try:
        if is_plain(request):
            raise Refusal(ProblemId.NO_HTTPS)
        token = check_token(given.get("token", "").strip())
        caller = await service_of(request).caller_of(token, request)
        if len(token) > LONGEST_COOKIE:
            raise Refusal(ProblemId.TOKEN_TOO_LONG, most=LONGEST_COOKIE)
    except Refusal as refusal:
        return _form(request, to, refusal)
    return _signed_in(request, token, _first_page(caller) if to == "/" else to)


@router.post("/sign-out")
async def forget_token(request: Request) -> Response:
    """Lets the browser forget the token."""
    if not is_same_origin(request):
        raise Refusal(ProblemId.OTHER_SITE)
    answer = RedirectResponse(SIGN_IN, status_code=303)
    sign_out(request, answer)
    return answer


@router.get("/enter/{code}")
async def enter(request: Request, code: Annotated[str, Path(max_length=64)], to: str = "/") -> Response:
    """Signs a reader in by a code, and opens a page of this site."""
    token = service_of(request).sign_in_codes.take(code)
    if token is None:
        raise Refusal(ProblemId.BAD_CODE)
    return _signed_in(request, token, local_path(to))


@router.get("/static/{name}")
async def static(name: Annotated[str, Path(max_length=64)], v: Annotated[str, Query(max_length=64)] = "") -> Response:
    """Returns a file that pages load. It has no secret, so nobody has to be known."""
    if name not in STATIC:
        raise Refusal(ProblemId.NO_ROUTE)
    content, tag = static_file(name)
    headers = {"Cache-Control": FOR_EVER} if v == tag else {}
    return Response(content, media_type=STATIC[name], headers=headers)


def ask_to_sign_in(request: Request) -> Response:
    """Returns the response to a reader who is not signed in: the form, which leads back to this page.

    A browser that follows a link of another site leaves the cookie out. Then the page is opened once more from here.
    """
    query = f"?{request.url.query}" if request.url.query else ""
    to = local_path(request.url.path + query)
    if comes_from_elsewhere(request.headers):
        return page_response("again.html.jinja", title="One moment", to=to, stream="", zone_name=str(zone_of(request)))
    return RedirectResponse(f"{SIGN_IN}?to={quote(to, safe='/')}" if to != "/" else SIGN_IN, status_code=303)


def error_page(request: Request, refusal: Refusal) -> Response:
    """Returns the page that says what is wrong."""
    audience = service_of(request).settings.audience
    problem = refusal.details(on_a_page=True, audience=audience, request=request.state.request_id)
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return page_response(
        "error.html.jinja", status=problem["status"], headers=headers, title=problem["title"], problem=problem,
        request_id=request.state.request_id, stream="", zone_name=str(zone_of(request)),
    )  # fmt: skip


def _first_page(caller: Caller) -> str:
    """Returns the page that a caller sees first: the own seats, or what a key is for."""
    if caller.key is None or caller.key.is_own:
        return "/"
    return "/pools" if caller.key.pool is None else f"/pools/{caller.key.namespace}/{caller.key.pool}"


def _form(request: Request, to: str, refusal: Refusal | None = None) -> Response:
    service = service_of(request)
    audience, with_keys = service.settings.audience, service.keys is not None
    problem = None if refusal is None else refusal.details(audience=audience)
    headers = {"Retry-After": str(refusal.retry_after)} if refusal is not None and refusal.retry_after else {}
    return page_response(
        "sign_in.html.jinja", status=200 if problem is None else problem["status"], headers=headers, title="Sign in", to=to,
        problem=problem, audience=audience, with_keys=with_keys, stream="", zone_name=str(zone_of(request)),
    )  # fmt: skip


def _signed_in(request: Request, token: str, to: str) -> Response:
    answer = RedirectResponse(to, status_code=303)
    sign_in(request, answer, token)
    return answer


async def _fields(request: Request) -> dict[str, str]:
    """Returns the fields of a form. What is too long or no form has none."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_BODY:
            return {}
    found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10) if body.count(b"&") < 10 else {}
    return {name: values[0] for name, values in found.items()}
