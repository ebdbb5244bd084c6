"""An adapter of a site: lists behind a small HTTP service.

GET /lists/NAME answers {"users": [...], "writer": "...", "revision": 7} and an ETag. PUT with If-Match replaces all of it, and
answers 412 if the list is not the one that was read. The service takes any name for a user.
"""

import asyncio
import ssl
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.direct.target import (
    ChangedMeanwhile,
    Found,
    ListProblem,
    Mark,
    Member,
    MemberChange,
    MemberKind,
    TargetList,
)
from seatpool.servers.errors import CommandFault, TransportError

LARGEST_ANSWER = 4_000_000


def make_target(settings: Mapping[str, str], *, secrets: Mapping[str, str], timeout: timedelta) -> "PlainLists":
    """Is the entry point. `settings`: url. `secrets`: plainlists/token, and plainlists/ca.crt if the system's are not enough."""
    return PlainLists(settings["url"], secrets["plainlists/token"], secrets.get("plainlists/ca.crt"), timeout)


class PlainLists:
    """The `ListTarget` of the service."""

    capabilities = Capabilities(fence=Fence.NATIVE, keeps_results=False, empty_is_placeholder=True)

    def __init__(self, url: str, token: str, ca: str | None, timeout: timedelta) -> None:
        if not url.startswith("https://"):
            raise ValueError(f"url {url}: write https://..., because the token is sent there")
        self.host = urlsplit(url).hostname or "?"
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._tls = ssl.create_default_context(cadata=ca)
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())
        self._session: aiohttp.ClientSession | None = None

    async def read(self, product: str) -> TargetList:
        """Returns the whole list."""
        body, version = await self._ask("GET", product, {}, None, maybe_applied=False)
        users = body.get("users")
        if not isinstance(users, list):
            raise ListProblem(f"list {product}: the service answered no list of users; see its log")
        return TargetList(
            members=tuple(
                Member(str(user), MemberKind.USER if isinstance(user, str) else MemberKind.OTHER, str(user))
                for user in users
            ),
            mark=Mark(owner=str(body.get("writer", "")), revision=int(body.get("revision", 0))),
            version=version,
        )

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns each name as its own entry: the service has no accounts."""
        return {name: Found(name) for name in names}

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList | None:
        """Replaces the list if it still is `before`."""
        body = {"users": list(change.whole), "writer": change.mark.owner, "revision": change.mark.revision}
        await self._ask("PUT", product, {"If-Match": before.version or "*"}, body, maybe_applied=True)
        return None

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:  # noqa: ARG002
        """Returns False: there is one way only."""
        return False

    async def close(self) -> None:
        """Closes the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(
        self, method: str, product: str, headers: Mapping[str, str], body: Any, *, maybe_applied: bool
    ) -> tuple[dict[str, Any], str | None]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        url = f"{self._url}/lists/{quote(product, safe='')}"
        try:
            async with self._session.request(
                method, url, headers=dict(headers), json=body, ssl=self._tls, allow_redirects=False
            ) as answer:
                if answer.status == 401:
                    raise TransportError(CommandFault.REFUSED, f"{self.host} refuses the token", maybe_applied=False)
                if answer.status == 404:
                    raise ListProblem(f"{self.host} has no list {product}: make it there")
                if answer.status == 412:
                    raise ChangedMeanwhile(f"list {product} was changed by another writer")
                if answer.status != 200 or (answer.content_length or 0) > LARGEST_ANSWER:
                    raise ListProblem(f"list {product}: {self.host} answers {answer.status}; see its log")
                found = await answer.json()
                if not isinstance(found, dict):
                    raise ListProblem(f"list {product}: {self.host} answers no object; see its log")
                return found, answer.headers.get("ETag")
        except asyncio.TimeoutError as error:  # noqa: UP041
            raise TransportError(
                CommandFault.TIMED_OUT, f"{self.host} does not answer", maybe_applied=maybe_applied
            ) from error
        except ValueError as error:
            raise ListProblem(f"list {product}: {self.host} answers no JSON; see its log") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise TransportError(
                CommandFault.CERTIFICATE_REFUSED, f"the certificate of {self.host} is not trusted", maybe_applied=False
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise TransportError(
                CommandFault.UNREACHABLE, f"{self.host} cannot be reached", maybe_applied=False
            ) from error
        except aiohttp.ClientError as error:
            raise TransportError(
                CommandFault.UNREACHABLE, f"{self.host} ended the connection", maybe_applied=maybe_applied
            ) from error
