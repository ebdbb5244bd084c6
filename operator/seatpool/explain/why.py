"""Explains why a user has a seat, waits for one or is denied one, which rule decides, and when that can change.

The computation is pure: it takes a snapshot and returns an explanation. Three sources:

- the state now: the pool's ledger, which the operator writes before it acts;
- the future: `allocate`, run for later times (`simulation.py`);
- the text: the table of messages (`messages.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal

from seatpool.api.base import format_duration
from seatpool.api.conditions import ConditionStatus
from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason
from seatpool.api.workbench import SeatPhase, WorkbenchSeat
from seatpool.domain.allocation import Allocation, InLine, Seat
from seatpool.domain.demand import DemandIndex
from seatpool.domain.list_hash import list_hash
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.reasons import Reason
from seatpool.explain.messages import Message, MessageId, message
from seatpool.explain.problems import Problem, condition_of, problems
from seatpool.explain.rule_text import field_of, rule_message
from seatpool.explain.simulation import Arrival, Group, Simulation, Stops
from seatpool.explain.snapshot import Snapshot, Subject
from seatpool.explain.wait_estimate import describe_wait
from seatpool.explain.workbench_table import WorkbenchRow
from seatpool.policy.wait_estimate import WaitEstimate
from seatpool.text import JSON_NAME, TimeFormat, format_count, format_names

MOST_WAYS = 3
"""Ways to free a seat that are told."""
_HELD: Mapping[str, str] = {
    ConditionReason.TOO_MANY_RELEASES: "a change is held for approval",
    ConditionReason.INVENTORY_UNKNOWN: "no seat is released before all accounts were asked",
}


class Phase(StrEnum):
    """State of a user in a pool."""

    ASSIGNED = "Assigned"
    PENDING = "Pending"
    WAITING = "Waiting"
    DENIED = "Denied"
    UNDECIDED = "Undecided"
    NONE = "None"


WrittenSeats = Mapping[str, tuple[WorkbenchSeat, ...]]
"""The seats in the status of the user's own workbenches, by workbench key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolExplanation:
    """The state of a user in one pool, the rule that decides, and when that can change."""

    pool: str
    phase: Phase
    reason: str | None = None
    decided_by: str | None = None
    """The object and the field that decide."""
    since: datetime | None = None
    until: datetime | None = None
    position: int | None = None
    waiting: int = 0
    earliest: datetime | None = None
    """The first time at which the rules alone could give the seat."""
    expected: datetime | None = None
    """When the seat comes if no workbench starts or stops before."""
    estimate: WaitEstimate | None = field(default=None, metadata={JSON_NAME: "likely"})
    """A likely range, from how long seats of this pool are held."""
    stop: Stops | None = None
    """The fewest holders whose stop brings the seat sooner than time alone. None: no such set was found."""
    messages: tuple[Message, ...] = field(metadata={JSON_NAME: "said"})
    problems: tuple[Problem, ...] = field(default=(), metadata={JSON_NAME: "obstacles"})

    @property
    def is_well(self) -> bool:
        """Tells whether the user has a seat or needs none, and no problem blocks it."""
        return self.phase in (Phase.ASSIGNED, Phase.NONE) and not any(problem.blocks for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one user."""

    user: str
    workbenches: tuple[WorkbenchRow, ...]
    pools: tuple[PoolExplanation, ...]
    messages: tuple[Message, ...] = field(metadata={JSON_NAME: "said"})
    """Messages that are not about one pool."""

    @property
    def is_well(self) -> bool:
        complaints = [one for one in self.messages if one.id != MessageId.NOT_RUNNING]
        return not complaints and all(answer.is_well for answer in self.pools)

    @property
    def is_served(self) -> bool:
        """Tells whether a seat was read back from the license server, and no other is missing."""
        return self.is_well and any(answer.phase is Phase.ASSIGNED for answer in self.pools)

    @property
    def is_denied(self) -> bool:
        """Tells whether a seat is missing that no time brings."""
        return any(answer.phase is Phase.DENIED for answer in self.pools)


def why(
    snapshot: Snapshot,
    name: str,
    *,
    pool: str | None,
    written: WrittenSeats,
    times: TimeFormat,
    where: str = "the cluster",
) -> Explanation:
    """Explains one pool to a user, or every pool that concerns the user.

    The name is that of the user in any spelling, or of a workbench. `written` is the status of the user's workbenches.
    `where` is what was read, such as `namespace lab`.
    """
    subject = snapshot.subject(name)
    is_workbench = any(name in (row.name, row.key) for row in subject.rows) and name != subject.user
    return explain(
        snapshot, subject, pool=pool, written=written, times=times, where=where, only_workbenches=is_workbench
    )


def explain(
    snapshot: Snapshot,
    subject: Subject,
    *,
    pool: str | None,
    written: WrittenSeats,
    times: TimeFormat,
    where: str = "the cluster",
    only_workbenches: bool = False,
    named: Callable[[str], str] = str,
) -> Explanation:
    """Explains one pool to a user, or every pool that concerns the user, or with `only_workbenches` the workbenches.

    `named` returns what the reader may see of another user's id. The workbenches of users whose id is not seen are not named.
    """
    user, rows = subject.user, subject.rows
    own_demand = snapshot.demand(snapshot.pools_named(None), rows)
    serving = frozenset[str]().union(*(own_demand.pools_of(row.key) for row in rows))
    concerned = [
        one
        for one in snapshot.pools_named(pool)
        if pool is not None
        or one.key in serving
        or (
            not only_workbenches and (snapshot.has_entry(one.key, user) or user in snapshot.store.rules[one.key].always)
        )
    ]
    demand = snapshot.demand(concerned)
    explained = (
        _PoolExplainer(snapshot, demand, one, user, written, times, named).explain(
            even_if_unconcerned=pool is not None or one.key in serving
        )
        for one in concerned
    )
    pools = tuple(one for one in explained if one is not None)
    messages = _about_workbenches(rows, own_demand)
    if not pools and not messages:
        messages = _about_nothing(user, rows, where)
    return Explanation(user=user, workbenches=rows, pools=pools, messages=messages)


def _about_workbenches(rows: tuple[WorkbenchRow, ...], demand: DemandIndex) -> tuple[Message, ...]:
    """Returns what keeps workbenches from every pool. One that does not run needs no seat."""
    messages = []
    for row in rows:
        if not row.is_running:
            continue
        if row.problem is not None:
            messages.append(message(MessageId.INVALID_OWNER, workbench=row.key, problem=row.problem))
        elif not demand.pools_of(row.key):
            messages.append(message(MessageId.NO_POOL, workbench=row.key, type=row.type, namespace=row.namespace))
    return tuple(messages)


def _about_nothing(user: str, rows: tuple[WorkbenchRow, ...], where: str) -> tuple[Message, ...]:
    if rows:
        stopped = format_names(f"{row.name} is {row.state}" for row in rows)
        return (message(MessageId.NOT_RUNNING, user=user, workbenches=stopped),)
    hint = (message(MessageId.LOOK_ELSEWHERE),) if where.startswith("namespace") else ()
    return (message(MessageId.UNKNOWN_USER, user=user, where=where), *hint)


class _PoolExplainer:
    """Explains one pool to one user."""

    def __init__(
        self,
        snapshot: Snapshot,
        demand: DemandIndex,
        pool: LicensePool,
        user: str,
        written: WrittenSeats,
        times: TimeFormat,
        named: Callable[[str], str],
    ) -> None:
        self._named = named
        self._remembered = snapshot.remembered(pool.key)
        self._pool = pool
        self._user = user
        self._times = times
        self._demand = demand
        self._keys = sorted(demand.workbenches_of(pool.key, user))
        self._written = [seat for seats in written.values() for seat in seats if seat.pool == pool.key]
        self._memory = snapshot.memory(pool.key)
        self._problems = problems(snapshot, pool, times=times)
        self._rules = snapshot.store.rules[pool.key]
        self._simulation = Simulation(
            pool=pool,
            rules=self._rules,
            needs=demand.needs(pool.key),
            memory=self._memory or PoolMemory.empty(),
            now=times.now,
            server=snapshot.server_of(pool.key),
            may_release=not any(problem.holds_releases for problem in self._problems),
        )

    def explain(self, *, even_if_unconcerned: bool) -> PoolExplanation | None:
        """Returns the explanation. None: the user has nothing to do with the pool."""
        grant = self._memory.assigned.get(self._user) if self._memory is not None else None
        if grant is not None:
            return self._has_seat(grant, self._simulation.answer)
        needed = self._user in self._simulation.needs
        if needed and self._user in self._rules.barred:
            return self._denied()
        if needed or self._user in self._rules.always:
            return self._has_no_seat(self._simulation.answer)
        if not even_if_unconcerned:
            return None
        return PoolExplanation(pool=self._pool.key, phase=Phase.NONE, messages=(self._message(MessageId.NEEDS_NONE),))

    # -- with a seat ---------------------------------------------------------------------------------------------------

    def _has_seat(self, grant: Grant, answer: Allocation) -> PoolExplanation:
        seat = answer.seats.get(self._user)
        released = next((one for one in answer.released if one.user == self._user), None)
        reason = seat.reason if seat is not None else released.reason if released is not None else grant.reason
        until = self._end_of(seat)
        pending = seat is not None and not self._is_confirmed(grant)
        blocked = any(problem.blocks for problem in self._problems)
        first = MessageId.SEAT_PENDING if pending else MessageId.HAS_SEAT
        if seat is None and not blocked:
            first = MessageId.SEAT_OVER
        holds = next((problem for problem in self._problems if problem.holds_releases), None)
        is_held = seat is not None and holds is not None and self._is_idle(reason)
        if is_held and holds is not None:
            why = [self._message(MessageId.HELD_SEAT, held=_HELD[holds.message.id])]
        else:
            why = [self._rule_of_holder(reason, answer, seat.until if seat is not None else until)]
            if blocked and until is not None:
                why.append(self._message(MessageId.OBSTACLE_FIRST))
            elif seat is not None:
                why += self._end_in_words(seat, until)
        found = self._explanation(
            phase=Phase.PENDING if pending else Phase.ASSIGNED,
            reason=reason,
            since=grant.since,
            until=until,
            messages=(self._message(first, since=self._times.format_time(grant.since)), *why),
        )
        return replace(found, reason=holds.message.id, decided_by=holds.object) if is_held and holds else found

    def _is_idle(self, reason: Reason) -> bool:
        return self._user not in self._simulation.needs and reason is not Reason.PROTECTED

    def _end_of(self, seat: Seat | None) -> datetime | None:
        """Returns when the seat ends if no workbench starts or stops. None: not by itself."""
        if seat is None:
            return self._times.now
        if seat.reason is Reason.PROTECTED or self._rules.always <= self._simulation.answer.seats.keys():
            return seat.until
        return self._simulation.lost_at(self._user).instant or seat.until  # a protected user without a seat may take it

    def _rule_of_holder(self, reason: Reason, answer: Allocation, until: datetime | None) -> Message:
        if reason is Reason.MINIMUM_HOLD and self._user in self._rules.denied:
            return self._message(
                MessageId.DENIED_HOLD, until=self._times.format_time(until),
                duration=format_duration(self._rules.minimum_hold),
            )  # fmt: skip
        return self._rule(reason, answer, until=until)

    def _end_in_words(self, seat: Seat, until: datetime | None) -> list[Message]:
        if until is None:
            return [] if seat.reason is Reason.PROTECTED else [self._message(MessageId.SEAT_STAYS)]
        id = MessageId.SEAT_ENDS  # noqa: A001
        if self._user in self._rules.denied:
            id = MessageId.DENIED_SEAT_ENDS  # noqa: A001
        if seat.until is None or until < seat.until:
            id = MessageId.GIVES_WAY  # noqa: A001
        return [self._message(id, until=self._times.format_time(until))]

    def _is_confirmed(self, grant: Grant) -> bool:
        """Tells whether the list with this user was read back from the license server.

        The statuses of the user's workbenches say it of this very seat. The pool's condition says it of a list, by its hash.
        """
        if self._written:
            return any(
                seat.phase in (SeatPhase.ASSIGNED, SeatPhase.RELEASING)
                and (seat.since is None or seat.since >= grant.since)
                for seat in self._written
            )
        in_sync = condition_of(self._pool.status.conditions, "InSync")
        if in_sync is not None and in_sync.status is ConditionStatus.TRUE:
            hash_of_list = self._pool.status.list_hash
            users = () if self._memory is None else tuple(sorted(self._memory.assigned))
            return hash_of_list is None or hash_of_list == list_hash(users)
        return grant.idle_since is not None or grant.reason is Reason.ADOPTED

    # -- without a seat ------------------------------------------------------------------------------------------------

    def _denied(self) -> PoolExplanation:
        if self._user in self._rules.denied:
            reason = Reason.DENIED
            change = self._message(MessageId.SPEC_MUST_CHANGE, field=f"spec.{field_of(reason)}")
        else:
            reason, change = Reason.NOT_LISTABLE, self._message(MessageId.ACCOUNT_MUST_CHANGE)
        rule = self._rule(reason, self._simulation.answer, until=None)
        messages = (self._message(MessageId.IS_DENIED), rule, change)
        return self._explanation(phase=Phase.DENIED, reason=reason, messages=messages)

    def _has_no_seat(self, answer: Allocation) -> PoolExplanation:
        place = next((one for one in answer.waiting if one.user == self._user), None)
        if place is None or self._memory is None:
            return self._explanation(
                phase=Phase.UNDECIDED, reason=None, messages=(self._message(MessageId.NOT_DECIDED),)
            )
        headline = self._message(
            MessageId.WAITS,
            position=str(place.position),
            waiting=str(len(answer.waiting)),
            since=self._times.format_time(place.since),
        )
        rule = self._rule(place.reason, answer, until=place.earliest)
        if any(problem.blocks for problem in self._problems):
            return self._waits(place, answer, messages=(headline, rule, self._message(MessageId.OBSTACLE_FIRST)))
        comes = self._simulation.seat_at(self._user)
        stops = self._simulation.find_stops(self._user, otherwise=comes.instant, position=place.position)
        estimate, likely = describe_wait(
            self._simulation, place, expected=comes.instant, times=self._times, remembered=self._remembered
        )
        messages = (headline, rule, *self._when(place, comes, stops), *self._stops_that_help(stops, comes), *likely)
        return self._waits(
            place, answer, messages=messages, expected=comes.instant, estimate=estimate, stop=stops or None
        )

    def _waits(
        self,
        place: InLine,
        answer: Allocation,
        *,
        messages: tuple[Message, ...],
        expected: datetime | None = None,
        estimate: WaitEstimate | None = None,
        stop: Stops | None = None,
    ) -> PoolExplanation:
        return self._explanation(
            phase=Phase.WAITING, reason=place.reason, since=place.since, position=place.position,
            waiting=len(answer.waiting), earliest=place.earliest, expected=expected, estimate=estimate, stop=stop,
            messages=messages,
        )  # fmt: skip

    def _when(self, place: InLine, comes: Arrival, stops: Stops | Literal[False] | None) -> Iterator[Message]:
        if comes.instant is not None:
            yield self._message(MessageId.SEAT_COMES, instant=self._times.format_time(comes.instant))
        elif not comes.is_known:
            yield self._message(MessageId.TIME_NOT_KNOWN, instant=self._times.format_time(comes.seen_until))
        elif not self._simulation.may_release:
            yield self._message(MessageId.RELEASES_HELD)
        elif stops and stops.count > 1 and stops.all_tried:
            yield self._message(MessageId.SEVERAL_MUST_STOP, count=str(stops.count))
        elif stops:
            yield self._message(MessageId.SOMEBODY_MUST_STOP)
        blocked = place.reason is Reason.READMISSION_BLOCKED and place.earliest != comes.instant
        if blocked and place.earliest is not None:
            yield self._message(MessageId.BY_TIME_ALONE, earliest=self._times.format_time(place.earliest))

    def _stops_that_help(self, stops: Stops | Literal[False] | None, comes: Arrival) -> Iterator[Message]:
        if not stops:
            if comes.instant is None and comes.is_known and self._simulation.may_release:
                yield self._message(MessageId.NO_STOP_HELPS if stops is None else MessageId.NO_STOP_FOUND)
            return
        instant = self._times.format_time_or_now(stops.instant)
        if stops.count == 1:
            (way,) = stops.ways
            holders = format_names(self._holders(way[0].users))
            yield self._message(MessageId.ONE_STOP_IS_ENOUGH, instant=instant, holders=holders)
        else:
            ways = "; or ".join(self._way(way) for way in stops.ways[:MOST_WAYS])
            more = len(stops.ways) - MOST_WAYS
            holders = f"{ways}; or {format_count(more, 'other way')}" if more > 0 else ways
            yield self._message(MessageId.STOPS_THAT_HELP, instant=instant, holders=holders)
        if not stops.all_tried:
            yield self._message(MessageId.NOT_ALL_TRIED)

    def _way(self, way: tuple[Group, ...]) -> str:
        every = [user for group in way if group.count == len(group.users) for user in group.users]
        some = [group for group in way if group.count < len(group.users)]
        parts = [format_names(self._holders(every))] if every else []
        parts += [f"any {group.count} of {format_names(self._holders(group.users))}" for group in some]
        return ", and ".join(parts)

    def _holders(self, users: Iterable[str]) -> Iterator[str]:
        """Yields the holders whom the reader may see, and then how many others there are."""
        hidden = []
        for user in users:
            if self._named(user) == user:
                yield self._holder(user)
            else:
                hidden.append(self._named(user))
        if hidden:
            yield hidden[0] if len(hidden) == 1 else format_count(len(hidden), "other user")

    def _holder(self, user: str) -> str:
        names = sorted(key.partition("/")[2] for key in self._demand.workbenches_of(self._pool.key, user))
        return f"{user} ({format_names(names, most=2)})"

    # -- texts ---------------------------------------------------------------------------------------------------------

    def _explanation(
        self, *, phase: Phase, reason: Reason | None, messages: tuple[Message, ...], **more: object
    ) -> PoolExplanation:
        decided_by = f"LicensePool {self._pool.key}, spec.{field_of(reason)}" if reason is not None else None
        return PoolExplanation(
            pool=self._pool.key, phase=phase, reason=reason, decided_by=decided_by, messages=messages,
            problems=self._problems, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def _rule(self, reason: Reason, answer: Allocation, *, until: datetime | None) -> Message:
        return rule_message(
            reason, pool=self._pool, rules=self._rules, answer=answer, user=self._user, keys=self._keys, until=until,
            times=self._times, named=self._named,
        )  # fmt: skip

    def _message(self, id: str, **values: str) -> Message:  # noqa: A002
        return message(id, user=self._user, pool=self._pool.key, **values)
