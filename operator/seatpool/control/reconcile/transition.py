"""A state on its way to the next one. Only `advance` makes one, and none leaves it: from outside, `advance` is pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from seatpool.api.licensepool import EmptyList, LicensePool, OnDelete
from seatpool.api.licenseserver import TIMEOUT, Mode
from seatpool.control.reconcile.pacing import STEADY, Pace, Work
from seatpool.control.reconcile.server_state import ServerState, WriteReason
from seatpool.control.sinks.facts import Fact, PoolDropped, PoolStateChanged
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_state import ObservedList, PoolState
from seatpool.servers.command_result import ProductResult


class Transition:
    """Collects changes of a state and the facts that go with them."""

    def __init__(self, state: ServerState) -> None:
        self._before = state
        self._state = state
        self._pool_states = dict(state.view.pool_states)
        self._observed = dict(state.view.observed)
        self._in_doubt = dict(state.in_doubt)
        self._pending = dict(state.pending)
        self._paces = dict(state.paces)
        self.facts: list[Fact] = []

    @property
    def state(self) -> ServerState:
        """The state, but for pools, lists, doubts and paces, which this class answers for."""
        return self._state

    def done(self) -> tuple[ServerState, tuple[Fact, ...]]:
        """Returns the next state and all facts. What did not change is the same object as before."""
        before, view = self._before, self._state.view
        self._state = replace(
            self._state,
            view=replace(
                view,
                pool_states=_same_or(before.view.pool_states, self._pool_states),
                observed=_same_or(before.view.observed, self._observed),
            ),
            in_doubt=_same_or(before.in_doubt, self._in_doubt),
            pending=_same_or(before.pending, self._pending),
            paces=_same_or(before.paces, self._paces),
        )
        if self._state.view.pool_states is not before.view.pool_states:
            self._tell_changes(before.view.pool_states)
        return self._state, tuple(self.facts)

    def _tell_changes(self, before: Mapping[str, PoolState]) -> None:
        for pool in self._state.pools:
            key = pool.key
            known, state = before.get(key, _UNKNOWN), self._pool_states[key]
            if state is not known:
                self.facts.append(PoolStateChanged(pool=pool, before=known, state=state))
        self.facts += [PoolDropped(key=key) for key in before.keys() - self._pool_states.keys()]

    # -- the server --------------------------------------------------------------------------------------------------

    def change(self, **changes: Any) -> None:
        """Changes fields of the state."""
        self._state = replace(self._state, **changes)

    def change_view(self, **changes: Any) -> None:
        """Changes fields of the view."""
        self._state = replace(self._state, view=replace(self._state.view, **changes))

    def refresh(self, pools: tuple[LicensePool, ...]) -> None:
        """Takes the pools as they are now; what is known of others is dropped."""
        uids = {} if pools == self._before.pools else {pool.key: pool.metadata.uid for pool in self._before.pools}
        products = {pool.spec.product for pool in pools}
        self._observed = {product: seen for product, seen in self._observed.items() if product in products}
        self._in_doubt = {product: why for product, why in self._in_doubt.items() if product in products}
        self._paces = {key: pace for key, pace in self._paces.items() if key[0] in products}
        states: dict[str, PoolState] = {}
        for pool in pools:
            key, uid = pool.key, pool.metadata.uid
            state = self._pool_states.get(key, _UNKNOWN) if uids.get(key, uid) == uid else _UNKNOWN
            states[key] = _changed(
                state,
                observed=self._observed.get(pool.spec.product),
                keep_placeholder=pool.spec.empty_list is EmptyList.KEEP_PLACEHOLDER,
                clearing=pool.metadata.deletion_timestamp is not None and pool.spec.on_delete is OnDelete.CLEAR,
                suspended=pool.spec.suspend,
                dry_run=pool.spec.mode is Mode.DRY_RUN,
                unlistable=self._state.view.unlistable or {},
            )
        self._pool_states = states
        self._pending = {key: since for key, since in self._pending.items() if key in states}
        self.change(pools=pools)

    def users_checked(self, unlistable: Mapping[str, str], at: Moment) -> None:
        """Takes note of the users whom the server's lists cannot have. All pools are answered anew if they are others."""
        known = self._state.view.unlistable
        self.change_view(unlistable=unlistable)
        if (known or {}) == unlistable:
            return
        for pool in self._state.pools:
            self.change_pool(pool, unlistable=unlistable)
            self._pending.setdefault(pool.key, at.now)

    # -- pools -------------------------------------------------------------------------------------------------------

    def pool_state(self, pool: LicensePool) -> PoolState:
        return self._pool_states[pool.key]

    def pool_states(self) -> Iterable[PoolState]:
        return self._pool_states.values()

    def change_pool(self, pool: LicensePool, **changes: Any) -> None:
        """Changes fields of a pool's state."""
        self._pool_states[pool.key] = _changed(self._pool_states[pool.key], **changes)

    def replace_pool(self, pool: LicensePool, **changes: Any) -> None:
        """Changes fields of a pool's state that are large and surely new, without comparing them."""
        self._pool_states[pool.key] = replace(self._pool_states[pool.key], **changes)

    @property
    def pending(self) -> dict[str, Any]:
        """Keys of pools that have to be answered anew, and since when; to be changed in place."""
        return self._pending

    # -- lists -------------------------------------------------------------------------------------------------------

    def observed(self, product: str) -> ObservedList | None:
        """Returns the list as it was last read; None: not known."""
        return self._observed.get(product)

    def record_list(self, product: str, result: ProductResult) -> ObservedList | None:
        """Takes a list as it was read. Returns None, and forgets the list, if it could not be read."""
        if result.users is None:
            self.invalidate([product])
            return None
        observed = ObservedList(
            users=result.users,
            revision=result.fence,
            owner=result.owner,
            odd=result.odd,
            passed_over=result.passed_over,
            surplus=result.surplus,
            notes=result.notes,
            still_in_use=result.still_in_use,
            placeholder=result.placeholder,
        )
        self._observed[product] = observed
        self._show(product, observed)
        if result.owner == self._state.installation:
            self.raise_floor(result.fence)
        return observed

    def invalidate(self, products: Iterable[str]) -> None:
        """Forgets lists that may be anything now: they are read before anything else is decided about them."""
        for product in products:
            self._observed.pop(product, None)
            self._show(product, None)

    def mark_in_doubt(self, products: Iterable[str], reason: WriteReason = WriteReason.IN_DOUBT) -> None:
        """Has lists read again and then written with a higher revision."""
        for product in products:
            self._in_doubt[product] = reason
            self.invalidate([product])

    def must_write(self, product: str, reason: WriteReason) -> None:
        """Has a list written again that was just read."""
        self._in_doubt.setdefault(product, reason)

    def is_in_doubt(self, product: str) -> bool:
        return product in self._in_doubt

    def written(self, product: str) -> None:
        """Ends the doubt about a list: a command with a higher revision wrote it."""
        self._in_doubt.pop(product, None)

    def raise_floor(self, fence: int) -> None:
        """Has every later revision be higher than this fence."""
        self.change(fence_floor=max(self._state.fence_floor, fence))

    def product_failed(self, product: str, work: Work, at: Moment) -> None:
        """Has the product wait for its next try; each failure in a row doubles the pause."""
        self._set_pace(product, work, self._pace(product, work).failed(at))

    def product_hung(self, product: str, work: Work, at: Moment) -> None:
        """Has a product that was late alone wait for its next try, and go alone then."""
        time_limit = TIMEOUT.within(self._state.server.spec.timeout)
        self._set_pace(product, work, self._pace(product, work).hung(at, time_limit=time_limit))

    def product_late(self, product: str, work: Work, *, company: int) -> None:
        """Has the product sent with so many products at most."""
        self._set_pace(product, work, self._pace(product, work).with_company(company))

    def product_in_time(self, product: str, work: Work) -> None:
        """Has the product sent in twice the company."""
        self._set_pace(product, work, self._pace(product, work).in_time())

    def forget_failures(self) -> None:
        """Lets every product be tried at once, and drops what was wrong with its list."""
        self._paces.clear()
        for pool in self._state.pools:
            self.change_pool(pool, failure=None)

    def end_pauses(self) -> None:
        """Lets the server and every product be tried at once. How often they failed is not forgotten."""
        due = STEADY.retry.until
        self.change(server_retry=replace(self._state.server_retry, until=due))
        for (product, work), pace in list(self._paces.items()):
            self._set_pace(product, work, replace(pace, retry=replace(pace.retry, until=due)))

    def product_succeeded(self, product: str, work: Work) -> None:
        """Lets this work be tried at once for the product."""
        self._set_pace(product, work, replace(self._pace(product, work), retry=STEADY.retry))

    def _pace(self, product: str, work: Work) -> Pace:
        return self._paces.get((product, work), STEADY)

    def _set_pace(self, product: str, work: Work, pace: Pace) -> None:
        if pace == STEADY:
            self._paces.pop((product, work), None)
        elif pace != self._paces.get((product, work)):
            self._paces[product, work] = pace

    def _show(self, product: str, observed: ObservedList | None) -> None:
        for pool in self._state.pools:
            if pool.spec.product == product and pool.key in self._pool_states:
                self.change_pool(pool, observed=observed)


_UNKNOWN = PoolState()


def _changed(state: PoolState, **changes: Any) -> PoolState:
    """The same object if nothing changes, so that only a change is told to the sinks."""
    for name, value in changes.items():
        known = getattr(state, name)
        if known is not value and known != value:
            return replace(state, **changes)
    return state


def _same_or(before: Any, after: Any) -> Any:
    """The mapping before if all its values are the same objects still."""
    unchanged = before.keys() == after.keys() and all(after[key] is before[key] for key in before)
    return before if unchanged else after
