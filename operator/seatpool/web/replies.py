"""Makes HTTP responses: JSON with a tag by which a client sees that nothing changed, and problems."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from seatpool.terminal.output import data
from seatpool.web.problems import MEDIA_TYPE, PROBLEMS, ProblemId, Refusal

JSON = "application/json"
BASE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization, Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Header fields of every response. None permits another origin anything (CORS)."""


def to_json(answer: object) -> bytes:
    """Returns an answer as compact JSON in ASCII, so that no character in it can change how it is shown."""
    return json.dumps(data(answer), ensure_ascii=True, separators=(",", ":")).encode()


def reply(request: Request, answer: object) -> Response:
    """Returns the response with an answer, or with its bytes, or 304 if the client has this very answer."""
    body = answer if isinstance(answer, bytes) else to_json(answer)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if _matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type=JSON, headers={"ETag": tag})


def problem_reply(refusal: Refusal, *, audience: str, request_id: str, path: str) -> Response:
    """Returns the response with a problem."""
    details: dict[str, Any] = refusal.details(audience=audience, request=request_id)
    details |= {"instance": path, "requestId": request_id}
    headers = {}
    if details["status"] == 401:
        error = "" if refusal.id is ProblemId.NO_TOKEN else ', error="invalid_token"'
        headers["WWW-Authenticate"] = f'Bearer realm="seatpool"{error}'
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.id is ProblemId.WRONG_METHOD:
        headers["Allow"] = str(refusal.values["methods"])
    return Response(to_json(details), status_code=PROBLEMS[refusal.id].status, media_type=MEDIA_TYPE, headers=headers)


def _matches(header: str | None, tag: str) -> bool:
    """Tells whether If-None-Match names the tag. Comparison is weak, as RFC 9110 has it for this field."""
    if header is None:
        return False
    tags = {one.strip().removeprefix("W/") for one in header.split(",")}
    return "*" in tags or tag in tags
