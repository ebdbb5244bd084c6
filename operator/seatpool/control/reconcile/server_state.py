"""What one server's reconciler knows, shared by the parts of a pass.

The parts read here and write here; there is no other way between them. What was read of a list is only ever believed
or forgotten as a whole: half a list is no basis for releasing anybody.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from seatpool.api.annotations import TAKE_OVER, VERIFY
from seatpool.api.licensepool import EmptyList, LicensePool, OnDelete
from seatpool.api.licenseserver import LicenseServer
from seatpool.backoff import Backoffs
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.write_ahead_log import WriteAheadLog
from seatpool.control.state.pool_state import ObservedList, PoolState
from seatpool.control.status.server import ServerView
from seatpool.servers.command_result import ProductResult
from seatpool.servers.commands import OWNER_PATTERN
from seatpool.tracing.spans import Mark


class Desk:
    """One LicenseServer's."""

    def __init__(self, key: str, book: WriteAheadLog, around: Dependencies) -> None:
        self.key = key
        self.book = book
        self.around = around
        self.log = around.log.bind(server=key)
        self.view = ServerView()
        self.pools: tuple[LicensePool, ...] = ()
        """Those that are applied to this server."""
        self.todo: dict[str, datetime] = {}
        """Pools that have to be answered anew, and since when."""
        self.forced: set[str] = set()
        """Products whose list must be written again whatever was read: an earlier command may still arrive."""
        self.backoffs = Backoffs(around.rng, monotonic=around.monotonic)
        self.last_command = float("-inf")
        self.last_verified: float | None = None
        self.verified_for: str | None = None
        """The request to read the lists back that was last met."""
        self.held_off = False
        """The server could have been spoken to, but failed so lately that the present pass does without it."""
        self.mark: Mark | None = None
        """The present pass, as traces know it."""
        self.marks: set[Mark] = set()
        """The messages that the pass was begun for, as traces know them."""
        self._server: LicenseServer | None = None

    # -- what there is to do ---------------------------------------------------------------------------------------

    @property
    def server(self) -> LicenseServer:
        """The server as it was last looked at; there is none before the first time."""
        assert self._server is not None  # noqa: S101
        return self._server

    def standing(self, pool: LicensePool) -> PoolState:
        return self.view.standings[pool.key]

    def pool_of(self, product: str) -> LicensePool:
        return next(pool for pool in self.pools if pool.spec.product == product)

    def find_pool(self, product: str) -> LicensePool | None:
        """The pool of a product that may not be ours any more."""
        return next((pool for pool in self.pools if pool.spec.product == product), None)

    def look_round(self, server: LicenseServer) -> None:
        """Take the server and its pools as they are now; what is known of others is dropped."""
        self._server = server
        store, standings = self.around.store, self.around.standings
        everyone = tuple(store.pools_of_server(self.key))
        self.pools = tuple(pool for pool in everyone if store.claimant(pool.key) == pool.key)
        keys = {pool.key for pool in self.pools}
        for pool in everyone:
            if pool.key not in keys:
                store.dirty_pools.pop(pool.key, None)
                self.around.journeys.forget(pool.key)
                if standings.pop(pool.key, None) is not None:
                    self.around.announcer.pool(pool.key)
        for key, standing in self.view.standings.items():
            if key not in keys:
                self.todo.pop(key, None)
                if standings.get(key) is standing:  # another server may have taken up a pool of that name
                    del standings[key]
        products = {pool.spec.product for pool in self.pools}
        self.view.known = {product: known for product, known in self.view.known.items() if product in products}
        self.view.standings = {pool.key: self._look_at(pool) for pool in self.pools}
        self.forced &= products
        self.backoffs.keep_only(products)

    def _look_at(self, pool: LicensePool) -> PoolState:
        standing = self.around.standings.setdefault(pool.key, PoolState())
        standing.known = self.view.known.get(pool.spec.product)
        standing.keep_placeholder = pool.spec.empty_list is EmptyList.KEEP_PLACEHOLDER
        standing.clearing = pool.metadata.deletion_timestamp is not None and pool.spec.on_delete is OnDelete.CLEAR
        return standing

    # -- what is known of the lists --------------------------------------------------------------------------------

    def believe(self, product: str, told: ProductResult) -> ObservedList | None:
        """Take what was read of a product's list for true; a list that could not be read is not known any more."""
        if told.users is None:
            self.forget_lists([product])
            return None
        known = ObservedList(
            users=told.users, revision=told.fence, owner=told.owner, odd=told.odd, placeholder=told.placeholder
        )
        before = self.view.known.get(product)
        self.view.known = {**self.view.known, product: known}
        changed = set(known.users) ^ set(before.users if before is not None else ())
        for pool in self.pools:
            if pool.spec.product == product:
                self.standing(pool).known = known
                self.around.announcer.people(pool.key, changed)
        if told.owner == self.around.installation:
            self.book.raise_floor(told.fence)
        return known

    def forget_lists(self, products: Iterable[str]) -> None:
        """These lists may be anything: they are read before anything else is decided about them."""
        gone = set(products)
        self.view.known = {product: known for product, known in self.view.known.items() if product not in gone}
        for pool in self.pools:
            if pool.spec.product in gone:
                self.standing(pool).known = None

    def doubt(self, products: Iterable[str]) -> None:
        """A command may have changed these lists, or may do so yet: read first, then write a higher revision."""
        doubted = set(products)
        self.forced |= doubted
        self.forget_lists(doubted)

    @property
    def is_verification_asked(self) -> bool:
        """Whether somebody asks to have the lists read back now, with a value that was not met yet."""
        return self.server.metadata.annotations.get(VERIFY) not in (None, self.verified_for)

    # -- whose they are --------------------------------------------------------------------------------------------

    @property
    def takeover(self) -> str | None:
        """The installation whose lists may be taken over; an annotation that can be no installation's is none."""
        named = self.server.metadata.annotations.get(TAKE_OVER)
        return named if named is not None and re.fullmatch(OWNER_PATTERN, named) else None

    def is_foreign(self, known: ObservedList) -> bool:
        """Whether another installation owns the list, and nobody said that it may be taken over."""
        return not self.is_ours(known) and known.owner != self.takeover

    def is_ours(self, known: ObservedList) -> bool:
        """Whether the list is nobody's or ours."""
        return known.owner in ("", self.around.installation)
