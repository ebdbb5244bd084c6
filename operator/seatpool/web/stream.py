"""Sends changes as they come (server-sent events), so that no client has to ask again and again.

What changes within a second goes out once, however often it changed: a burst of 10,000 events costs a caller a few lines.
A stream is no way around the checks: who the caller is and what it may see are asked again while it is open.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING

from seatpool.api.licensepool import LicensePool
from seatpool.web.answers import Me, PoolChanges
from seatpool.web.authentication import YES
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.replies import to_json

if TYPE_CHECKING:
    from seatpool.web.authentication import Caller
    from seatpool.web.service import Service

CONFLATION = 1.0
"""Seconds in which changes are collected."""
PROXIED_LASTS = 600.0
"""Seconds after which a stream ends whose caller a proxy named: only a new request tells whether that is still so."""
QUIET = 15.0
"""Seconds after which a line without meaning is sent, so that proxies keep the connection."""


class Subscription:
    """The pools that changed since one stream last looked."""

    def __init__(self, *, has_key: bool = False) -> None:
        self.has_key = has_key
        """Whether the caller has a key, which may end at any time."""
        self._changed: set[str] = set()
        self._woken = asyncio.Event()

    def tell(self, pool: str) -> None:
        """Notes that a pool changed."""
        self._changed.add(pool)
        self._woken.set()

    def wake(self) -> None:
        """Ends the wait of the stream."""
        self._woken.set()

    def take(self) -> set[str]:
        """Returns the pools that changed since the last call."""
        found, self._changed = self._changed, set()
        self._woken.clear()
        return found

    async def wait(self, seconds: float) -> None:
        """Waits until something changed, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()


@dataclass
class Streams:
    """All open streams."""

    most: int
    most_per_caller: int
    count: Callable[[int], object] = lambda _open: None
    """Told how many are open."""
    _open: set[Subscription] = field(default_factory=set, init=False)
    _of_caller: Counter[Hashable] = field(default_factory=Counter, init=False)

    def changed(self, pool: str) -> None:
        """Tells all streams that a pool changed."""
        for one in self._open:
            one.tell(pool)

    def wake(self) -> None:
        """Ends the waits of all streams."""
        for one in self._open:
            one.wake()

    def wake_keys(self) -> None:
        """Ends the waits of the streams whose callers have keys."""
        for one in self._open:
            if one.has_key:
                one.wake()

    @contextlib.contextmanager
    def opened(self, caller: Hashable, *, has_key: bool = False) -> Iterator[Subscription]:
        """Opens a stream for a caller. Raises Refusal if too many are open."""
        for limit, reached in ((self.most_per_caller, self._of_caller[caller]), (self.most, len(self._open))):
            if reached >= limit:
                raise Refusal(ProblemId.TOO_MANY_STREAMS, most=limit, retry_after=10)
        subscription = Subscription(has_key=has_key)
        self._open.add(subscription)
        self._of_caller[caller] += 1
        self.count(len(self._open))
        try:
            yield subscription
        finally:
            self._open.discard(subscription)
            self._of_caller[caller] -= 1
            if not self._of_caller[caller]:
                del self._of_caller[caller]
            self.count(len(self._open))


@dataclass(kw_only=True)
class Feed:
    """The events of one stream."""

    service: "Service"
    token: str | None = field(repr=False)
    """None: a proxy named the caller."""
    caller: "Caller"
    zone: tzinfo
    subscription: Subscription
    monotonic: Callable[[], float] = time.monotonic
    _sent: set[str] = field(default_factory=set, init=False)
    """Pools that the caller was told of and that are not gone."""
    _me: bytes = field(default=b"", init=False)
    _checked_at: float = field(default=0.0, init=False)

    async def events(self) -> AsyncIterator[bytes]:
        """Yields the events until the service stops, or until the caller may not read any more."""
        self._checked_at = self.monotonic()
        yield b"retry: 5000\n\n"
        changed: set[str] | None = None
        began = quiet_since = self.monotonic()
        while not self.service.stopping.is_set():
            if self.token is None and self.monotonic() - began >= PROXIED_LASTS:
                return
            try:
                async for event in self._news(changed):
                    quiet_since = self.monotonic()
                    yield event
            except Refusal as refusal:
                details = refusal.details(audience=self.service.settings.audience)
                yield event_of("end", to_json(details))
                return
            if self.monotonic() - quiet_since >= QUIET:
                quiet_since = self.monotonic()
                yield b": nothing changed\n\n"
            await self.subscription.wait(QUIET)
            await asyncio.sleep(CONFLATION)
            changed = self.subscription.take()
        yield event_of("end", b'{"id":"Stopping","title":"The service stops","detail":"Connect again."}')

    async def _news(self, changed: set[str] | None) -> AsyncIterator[bytes]:
        """Yields what is new. `changed` None: everything is."""
        if self.caller.key is not None or self.monotonic() - self._checked_at >= YES:
            self.caller = await self.service.caller_again(self.caller, self.token)
            self._checked_at = self.monotonic()
        pools = self.service.cluster.store.pools
        scope = await self.service.authorizer.scope(
            self.caller, LicensePool, {pool.metadata.namespace for pool in pools.values()}
        )
        seen = {key for key in pools if key.partition("/")[0] in scope}
        told = seen if changed is None else (changed & seen) | (seen - self._sent)
        gone = self._sent - seen
        if told or gone or changed is None:
            lines = (self.service.answers.pool_line(key) for key in sorted(told))
            news = PoolChanges(items=tuple(line for line in lines if line is not None), gone=tuple(sorted(gone)))
            self._sent = seen
            yield event_of("pools", to_json(news))
        me = to_json(me_of(self.service, self.caller, self.zone))
        if me != self._me:
            self._me = me
            yield event_of("me", me)


def me_of(service: "Service", caller: "Caller", zone: tzinfo) -> Me:
    """Returns what a caller sees of the own seats. It needs no right."""
    visible = service.own_user_only(caller)
    answer = None if visible.own is None else service.answers.user(visible.own, visible, zone)
    return Me(name=caller.name, user=visible.own, answer=answer)


def event_of(name: str, body: bytes) -> bytes:
    """Returns an event. Its JSON is ASCII in one line, so nothing in it can begin another event."""
    return b"event: " + name.encode() + b"\ndata: " + body + b"\n\n"
