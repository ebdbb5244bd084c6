"""What the conformance suite needs of one kind of server, and a back end that stops or is disturbed where a test wants it.

A new kind of server implements `Site`, and gives the suite a fixture `site`:

    from tests.integration.backends.conformance import *  # noqa: F403

    @pytest.fixture
    def site(...) -> Iterator[Site]: ...

The server of a site is real. What `Site` does by hand, it does by other means than the back end's.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.backends.proxy import Relay

from seatpool.api.list_names import ListNames
from seatpool.servers.backend import Capabilities, ListBackend
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.direct.target import Found, ListTarget, MemberChange, TargetList

TIMEOUT = timedelta(seconds=60)
"""Time limit of commands that are expected to end well, however busy the machine is."""
LIST = "vew"
OTHER_LIST = "other.list+1"


class Stopped(Exception):
    """The operator's process died here."""


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """What happens to a back end while it carries out a command."""

    stop_after: int | None = None
    """Requests after which the process dies. None: it lives."""
    late_after: int | None = None
    """Changing requests after which the time limit is used up. None: it is not. Only where changes come in pieces."""
    largest_change: int | None = None
    """Entries that one request changes, if fewer than the back end's own number."""
    before_change: Callable[[], Awaitable[None]] | None = None
    """Happens once, before a request that changes a list, and after the reading of that list."""
    changes_before: int = 0
    """Changing requests that are made before `before_change` happens."""
    has_no_effect: bool = False
    """Changing requests are taken for answered with success, and do not reach the server."""


UNDISTURBED = Disturbance()


class Site(ABC):
    """One kind of server. Its lists `LIST` and `OTHER_LIST` exist and are empty, and no other user exists than is added."""

    secrets: Sequence[str] = ()
    """Texts that must be in no message: passwords, tokens, keys."""
    most_users: int = 5_000
    """Length of the longest list that is tried."""
    hostile_entries: Sequence[str] = ()
    """Entries that can be put on a list by hand and are no user ids, as `entries` returns them. They come to it by
    `add_by_hand`."""
    can_repeat: bool = False
    """The server takes one entry twice."""

    @abstractmethod
    def backend(
        self, *, timeout: timedelta = TIMEOUT, names: ListNames | None = None, disturbance: Disturbance = UNDISTURBED
    ) -> ListBackend:
        """Returns a new back end, which remembers nothing. It is closed with the site."""

    @abstractmethod
    def server(self) -> tuple[dict[str, Any], Mapping[str, Mapping[str, str]]]:
        """Returns what a LicenseServer for this server says of it, and the Secrets that it names, by name."""

    @abstractmethod
    def add_users(self, names: Iterable[str]) -> None:
        """Makes accounts. Does nothing if the server has no accounts."""

    @abstractmethod
    def entries(self, product: str) -> Sequence[str]:
        """Returns the names on a list as the server has them, without the placeholder. An entry that refers to nothing is
        returned too, by any name."""

    @abstractmethod
    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        """Adds names or hostile entries to a list."""

    @abstractmethod
    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        """Removes names from a list."""

    @abstractmethod
    def surroundings(self) -> Any:
        """Returns everything on the server that the back end has to leave as it is. It is compared by `==`."""

    def remove_user(self, name: str) -> None:
        """Deletes an account. Whether its entries stay on lists is the server's matter."""
        pytest.skip("this server has no accounts")

    def make_unreadable(self, product: str) -> None:
        """Makes that a list cannot be read, for good."""
        pytest.skip("this server has no list that cannot be read")

    def slow(self, seconds: float) -> AbstractContextManager[None]:
        """Delays each answer of the server."""
        pytest.skip("this server cannot be made slow")

    def hanging(self) -> AbstractContextManager[None]:
        """Takes connections and answers nothing."""
        pytest.skip("this server cannot be made to hang")

    def away(self) -> AbstractContextManager[None]:
        """Takes no connections."""
        pytest.skip("this server cannot be stopped")

    def refusing(self) -> AbstractContextManager[None]:
        """Refuses the credentials of the back end."""
        pytest.skip("this server needs no credentials")

    def lying(self) -> AbstractContextManager[None]:
        """Answers changes with success and makes none."""
        pytest.skip("this server cannot be made to lie")


class RelayedSite(Site):
    """A server that is reached by a relay, which can be slow, hang or be away."""

    relay: Relay

    def slow(self, seconds: float) -> AbstractContextManager[None]:
        return self.relay.slow(seconds)

    def hanging(self) -> AbstractContextManager[None]:
        return self.relay.hanging()

    def away(self) -> AbstractContextManager[None]:
        return self.relay.away()


def direct_backend(
    target: ListTarget, *, names: ListNames | None, timeout: timedelta, disturbance: Disturbance
) -> DirectBackend:
    """Returns the back end of a target, disturbed."""
    clock = _Clock()
    disturbed = _DisturbedTarget(target, disturbance, clock, timeout)
    return DirectBackend(disturbed, names=names or ListNames(), timeout=timeout, monotonic=clock.monotonic)


class _Clock:
    """The machine's clock, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


class _DisturbedTarget:
    """A real target, and what happens to it."""

    def __init__(self, target: ListTarget, disturbance: Disturbance, clock: _Clock, timeout: timedelta) -> None:
        self._target = target
        self._disturbance = disturbance
        self._clock = clock
        self._timeout = timeout
        self._requests = 0
        self._changes = 0
        self._has_happened = False

    @property
    def capabilities(self) -> Capabilities:
        own, wanted = self._target.capabilities, self._disturbance.largest_change
        if own.largest_change is None or wanted is None:
            return own
        return replace(own, largest_change=min(own.largest_change, wanted))

    @property
    def host(self) -> str:
        return self._target.host

    async def read(self, product: str) -> TargetList:
        self._count()
        return await self._target.read(product)

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        self._count()
        return await self._target.find(names)

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList | None:
        self._count()
        happens = self._changes == self._disturbance.changes_before and not self._has_happened
        if happens and self._disturbance.before_change is not None:
            self._has_happened = True
            await self._disturbance.before_change()
        self._changes += 1
        if self._disturbance.has_no_effect:
            return None
        changed = await self._target.change(product, before, change)
        if self._changes == self._disturbance.late_after:
            self._clock.ahead += self._timeout.total_seconds()
        return changed

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:
        self._count()
        return (
            False if self._disturbance.has_no_effect else await self._target.change_otherwise(product, before, change)
        )

    async def close(self) -> None:
        await self._target.close()

    def _count(self) -> None:
        if self._requests == self._disturbance.stop_after:
            raise Stopped
        self._requests += 1
