"""Makes the content of each answer from the live cluster. The API's field names are those of `-o json`.

Every function here is given a caller's scopes and `VisibleUsers`. None asks for rights, reads the cluster, or knows HTTP.
"""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.explain.operator_life import OperatorLife, Reading, operator_lives
from seatpool.explain.overview import Overview, PoolLine, ServerLine, overview, pool_line, server_line
from seatpool.explain.who import Who, who
from seatpool.explain.why import Explanation, explain
from seatpool.explain.workbench_table import WorkbenchRow
from seatpool.text import TimeFormat
from seatpool.web.authorization import Scope
from seatpool.web.cluster import LiveCluster, rows_of
from seatpool.web.paging import Page
from seatpool.web.replies import to_json
from seatpool.web.visible_users import ASK, VisibleUsers

STATUS_FRESH = 2.0
"""Seconds for which the status of everything is used, whatever changes. It looks at all pools and workbenches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolsPage:
    """A page of pools, sorted by name. Each line is as in `seatpool status -o json`."""

    items: tuple[PoolLine, ...]
    next_cursor: str | None
    """Send it as `cursor` to get the next page. Absent: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersPage:
    """A page of license servers, sorted by name. Each line is as in `seatpool status -o json`."""

    items: tuple[ServerLine, ...]
    operators: tuple[OperatorLife, ...]
    """Whether the operators that wrote these statuses are alive. Nothing is news if none is."""
    next_cursor: str | None
    """Send it as `cursor` to get the next page. Absent: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchesPage:
    """A page of workbenches, sorted by namespace and name."""

    items: tuple[WorkbenchRow, ...]
    next_cursor: str | None
    """Send it as `cursor` to get the next page. Absent: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedSeats:
    """Seats that are kept free for some users."""

    name: str
    seats: int
    """How many seats are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of a pool, without the users whom they name. Durations are as in the spec, such as `1h30m`."""

    order: str
    """Order of the waiting line: FirstCome or Priority."""
    workbench_types: tuple[str, ...]
    """Types of workbenches that need a seat, as glob patterns."""
    active_states: tuple[str, ...]
    """States in which a workbench needs a seat."""
    minimum_hold: timedelta
    """A seat once given is kept at least so long."""
    linger: timedelta
    """A seat is kept so long after the last workbench stops."""
    seat_cool_down: timedelta
    """A freed seat is blocked for other users so long."""
    readmit_after: timedelta
    """The same user may not return so long."""
    changes_allowed: int | None
    """Re-assignments that the pool allows in `changesWindow`. Absent: any number."""
    changes_window: timedelta | None
    """Window in which re-assignments are counted."""
    reservations: tuple[ReservedSeats, ...]
    protected_users: int
    """How many users are always on the list."""
    denied_users: int
    """How many users never get a seat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAnswer:
    """One pool: its line, who has a seat and who waits, its rules, and what comes next."""

    pool: PoolLine
    """As in `seatpool status -o json`."""
    who: Who
    """As in `seatpool who -o json`. Users whom the caller may not see are called "another user"."""
    rules: Rules
    next_end: datetime | None
    """When the next seat ends by itself. Absent: none does."""
    names_shown: bool
    """Whether the caller may see the names of all users of this pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The caller, and the caller's own seats."""

    name: str
    """Name of the caller, as the Kubernetes API knows it."""
    user: str | None
    """User id of the caller on lists of users. Absent: the caller is no user of Seatpool, but a program for example."""
    answer: Explanation | None
    """As in `seatpool why -o json`. Absent: there is no user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolChanges:
    """Pools whose lines changed."""

    items: tuple[PoolLine, ...]
    """Lines as they are now. The first event has all that the caller may see."""
    gone: tuple[str, ...]
    """Names of pools that are gone, or that the caller may not see any more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The objects that a caller may list, of one namespace or of all."""

    licensepools: Scope
    licenseservers: Scope
    workbench_scope: Scope
    namespace: str | None

    def pools(self, key: str) -> bool:
        """Tells whether the caller may list this LicensePool."""
        return self._has(self.licensepools, key)

    def servers(self, key: str) -> bool:
        """Tells whether the caller may list this LicenseServer."""
        return self._has(self.licenseservers, key)

    def workbenches(self, key: str) -> bool:
        """Tells whether the caller may list this Workbench."""
        return self._has(self.workbench_scope, key)

    def named(self, shown_by: str) -> bool:
        """Tells whether the caller may list an object, named as `Kind namespace/name`. SeatLedgers are as LicensePools."""
        kind, _, key = shown_by.partition(" ")
        if kind == Workbench.kind:
            return self.workbenches(key)
        return self.servers(key) if kind == LicenseServer.kind else self.pools(key)

    def _has(self, scope: Scope, key: str) -> bool:
        namespace = key.partition("/")[0]
        return self.namespace in (None, namespace) and namespace in scope


@dataclass(frozen=True, slots=True)
class Answers:
    """Makes answers from the live cluster."""

    cluster: LiveCluster

    def pool_line(self, key: str) -> PoolLine | None:
        """Returns the line of a pool. None: there is no such pool."""
        if key not in self.cluster.store.pools:
            return None
        pool = self.cluster.store.pools[key]
        return self.cluster.computed(
            ("line", key),
            self.cluster.pool_version(key),
            lambda: pool_line(self.cluster.snapshot(), pool, times=self._times(UTC)),
        )

    def pools(self, page: Page[str]) -> PoolsPage:
        """Returns the lines of these pools."""

        def compute() -> PoolsPage:
            lines = (self.pool_line(key) for key in page.items)
            return PoolsPage(items=tuple(line for line in lines if line is not None), next_cursor=page.next_cursor)

        versions = tuple(self.cluster.pool_version(key) for key in page.items)
        return self.cluster.computed(("pools", page), versions, compute, lines=lambda found: len(found.items) + 1)

    def pools_json(self, page: Page[str]) -> bytes:
        """Returns the lines of these pools as JSON."""
        return self.cluster.encoded(("pools", page), self.pools(page), to_json)

    def servers(self, page: Page[str], leases: dict[str, Reading]) -> ServersPage:
        """Returns the lines of these servers."""

        def compute() -> ServersPage:
            store, times = self.cluster.store, self._times(UTC)
            servers = [store.servers[key] for key in page.items if key in store.servers]
            return ServersPage(
                items=tuple(server_line(one, times=times) for one in servers),
                operators=operator_lives(servers, leases, identity=store.identity, times=times),
                next_cursor=page.next_cursor,
            )

        return self.cluster.computed(
            ("servers", page), self.cluster.version, compute, lines=lambda found: len(found.items) + 1
        )

    def status(self, seen: "Seen", visible: VisibleUsers, leases: dict[str, Reading], zone: tzinfo) -> Overview:
        """Returns what `seatpool status` says of what the caller may see."""

        def compute() -> Overview:
            store, times = self.cluster.store, self._times(zone)
            servers = [one for key, one in store.servers.items() if seen.servers(key)]
            rows = tuple(rows_of(self.cluster, (key for key in store.workbenches if seen.workbenches(key))))
            found = overview(
                replace(self.cluster.snapshot(), rows=rows),
                lives=operator_lives(servers, leases, identity=store.identity, times=times),
                times=times,
            )
            return replace(
                found,
                servers=tuple(one for one in found.servers if seen.servers(one.name)),
                pools=tuple(one for one in found.pools if seen.pools(one.name)),
                problems=visible.problems(one for one in found.problems if seen.named(one.object)),
                notes=visible.problems(one for one in found.notes if seen.named(one.object)),
                unreadable=tuple(
                    one if visible.all_named else f"{one.partition(': ')[0]}: {ASK}"
                    for one in found.unreadable
                    if seen.named(one.partition(": ")[0])
                ),
            )

        return self.cluster.computed(
            ("status", seen, visible, str(zone)), None, compute, fresh=STATUS_FRESH,
            lines=lambda found: len(found.pools) + len(found.servers) + 1,
        )  # fmt: skip

    def workbenches(self, page: Page[str]) -> WorkbenchesPage:
        """Returns these workbenches."""
        keys = (key for key in page.items if key in self.cluster.store.workbenches)
        return WorkbenchesPage(items=tuple(rows_of(self.cluster, keys)), next_cursor=page.next_cursor)

    def pool(self, pool: LicensePool, visible: VisibleUsers, zone: tzinfo) -> PoolAnswer:
        """Returns everything about a pool that the caller may see."""
        times = self._times(zone)
        found = self.cluster.computed(
            ("who", pool.key, str(zone)),
            self.cluster.pool_version(pool.key),
            lambda: who(self.cluster.snapshot(), pool, times=times),
            lines=lambda answer: len(answer.holders) + len(answer.waiting) + 1,
        )
        line = self.pool_line(pool.key)
        assert line is not None  # noqa: S101
        ends = [one.until for one in found.holders if one.until is not None]
        return PoolAnswer(
            pool=line, who=visible.who(found), rules=_rules(pool), next_end=min(ends, default=None),
            names_shown=visible.all_named,
        )  # fmt: skip

    def pool_json(self, pool: LicensePool, visible: VisibleUsers, zone: tzinfo) -> bytes:
        """Returns everything about a pool that the caller may see, as JSON.

        Most callers see the same. What one caller sees is not kept, because there may be thousands of them.
        """
        if not visible.all_named:
            return to_json(self.pool(pool, visible, zone))
        cluster = self.cluster
        found = cluster.computed(
            ("pool", pool.key, str(zone)),
            cluster.pool_version(pool.key),
            lambda: self.pool(pool, visible, zone),
            lines=lambda answer: len(answer.who.holders) + len(answer.who.waiting) + 1,
        )
        return cluster.encoded(("pool", pool.key, str(zone)), found, to_json)

    def user(
        self,
        user: str,
        visible: VisibleUsers,
        zone: tzinfo,
        *,
        pools: frozenset[str] | None = None,
        rows: Container[str] | None = None,
    ) -> Explanation:
        """Returns what `seatpool why` says of a user.

        `pools` has the keys of the pools, and `rows` the namespaces of the workbenches, that it says something of. None: all.
        """
        cluster = self.cluster
        subject = cluster.subject(user)
        concerned = cluster.pools_of(subject)
        where = "the cluster"
        if pools is not None:
            concerned = tuple(pool for pool in concerned if pool.key in pools)
            where = "what you may see"
        if rows is not None:
            subject = replace(subject, rows=tuple(row for row in subject.rows if row.namespace in rows))
        versions = tuple((pool.key, cluster.pool_version(pool.key)) for pool in concerned)

        def compute() -> Explanation:
            found = explain(
                cluster.snapshot(concerned=concerned), subject, pool=None, written=cluster.written(subject),
                times=self._times(zone), where=where, named=visible,
            )  # fmt: skip
            return visible.explanation(found)

        return cluster.computed(("why", user, visible, where, str(zone)), (versions, subject.rows), compute)

    def _times(self, zone: tzinfo) -> TimeFormat:
        return TimeFormat(zone=zone, now=self.cluster.clock())


def _rules(pool: LicensePool) -> Rules:
    spec = pool.spec
    budget = spec.max_reassignments
    return Rules(
        order=spec.order.value,
        workbench_types=tuple(spec.workbench_types),
        active_states=tuple(state.value for state in spec.active_states),
        minimum_hold=spec.minimum_hold,
        linger=spec.linger,
        seat_cool_down=spec.seat_cool_down,
        readmit_after=spec.readmit_after,
        changes_allowed=None if budget is None else budget.count,
        changes_window=None if budget is None else budget.window,
        reservations=tuple(ReservedSeats(name=one.name, seats=one.seats) for one in spec.reservations),
        protected_users=len(spec.protected_users),
        denied_users=len(spec.denied_users),
    )
