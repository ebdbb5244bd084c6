"""Finds out who a caller is, by asking the API server about the caller's token (TokenReview), or the keyring about a key.

A token must be for the audience of the settings, so one that was stolen here opens nothing else. Answers are kept for a short
time under a keyed hash of the token: a yes for a minute, or until the token ends, and a no for five seconds. No token is kept,
logged or compared. What does not look like a token is refused without asking, and the limits count before the API server is
asked, so that guessing cannot load it.
"""

import asyncio
import base64
import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic_core import from_json

from seatpool.kube.client import Body
from seatpool.kube.errors import Forbidden, KubeError
from seatpool.web.caller import Caller
from seatpool.web.keys.text import looks_like_key
from seatpool.web.problems import ProblemId, Refusal

__all__ = ["Authenticator", "Caller", "Reviews", "read_token"]
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
YES = 60.0
"""Seconds for which a caller is known without asking again."""
NO = 5.0
"""Seconds for which a refused token is known without asking again."""
MOST_TOKENS = 20_000
LONGEST_TOKEN = 16_384
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_SCHEME = re.compile(r"bearer +(?P<token>\S+) *", re.IGNORECASE)


class Reviews(Protocol):
    """Creates review objects at the API server, as KubeClient does."""

    async def create_raw(self, path: str, body: Mapping[str, Any]) -> Body: ...


class Keys(Protocol):
    """Accepts keys, as Keyring does."""

    def caller(self, text: str) -> Caller: ...


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller | None
    until: float


def read_token(header: str | None) -> str:
    """Returns the token of an Authorization header. Raises Refusal if there is none."""
    if header is None:
        raise Refusal(ProblemId.NO_TOKEN)
    found = _SCHEME.fullmatch(header)
    if found is None:
        raise Refusal(ProblemId.BAD_TOKEN)
    return check_token(found["token"])


def check_token(token: str) -> str:
    """Returns the token. Raises Refusal if it cannot be one."""
    if len(token) > LONGEST_TOKEN or _TOKEN.fullmatch(token) is None:
        raise Refusal(ProblemId.BAD_TOKEN)
    return token


@dataclass(kw_only=True)
class Authenticator:
    """Asks the API server who a token belongs to, and remembers the answers."""

    reviews: Reviews
    audience: str
    keys: Keys | None = None
    """None: no key is accepted."""
    monotonic: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    _known: OrderedDict[bytes, _Known] = field(default_factory=OrderedDict, init=False)
    _asking: dict[bytes, "asyncio.Task[Caller | None]"] = field(default_factory=dict, init=False)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), init=False, repr=False)

    def digest(self, token: str) -> bytes:
        """Returns what stands for a token in this process. It is another one in each process."""
        return hashlib.blake2b(token.encode(), key=self._key, digest_size=32).digest()

    def is_known(self, digest: bytes) -> bool:
        """Tells whether the API server need not be asked about a token."""
        known = self._known.get(digest)
        return digest in self._asking or (known is not None and known.until > self.monotonic())

    async def caller(self, token: str) -> Caller:
        """Returns whose token this is. Raises Refusal if it is not accepted, or if the API server does not answer."""
        digest = self.digest(token)
        if looks_like_key(token):
            return self._caller_by_key(token, digest)
        known = self._known.get(digest)
        if known is not None and known.until > self.monotonic():
            found = known.caller
        else:
            asking = self._asking.get(digest)
            if asking is None:
                # One question for all requests that come meanwhile. It goes on if one of them is given up.
                asking = self._asking[digest] = asyncio.create_task(self._ask(token, digest))
                asking.add_done_callback(lambda done: self._asked(digest, done))
            found = await asyncio.shield(asking)
        if found is None:
            raise Refusal(ProblemId.BAD_TOKEN)
        return found

    def _caller_by_key(self, token: str, digest: bytes) -> Caller:
        """Returns whose key this is. It is decided anew each time; what is kept is only that a good key is no guess."""
        if self.keys is None:
            raise Refusal(ProblemId.BAD_KEY)
        caller = self.keys.caller(token)
        self._remember(digest, _Known(caller, self.monotonic() + YES))
        return caller

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known.pop(digest, None)
        self._known[digest] = known
        if len(self._known) > MOST_TOKENS:
            self._known.popitem(last=False)

    def _asked(self, digest: bytes, done: "asyncio.Task[Caller | None]") -> None:
        self._asking.pop(digest, None)
        if not done.cancelled():
            done.exception()  # it is retrieved, also if every request was given up

    async def _ask(self, token: str, digest: bytes) -> Caller | None:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [self.audience]},
        }
        try:
            answer = await self.reviews.create_raw(REVIEWS, body)
        except Forbidden as error:
            raise Refusal(ProblemId.MAY_NOT_ASK) from error
        except KubeError as error:
            raise Refusal(ProblemId.NO_ANSWER, retry_after=2) from error
        found = self._read(answer.get("status") or {})
        lasts = NO if found is None else min(YES, _rest_of(token, self.wall_clock()))
        self._remember(digest, _Known(found, self.monotonic() + lasts))
        return found

    def _read(self, status: Mapping[str, Any]) -> Caller | None:
        user = status.get("user") or {}
        if status.get("authenticated") is not True or self.audience not in (status.get("audiences") or ()):
            return None
        if not user.get("username"):
            return None
        return Caller(
            name=user["username"],
            uid=user.get("uid", ""),
            groups=tuple(user.get("groups") or ()),
            extra=tuple(sorted((name, tuple(values)) for name, values in (user.get("extra") or {}).items())),
        )


def _rest_of(token: str, now: float) -> float:
    """Returns in how many seconds a token ends that the API server took. Infinity: it does not say."""
    try:
        payload = token.split(".")[1]
        end = from_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        return max(0.0, float(end) - now)
    except (ValueError, TypeError, KeyError, IndexError):
        return float("inf")
