"""Searches and changes a directory from the event loop: one connection, time limits, and a new connection if it is lost.

A search is repeated once if the connection was lost. A Modify is not: it may have been made.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ldap.results import LdapResult
from seatpool.servers.ldap.session import Account, Entry, Session, ValueChange
from seatpool.threads import run_in

IDLE = 30.0
"""Seconds without a call after which a connection is looked at before it is used: servers and routers close idle ones."""
MOST_THREADS = 3
"""One works. The others are there while a thread that was given up still ends."""

T = TypeVar("T")


class LdapClient:
    """A directory. Every method raises TransportError. Calls of several tasks and threads take their turns."""

    def __init__(self, account: Account, *, seconds: float) -> None:
        self._account = account
        self._seconds = seconds
        self._executor = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="seatpool-ldap")
        self._place = _Place()
        self._is_closed = False

    @property
    def host(self) -> str:
        """Name of the server."""
        return self._account.host

    async def search(
        self, base: str, search_filter: str, attributes: Sequence[str], *, scope: str, paged: bool = False
    ) -> tuple[LdapResult, tuple[Entry, ...]]:
        """Returns the result of a search, and the entries that it found."""

        def call(session: Session) -> tuple[LdapResult, tuple[Entry, ...]]:
            return session.search(base, search_filter, attributes, scope=scope, paged=paged)

        try:
            return await self._run(call)
        except TransportError as error:
            if error.reason is not CommandFault.UNREACHABLE:
                raise
        return await self._run(call)

    async def modify(self, dn: str, changes: Sequence[ValueChange], *, only_if: str | None = None) -> LdapResult:
        """Changes an entry by one Modify. `only_if`: a filter that it has to match."""
        return await self._run(lambda session: session.modify(dn, changes, only_if=only_if))

    async def controls(self) -> frozenset[str]:
        """Returns the object identifiers of the controls that the server knows."""
        return await self._run(lambda session: session.controls)

    async def close(self) -> None:
        """Closes the connection."""
        self._is_closed = True
        place, self._place = self._place, _Place()
        place.abort()
        self._executor.shutdown(wait=False)

    async def _run(self, call: Callable[[Session], T]) -> T:
        """Makes a call in a thread. A call that takes too long, or is cancelled, is ended by breaking its connection."""
        if self._is_closed:
            raise TransportError(
                CommandFault.UNREACHABLE, f"{self.host}: the connection was closed", maybe_applied=False
            )
        place = self._place
        limit = 3 * self._seconds
        try:
            async with asyncio.timeout(limit):
                return await run_in(self._executor, lambda: place.run(call, self._open))
        except TimeoutError:
            self._give_up(place)
            message = f"{self.host}: no answer within {limit:g} s"
            raise TransportError(CommandFault.TIMED_OUT, message, maybe_applied=True) from None
        except asyncio.CancelledError:
            self._give_up(place)
            raise

    def _give_up(self, place: "_Place") -> None:
        place.abort()
        if self._place is place:
            self._place = _Place()

    def _open(self) -> Session:
        return Session(self._account, seconds=self._seconds)


class _Place:
    """Where the connection is, and one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._used = 0.0
        self._is_given_up = False

    def run(self, call: Callable[[Session], T], make: Callable[[], Session]) -> T:
        """Makes a call with the connection, which is opened if there is none. One that ends with an error is dropped."""
        with self._lock:
            if self._session is not None and time.monotonic() - self._used > IDLE and not self._session.is_alive():
                self._drop()
            if self._session is None:
                session = self._session = make()
                if self._is_given_up:
                    session.abort()
                try:
                    session.open()
                except BaseException:
                    self._drop()
                    raise
            try:
                done = call(self._session)
            except BaseException:
                self._drop()
                raise
            self._used = time.monotonic()
            return done

    def abort(self) -> None:
        """Breaks the connection, so that a thread that uses it ends."""
        self._is_given_up = True
        session = self._session
        if session is not None:
            session.abort()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
