"""Opens a target when it is first used, because its credentials have to be read before.

Secrets are read again after a while and after a refusal, so a password that was changed is used without a restart.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.direct.target import Found, ListTarget, MemberChange, TargetList
from seatpool.servers.errors import CommandFault, TransportError

SECRETS_KNOWN_FOR = 300.0
"""Seconds after which Secrets are read again."""
CAPABILITIES = Capabilities(fence=Fence.MARK, knows_users=True, keeps_results=False)
"""What is known of a target before it is opened."""
_CREDENTIAL_FAULTS = frozenset({CommandFault.REFUSED, CommandFault.CERTIFICATE_REFUSED})
T = TypeVar("T")
ReadSecret = Callable[[str, str], Awaitable[Mapping[str, str]]]
"""Returns the texts of a Secret by namespace and name. Raises TransportError."""


class OpenedTarget:
    """A `ListTarget` that opens another one by the Secrets that it needs."""

    def __init__(
        self,
        make: Callable[[Mapping[str, str]], ListTarget],
        *,
        host: str,
        namespace: str,
        secrets: Collection[tuple[str, str]],
        read_secret: ReadSecret,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._host = host
        self._namespace = namespace
        self._names = frozenset(secrets)
        self._read_secret = read_secret
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._target: ListTarget | None = None
        self._secrets: Mapping[str, str] = {}
        self._until = float("-inf")

    @property
    def capabilities(self) -> Capabilities:
        """What the target can do. Before it is open, the least that it can do."""
        return self._target.capabilities if self._target is not None else CAPABILITIES

    @property
    def host(self) -> str:
        """Name of the server."""
        return self._host

    async def read(self, product: str) -> TargetList:
        """Returns the whole list of a product."""
        return await self._ask(lambda target: target.read(product))

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns what the server knows of each name."""
        return await self._ask(lambda target: target.find(names))

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList | None:
        """Changes a list by one request."""
        return await self._ask(lambda target: target.change(product, before, change))

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:
        """Changes a list in another way."""
        return await self._ask(lambda target: target.change_otherwise(product, before, change))

    async def close(self) -> None:
        """Closes the target, if it is open."""
        target, self._target = self._target, None
        if target is not None:
            await target.close()

    async def _ask(self, question: Callable[[ListTarget], Awaitable[T]]) -> T:
        target = await self._open()
        try:
            return await question(target)
        except TransportError as error:
            if error.reason in _CREDENTIAL_FAULTS:
                self._until = float("-inf")
            raise

    async def _open(self) -> ListTarget:
        async with self._lock:
            if self._target is not None and self._monotonic() < self._until:
                return self._target
            secrets = await self._read_secrets()
            if self._target is None or secrets != self._secrets:
                await self.close()
                self._target, self._secrets = self._make(secrets), secrets
            self._until = self._monotonic() + SECRETS_KNOWN_FOR
            return self._target

    async def _read_secrets(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name in sorted({name for name, _ in self._names}):
            texts = await self._read_secret(self._namespace, name)
            for key in sorted(key for of, key in self._names if of == name):
                if key not in texts:
                    raise TransportError(
                        CommandFault.SECRET_MISSING,
                        f"Secret {self._namespace}/{name} has no key {key}",
                        maybe_applied=False,
                        is_known_to_have_ended=True,
                    )
                found[f"{name}/{key}"] = texts[key]
        return found
