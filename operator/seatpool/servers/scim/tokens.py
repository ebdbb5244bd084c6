"""Credentials of requests: a fixed bearer token, or one that is fetched with OAuth client credentials.

No message has a token, a client secret or what a token endpoint answered, but for the error code that RFC 6749 defines.
"""

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote_plus

from seatpool.servers.errors import CommandFault, TransportError

DEFAULT_LIFE = 300.0
"""Seconds for which a token is used whose life the endpoint does not tell."""
LONGEST_LIFE = 86_400.0
RENEW_BEFORE = 30.0
"""Seconds before the end of a token at which another one is fetched. A short-lived token: a tenth of its life."""
_ERROR = re.compile(r"[a-z_]{1,40}", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}", re.ASCII)


class Post(Protocol):
    """Posts a form, and returns the status and the JSON object of the answer. Raises TransportError."""

    async def __call__(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, Any]: ...


class Tokens(Protocol):
    """Gives the token of a request."""

    async def token(self) -> str:
        """Returns a token. Raises TransportError."""

    def refused(self, token: str) -> bool:
        """Takes a token for refused by the service. Returns whether another one can be had."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may have."""


def checked_token(text: str, what: str) -> str:
    """Returns a token without the space around it. Raises TransportError if no header can have it."""
    token = text.strip()
    if _TOKEN.fullmatch(token) is None:
        raise TransportError(
            CommandFault.REFUSED, f"{what} is no token: it is empty, too long or has spaces", maybe_applied=False
        )
    return token


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token that somebody else made."""

    value: str

    async def token(self) -> str:
        """Returns the token."""
        return self.value

    def refused(self, token: str) -> bool:  # noqa: ARG002
        """Returns False: there is no other token."""
        return False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self.value,)


class ClientCredentials:
    """Fetches tokens by the client credentials grant of RFC 6749, and keeps each until shortly before its end."""

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        scope: str | None,
        post: Post,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._id = client_id
        self._secret = client_secret
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._post = post
        self._monotonic = monotonic
        self._token: str | None = None
        self._until = 0.0
        self._lock = asyncio.Lock()
        self._in_body = False

    async def token(self) -> str:
        """Returns a token that is good for some seconds at least. Callers at the same time share one request."""
        async with self._lock:
            if self._token is None or self._until <= self._monotonic():
                self._token, life = await self._fetch()
                self._until = self._monotonic() + life - min(RENEW_BEFORE, life / 10)
            return self._token

    def refused(self, token: str) -> bool:
        """Forgets a token, unless another one is there already."""
        if token == self._token:
            self._token = None
        return True

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client secret and the token."""
        return (self._secret, self._token) if self._token is not None else (self._secret,)

    async def _fetch(self) -> tuple[str, float]:
        status, answer = await self._ask(in_body=self._in_body)
        if status in (400, 401) and not self._in_body and _error(answer) in ("", "invalid_client", "invalid_request"):
            second_status, second = await self._ask(in_body=True)
            if second_status == 200:
                self._in_body = True
                status, answer = second_status, second
        if status != 200:
            code = _error(answer)
            raise TransportError(
                CommandFault.REFUSED if status in (400, 401, 403) else CommandFault.BAD_ANSWER,
                f"the token endpoint answered {status}{f' ({code})' if code else ''}",
                maybe_applied=False,
            )
        return _token_of(answer)

    async def _ask(self, *, in_body: bool) -> tuple[int, Any]:
        if in_body:
            form = self._form | {"client_id": self._id, "client_secret": self._secret}
            return await self._post(self._url, form, {})
        pair = f"{quote_plus(self._id)}:{quote_plus(self._secret)}"
        header = f"Basic {b64encode(pair.encode()).decode()}"
        return await self._post(self._url, self._form, {"Authorization": header})


def _error(answer: Any) -> str:
    code = answer.get("error") if isinstance(answer, Mapping) else None
    return code if isinstance(code, str) and _ERROR.fullmatch(code) else ""


def _token_of(answer: Any) -> tuple[str, float]:
    """Returns the token of an answer, and its life in seconds."""
    token = answer.get("access_token") if isinstance(answer, Mapping) else None
    kind = answer.get("token_type", "Bearer") if isinstance(answer, Mapping) else None
    if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise TransportError(
            CommandFault.BAD_ANSWER, "the token endpoint answered without a bearer token", maybe_applied=False
        )
    return checked_token(token, "what the token endpoint answered"), _life(answer.get("expires_in"))


def _life(expires_in: Any) -> float:
    try:
        life = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return DEFAULT_LIFE
    return min(life, LONGEST_LIFE) if life > 0 else DEFAULT_LIFE  # NaN is not above 0
