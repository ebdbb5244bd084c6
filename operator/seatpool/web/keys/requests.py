"""Reads what a caller sends to ask for a key."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Request
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from seatpool.api.apikey import VALID_FOR, KeyScope
from seatpool.api.base import Duration, Instant, format_duration
from seatpool.web.problems import ProblemId, Refusal

LARGEST_BODY = 16_384
"""Bytes of a body."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(alias_generator=to_camel, extra="forbid"))
class KeyRequest:
    """A request for a key. The fields are those of an APIKey's spec."""

    scope: KeyScope
    """What the key opens: Own (your own seats), Pool (one pool) or List (pools and servers of the namespace)."""
    purpose: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
    """What the key is for: 1 to 200 characters."""
    namespace: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    """Namespace of the key. Absent, with scope Own: that of one of your workbenches."""
    pool: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name of the pool, in this namespace. Only with scope Pool."""
    valid_for: Duration | None = None
    """How long the key is valid. Absent, without expiresAt: as long as the settings allow."""
    expires_at: Instant | None = None
    """When the key ends."""
    workbench: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name of one of your workbenches, in this namespace. The key ends when it stops or is gone. Only with scope Own."""


_REQUEST = TypeAdapter(KeyRequest)


async def read_request(request: Request) -> KeyRequest:
    """Returns what the body asks for. Raises Refusal. It is read after the caller is known, and never more than is allowed."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(ProblemId.BAD_BODY, most=LARGEST_BODY)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise Refusal(ProblemId.BAD_BODY, most=LARGEST_BODY)
    try:
        return _REQUEST.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid" or not first["loc"]:
            raise Refusal(ProblemId.BAD_BODY, most=LARGEST_BODY) from error
        problem = f"{first['msg'][:1].lower()}{first['msg'][1:]}".removeprefix("value error, ")
        raise bad_field(str(first["loc"][0]), first["input"], problem) from error


def check_request(wanted: KeyRequest, *, longest: timedelta, now: datetime) -> None:
    """Raises Refusal if fields do not go together, or if the key would be valid for too short or too long."""
    if (wanted.pool is not None) != (wanted.scope is KeyScope.POOL):
        raise bad_field("pool", wanted.pool, "pool goes with scope Pool, and with no other")
    if wanted.workbench is not None and wanted.scope is not KeyScope.OWN:
        raise bad_field("workbench", wanted.workbench, "workbench goes with scope Own, and with no other")
    if wanted.namespace is None and wanted.scope is not KeyScope.OWN:
        raise bad_field("namespace", None, f"scope {wanted.scope.value} needs the namespace of the pools")
    if wanted.valid_for is not None and wanted.expires_at is not None:
        raise bad_field("validFor", format_duration(wanted.valid_for), "give validFor or expiresAt, and not both")
    allowed = f"write {VALID_FOR.least} to {format_duration(longest)} from now (web.keys.longest)"
    if wanted.valid_for is not None and not VALID_FOR.shortest <= wanted.valid_for <= longest:
        raise bad_field("validFor", format_duration(wanted.valid_for), allowed)
    if wanted.expires_at is not None and not VALID_FOR.shortest <= wanted.expires_at - now <= longest:
        raise bad_field("expiresAt", wanted.expires_at.isoformat(), allowed)


def bad_field(name: str, value: object, problem: str) -> Refusal:
    """Returns the refusal of one field of the body."""
    return Refusal(ProblemId.BAD_PARAMETER, parameter=f"{name} (body)", value=ascii(value)[:80], problem=problem)
