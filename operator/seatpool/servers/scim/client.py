"""Makes requests to a SCIM service: credentials, limits of time and size, repeats, and what a failure means.

A request is repeated if the service asks for time (429, 503), and once with a new token if it refuses the old one (401). A
redirect is not followed: a token and a list would go where no one has allowed them to.
"""

import asyncio
import json
import math
import ssl
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from yarl import URL

from seatpool.backoff import pause_after
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.scim.tokens import Tokens
from seatpool.text import escape_unprintable

MOST_CONNECTIONS = 8
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read. 5,000 members need about one million."""
LARGEST_TOKEN_ANSWER = 64 * 1024
LARGEST_ERROR = 64 * 1024
"""Bytes of an answer that is only shown."""
CONNECT = 10.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
SHOWN = 200
"""Characters of a service's own words in a message."""
MEDIA_TYPE = "application/scim+json"
_READS = frozenset({"GET", "HEAD"})
_PASSING = frozenset({429, 503})
_RETURNED = frozenset({400, 403, 404, 405, 409, 410, 411, 412, 413, 414, 415, 422, 428, 500, 501})
"""Refusals that may concern what was asked for, and not the service. Callers decide."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service answered."""

    status: int
    body: Mapping[str, Any] | None
    """The JSON object. None: there was none."""
    version: str | None = None
    """The ETag."""
    problem: str = ""
    """Of a refusal: status and the service's own words, for a message."""

    @property
    def is_ok(self) -> bool:
        """Whether the service did what was asked. Or says so."""
        return 200 <= self.status < 300

    @property
    def kind(self) -> str:
        """The scimType of a refusal. Empty: it has none."""
        kind = self.body.get("scimType") if self.body is not None else None
        return kind if isinstance(kind, str) else ""


@dataclass(frozen=True, slots=True)
class _Raw:
    status: int
    content: bytes
    headers: Mapping[str, str]


