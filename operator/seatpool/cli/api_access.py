"""Asks the HTTP API instead of the cluster: `--server URL`.

A caller needs no kubeconfig then, only a token. The token goes to this one address, by HTTPS or to this very machine.
"""

import os
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

import aiohttp

from seatpool.cli.api_answers import UnexpectedAnswer, decode
from seatpool.cli.cluster import ClusterAccess, CommandOptions, connect, credentials_of
from seatpool.clock import utc_now
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.operator_life import OperatorLife
from seatpool.text import TimeFormat, format_known

if TYPE_CHECKING:
    from seatpool.explain.overview import Overview
    from seatpool.explain.who import Who
    from seatpool.explain.why import Explanation

PREFIX = "/api/v1"
TOKEN = "SEATPOOL_TOKEN"  # noqa: S105
PAGE = 500
LARGEST_ANSWER = 64 * 1024 * 1024
LOCAL_ZONE = Path("/etc/localtime")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
T = TypeVar("T")


class ApiRefused(SeatpoolError):
    """The API refused a request."""

    def __init__(self, text: str, *, status: int) -> None:
        super().__init__(text)
        self.status = status


class NoApiAnswer(SeatpoolError):
    """The API does not answer, or cannot answer now. A later try may succeed."""


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Connection of one command to the HTTP API."""

    url: str
    """Address without a slash at its end."""
    session: aiohttp.ClientSession
    tls: ssl.SSLContext | bool
    namespace: str | None
    """None: all that the caller may see."""
    zone_name: str
    """Name in the IANA database of the zone of times."""

    @property
    def now(self) -> datetime:
        return utc_now()

    @property
    def times(self) -> TimeFormat:
        return TimeFormat(zone=ZoneInfo(self.zone_name), now=self.now)

    @property
    def where(self) -> str:
        """Returns where an answer was looked for."""
        among = "" if self.namespace is None else f" of namespace {self.namespace}"
        return f"what {self.url} shows you{among}"

    async def overview(self) -> "Overview":
        """Returns what `seatpool status` shows."""
        from seatpool.explain.overview import Overview

        namespace = {} if self.namespace is None else {"namespace": self.namespace}
        return await self.ask(Overview, "/status", timeZone=self.zone_name, **namespace)

    async def explanation(self, user: str, *, pool: str | None) -> "Explanation":
        """Returns what `seatpool why` says of a user. Raises SeatpoolError if a pool is named that has nothing to do with it."""
        from seatpool.explain.why import Explanation

        found = await self.ask(Explanation, f"/users/{quote(user, safe='')}", timeZone=self.zone_name)
        pools = tuple(one for one in found.pools if self._is_meant(one.pool, pool))
        if pool is not None and not pools:
            raise SeatpoolError(
                f"--pool {pool}: it has nothing to do with {user}, or you may not see it; without --pool all are shown"
            )
        rows = tuple(one for one in found.workbenches if self.namespace in (None, one.namespace))
        return Explanation(user=found.user, workbenches=rows, pools=pools, messages=found.messages)

    async def who(self, pool: str) -> "list[Who]":
        """Returns the holders and the waiting line of the pools of that name."""
        from seatpool.explain.overview import PoolLine
        from seatpool.explain.who import Who

        if "/" in pool or self.namespace is not None:
            keys = [pool if "/" in pool else f"{self.namespace}/{pool}"]
        else:
            lines = [decode(PoolLine, one) for one in await self._items("/pools")]
            keys = [one.name for one in lines if self._is_meant(one.name, pool)]
            if not keys:
                known = {one.name.partition("/")[2] for one in lines}
                raise SeatpoolError(f"there is no LicensePool {pool}; {format_known(pool, known)}")
        found = [await self.get(f"/pools/{quote(key)}", timeZone=self.zone_name) for key in keys]
        return [self._decoded(Who, one.get("who")) for one in found]

    async def lives(self) -> tuple[OperatorLife, ...]:
        """Returns whether the operators are alive. Empty: the caller may not list servers."""
        try:
            found = await self._pages("/servers")
        except ApiRefused as refused:
            if refused.status == 403:
                return ()
            raise
        lives = [self._decoded(OperatorLife, one) for page in found for one in page.get("operators", ())]
        return tuple({one.lease: one for one in lives}.values())

    async def ask(self, kind: type[T], path: str, **query: str) -> T:
        """Returns an answer as an object. Raises SeatpoolError."""
        return self._decoded(kind, await self.get(path, **query))

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """Returns an answer as it is. Raises NoApiAnswer, ApiRefused and UnexpectedAnswer."""
        try:
            async with self.session.get(
                f"{self.url}{PREFIX}{path}", params=query, ssl=self.tls, allow_redirects=False
            ) as response:
                body = b"".join([chunk async for chunk in _limited(response)])
                status, media = response.status, response.content_type
        except TimeoutError as error:
            raise NoApiAnswer(f"no answer from {self.url} in time; see --request-timeout") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise NoApiAnswer(
                f"the certificate of {self.url} is not trusted ({error.certificate_error}); name its CA with --server-ca"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            told = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoApiAnswer(f"no answer from {self.url}: {told}; is it the address of the HTTP API?") from error
        if status != 200:
            raise self._refusal(status, media, body)
        found = self._json(body)
        if not isinstance(found, dict):
            raise UnexpectedAnswer(f"{self.url}{PREFIX}{path}: the answer is no JSON object; is --server right?")
        return found

    async def _items(self, path: str) -> list[Any]:
        return [one for page in await self._pages(path) for one in page.get("items", ())]

    async def _pages(self, path: str) -> list[dict[str, Any]]:
        found = [await self.get(path, limit=str(PAGE))]
        while cursor := found[-1].get("nextCursor"):
            found.append(await self.get(path, limit=str(PAGE), cursor=str(cursor)))
        return found

    def _decoded(self, kind: type[T], value: Any) -> T:
        try:
            return decode(kind, value)
        except UnexpectedAnswer as error:
            raise UnexpectedAnswer(f"{self.url} gave an answer that this version cannot read: {error}") from error

    def _refusal(self, status: int, media: str, body: bytes) -> SeatpoolError:
        problem = self._json(body) if media == "application/problem+json" else None
        if not isinstance(problem, dict):
            if 300 <= status < 400:
                return ApiRefused(f"{self.url} sends callers elsewhere ({status}): give that address", status=status)
            return NoApiAnswer(f"{self.url} answered {status}, and not as the HTTP API does; is --server right?")
        text = f"{self.url} refused: {problem.get('title', status)}: {problem.get('detail', 'no more is said')}"
        return NoApiAnswer(text) if status == 503 else ApiRefused(text, status=status)

    def _json(self, body: bytes) -> Any:
        from pydantic_core import from_json

        try:
            return from_json(body)
        except ValueError:
            return None

    def _is_meant(self, key: str, name: str | None) -> bool:
        namespace, _, own = key.partition("/")
        return self.namespace in (None, namespace) and name in (None, key, own)


@asynccontextmanager
async def connect_to_answers(options: CommandOptions) -> AsyncIterator[ClusterAccess | ApiAccess]:
    """Opens a connection to the HTTP API if the options name one, else to the cluster. Raises SeatpoolError."""
    if options.server is None:
        _refuse_without_server(options)
        async with connect(options) as cluster:
            yield cluster
        return
    async with connect_to_api(options) as api:
        yield api


@asynccontextmanager
async def connect_to_api(options: CommandOptions) -> AsyncIterator[ApiAccess]:
    """Opens a connection to the HTTP API. Raises SeatpoolError."""
    assert options.server is not None  # noqa: S101
    _refuse_meaningless(options)
    url, is_here = read_url(options.server)
    tls = _tls(options.server_ca) if url.startswith("https:") else False
    headers = {"Authorization": f"Bearer {await _token(options)}", "Accept": "application/json"}
    timeout = aiohttp.ClientTimeout(total=options.timeout)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout, trust_env=not is_here) as session:
        yield ApiAccess(
            url=url, session=session, tls=tls, namespace=None if options.everywhere else options.namespace,
            zone_name=zone_name(options.zone),
        )  # fmt: skip


def read_url(text: str) -> tuple[str, bool]:
    """Returns the address without a slash at its end, and whether it is this very machine. Raises SeatpoolError."""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise SeatpoolError(f"--server {text}: {error}; write for example https://seats.example.com") from error
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment or "@" in parts.netloc:
        raise SeatpoolError(f"--server {text}: write an address such as https://seats.example.com")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise SeatpoolError(f"--server {text}: an address has only printable ASCII characters")
    is_here = _is_loopback(host)
    if parts.scheme == "http" and not is_here:
        raise SeatpoolError(
            f"--server {text}: a token is sent by HTTPS only, unless the address is of this machine; write https://{parts.netloc}"
        )
    return text.rstrip("/").removesuffix(PREFIX), is_here


def zone_name(zone: tzinfo | None) -> str:
    """Returns the name of a time zone in the IANA database. None: that of the machine, or UTC if it cannot be found."""
    if isinstance(zone, ZoneInfo):
        return str(zone)
    known = available_timezones()
    try:
        linked = str(LOCAL_ZONE.readlink()).partition("zoneinfo/")[2]
    except OSError:
        linked = ""
    for name in (os.environ.get("TZ", "").removeprefix(":"), linked):
        if name in known:
            return name
    hours, rest = divmod(datetime.now(UTC).astimezone().utcoffset() or timedelta(), timedelta(hours=1))
    # The signs of these zones are those of POSIX: east of Greenwich is a minus.
    name = f"Etc/GMT{-hours:+d}" if hours and not rest else "UTC"
    return name if name in known else "UTC"


async def _limited(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yields the body. Raises UnexpectedAnswer if it is larger than any answer of the API."""
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise UnexpectedAnswer(f"{response.url.host} sends more than {LARGEST_ANSWER:,} bytes; is --server right?")
        yield chunk


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tls(file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        raise SeatpoolError(
            f"--server-ca {file}: {getattr(error, 'strerror', None) or error}; name certificates of CAs in PEM"
        ) from error


async def _token(options: CommandOptions) -> str:
    """Returns the token: of the file, else of the environment, else of the kubeconfig's user."""
    if options.token_file is not None:
        try:
            token, source = options.token_file.read_text(encoding="utf-8").strip(), f"--token-file {options.token_file}"
        except (OSError, UnicodeDecodeError) as error:
            told = getattr(error, "strerror", None) or "it is no text"
            raise SeatpoolError(f"--token-file {options.token_file}: {told}; name a file with a token in it") from error
    elif (found := os.environ.get(TOKEN)) is not None:
        token, source = found.strip(), TOKEN
    else:
        token, source = await credentials_of(options), "the kubeconfig"
    if not _TOKEN.fullmatch(token):
        raise SeatpoolError(
            f"{source} has no token in it, or something beside one; a token has no spaces and no line breaks"
        )
    return token


def _refuse_meaningless(options: CommandOptions) -> None:
    given = {
        "--as": options.impersonate, "--as-group": options.groups, "--config": options.config, "--cluster": options.cluster,
    }  # fmt: skip
    for option, value in given.items():
        if value:
            raise SeatpoolError(f"{option} has no effect with --server: the HTTP API decides it; leave it out")


def _refuse_without_server(options: CommandOptions) -> None:
    for option, value in (("--server-ca", options.server_ca), ("--token-file", options.token_file)):
        if value is not None:
            raise SeatpoolError(f"{option} is for the HTTP API: name its address with --server, or leave it out")