class ScimClient:
    """Makes the requests to one service. Raises TransportError if the service cannot be asked at all."""

    def __init__(
        self,
        *,
        url: str,
        context: ssl.SSLContext,
        timeout: timedelta,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base = url.rstrip("/")
        self._host = urlsplit(url).netloc
        self._context = context
        self._timeout = timeout.total_seconds()
        self._monotonic = monotonic
        self._session: aiohttp.ClientSession | None = None
        self._tokens: Tokens | None = None
        self._places = asyncio.Semaphore(MOST_CONNECTIONS)

    @property
    def host(self) -> str:
        """Host and port of the service."""
        return self._host

    def use(self, tokens: Tokens) -> None:
        """Takes the credentials of all requests."""
        self._tokens = tokens

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, *path: str, **query: str | int) -> Answer:
        """Reads a resource, or searches: `get("Users", filter=...)`."""
        return await self._request("GET", path, query=query)

    async def put(self, *path: str, body: Mapping[str, Any], version: str | None) -> Answer:
        """Replaces a resource. `version`: only if it has this version still."""
        return await self._request("PUT", path, body=body, version=version)

    async def patch(self, *path: str, body: Mapping[str, Any], version: str | None) -> Answer:
        """Changes a resource. `version`: only if it has this version still."""
        return await self._request("PATCH", path, body=body, version=version)

    async def post_form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, Any]:
        """Posts a form to a token endpoint. Returns the status and the JSON of the answer, None if it has none."""
        where = f"the token endpoint {urlsplit(url).netloc}"
        raw = await self._patiently(
            lambda: self._once(
                "POST",
                url,
                where=where,
                data=urlencode(form).encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **headers},
                largest=LARGEST_TOKEN_ANSWER,
            ),
            where=where,
        )
        self._refuse_redirect(raw, where)
        try:
            return raw.status, json.loads(raw.content)
        except (ValueError, RecursionError):
            return raw.status, None

    async def _request(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        version: str | None = None,
    ) -> Answer:
        url = "/".join((self._base, *(quote(one, safe="") for one in path)))
        if query:
            url += f"?{urlencode(query, quote_via=quote, safe='')}"
        headers = {"Accept": f"{MEDIA_TYPE}, application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = MEDIA_TYPE
            data = json.dumps(body).encode()
        if version is not None:
            headers["If-Match"] = version

        async def once() -> _Raw:
            return await self._with_token(method, url, headers=headers, data=data)

        raw = await self._patiently(once, where=self._host)
        return self._answer(raw, wrote=method not in _READS)

    async def _patiently(self, once: Callable[[], Coroutine[Any, Any, _Raw]], *, where: str) -> _Raw:
        """Repeats a request as long as the service asks for time, and the time limit allows it."""
        end = self._monotonic() + self._timeout
        failures = 0
        while True:
            raw = await once()
            if raw.status not in _PASSING:
                return raw
            failures += 1
            asked = _retry_after(raw.headers.get("Retry-After"))
            pause = pause_after(failures, first=FIRST_PAUSE, longest=LONGEST_PAUSE) if asked is None else asked
            if self._monotonic() + pause >= end:
                wish = "" if asked is None else f" and asks to wait {math.ceil(asked)} s"
                fault = CommandFault.THROTTLED if raw.status == 429 else CommandFault.UNREACHABLE
                message = f"{where} answered {raw.status}{wish}, which is beyond spec.timeout"
                raise TransportError(fault, message, maybe_applied=False)
            await asyncio.sleep(pause)

    async def _with_token(self, method: str, url: str, *, headers: Mapping[str, str], data: bytes | None) -> _Raw:
        assert self._tokens is not None  # noqa: S101
        for attempt in (1, 2):
            token = await self._tokens.token()
            raw = await self._once(
                method,
                url,
                where=self._host,
                headers={**headers, "Authorization": f"Bearer {token}"},
                data=data,
                largest=LARGEST_ANSWER,
            )
            if raw.status != 401:
                return raw
            if attempt == 2 or not self._tokens.refused(token):
                break
        raise TransportError(
            CommandFault.REFUSED, f"{self._host} refuses the operator's token (401)", maybe_applied=False
        )

    async def _once(
        self, method: str, url: str, *, where: str, headers: Mapping[str, str], data: bytes | None, largest: int
    ) -> _Raw:
        maybe = method not in _READS
        try:
            async with (
                self._places,  # a request's time begins when it has a connection
                self._opened().request(
                    method, URL(url, encoded=True), headers=headers, data=data, allow_redirects=False
                ) as answer,
            ):
                limit = largest if answer.status < 300 else LARGEST_ERROR
                content = await _read(answer.content, limit)
                if content is None and answer.status < 300:
                    raise TransportError(
                        CommandFault.BAD_ANSWER,
                        f"{where} answered with more than {limit >> 10} KiB",
                        maybe_applied=maybe,
                    )
                return _Raw(answer.status, content or b"", answer.headers)
        except TimeoutError:
            message = f"{where} did not answer within {self._one:.0f} s"
            raise TransportError(CommandFault.TIMED_OUT, message, maybe_applied=maybe) from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            message = f"{where}: {_certificate_problem(error)}"
            raise TransportError(CommandFault.CERTIFICATE_REFUSED, message, maybe_applied=False) from None
        except aiohttp.ClientConnectorError as error:
            message = f"{where} cannot be reached: {_cause(error)}"
            raise TransportError(CommandFault.UNREACHABLE, message, maybe_applied=False) from None
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            message = f"{where} broke the connection off: {_cause(error)}"
            raise TransportError(CommandFault.UNREACHABLE, message, maybe_applied=maybe) from None
        except (aiohttp.ClientError, ValueError) as error:
            message = f"{where} answered what is no HTTP answer ({type(error).__name__})"
            raise TransportError(CommandFault.BAD_ANSWER, message, maybe_applied=maybe) from None

    @property
    def _one(self) -> float:
        """Seconds for one request. A service that hangs is told before the time of the whole command is over."""
        return max(1.0, self._timeout / 2)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, ssl=self._context),
                timeout=aiohttp.ClientTimeout(total=self._one, sock_connect=min(CONNECT, self._one)),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    def _refuse_redirect(self, raw: _Raw, where: str) -> None:
        if 300 <= raw.status < 400:
            message = f"{where} answered {raw.status}, a redirect, which is not followed"
            raise TransportError(CommandFault.BAD_ANSWER, message, maybe_applied=False)

    def _answer(self, raw: _Raw, *, wrote: bool) -> Answer:
        self._refuse_redirect(raw, self._host)
        is_ok = 200 <= raw.status < 300
        body = _object(raw.content)
        if not is_ok and raw.status not in _RETURNED:
            message = f"{self._host} answered {self._words(raw.status, body)}"
            raise TransportError(CommandFault.BAD_ANSWER, message, maybe_applied=wrote)
        if is_ok and body is None and (not wrote or raw.content.strip()):
            message = f"{self._host} answered {raw.status} with what is no JSON object"
            raise TransportError(CommandFault.BAD_ANSWER, message, maybe_applied=wrote)
        return Answer(
            status=raw.status,
            body=body,
            version=_version(raw.headers.get("ETag"), body) if is_ok else None,
            problem="" if is_ok else self._words(raw.status, body),
        )

    def _words(self, status: int, body: Mapping[str, Any] | None) -> str:
        """Returns status, scimType and detail of a refusal, without secrets."""
        texts = [body[key] for key in ("scimType", "detail") if isinstance(body.get(key), str)] if body else []
        text = ": ".join(one for one in texts if one)
        for secret in self._tokens.secrets if self._tokens is not None else ():
            text = text.replace(secret, "…") if secret else text
        shown = escape_unprintable(text)
        return f"{status} ({shown[:SHOWN]}{'…' if len(shown) > SHOWN else ''})" if shown else str(status)


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Runs calls at the same time and returns their results in order. If one fails, the others end and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def _read(stream: aiohttp.StreamReader, limit: int) -> bytes | None:
    """Returns the whole content. None: it is longer than the limit."""
    content = bytearray()
    async for chunk in stream.iter_any():
        content += chunk
        if len(content) > limit:
            return None
    return bytes(content)


def _object(content: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _version(header: str | None, body: Mapping[str, Any] | None) -> str | None:
    """Returns the version of the resource in an answer: the ETag, or else meta.version."""
    if header:
        return header
    meta = body.get("meta") if body is not None else None
    version = meta.get("version") if isinstance(meta, Mapping) else None
    if not isinstance(version, str) or not version.isascii() or not version.isprintable():
        return None
    return version or None


def _retry_after(header: str | None) -> float | None:
    """Returns the seconds that a service asks to wait. None: it does not say."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _certificate_problem(error: aiohttp.ClientConnectorError) -> str:
    cause = getattr(error, "certificate_error", None) or error.__cause__ or getattr(error, "os_error", None)
    words = getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or type(error).__name__
    return f"no TLS connection ({escape_unprintable(str(words))[:SHOWN]})"


def _cause(error: BaseException) -> str:
    """Returns what went wrong without the URL, which some errors quote."""
    inner = getattr(error, "os_error", error)
    if isinstance(inner, OSError) and inner.strerror:
        return escape_unprintable(inner.strerror)[:SHOWN]
    return type(error).__name__
