"""Explains why a user has a seat, waits for one or is denied one, which rule decides, and when that can change.

The computation is pure: it takes a snapshot and returns an explanation. Three sources:

- the state now: the pool's ledger, which the operator writes before it acts;
- the future: `allocate`, run for later times (`simulation.py`);
- the text: the table of messages (`messages.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from seatpool.api.conditions import ConditionStatus
from seatpool.api.licensepool import LicensePool
from seatpool.api.workbench import SeatPhase, WorkbenchSeat
from seatpool.domain.allocation import Allocation, InLine
from seatpool.domain.demand import DemandIndex
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.reasons import Reason
from seatpool.explain.messages import Message, MessageId, message
from seatpool.explain.problems import Problem, condition_of, problems
from seatpool.explain.rule_text import field_of, rule_message
from seatpool.explain.simulation import Simulation, Stop
from seatpool.explain.snapshot import Snapshot
from seatpool.explain.wait_estimate import WaitEstimate, describe_wait
from seatpool.explain.workbench_table import WorkbenchRow
from seatpool.text import JSON_NAME, TimeFormat, format_names


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
    stop: Stop | None = None
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
        return not self.messages and all(answer.is_well for answer in self.pools)


def why(snapshot: Snapshot, name: str, *, pool: str | None, written: WrittenSeats, times: TimeFormat) -> Explanation:
    """Explains one pool to a user, or every pool that concerns the user.

    The name may have any spelling. `written` is the status of the user's workbenches.
    """
    rows = snapshot.workbenches_of(name)
    user = rows[0].owner if rows and rows[0].user is None else snapshot.store.identity.user(name)
    own_demand = snapshot.demand(snapshot.pools_named(None), rows)
    serving = frozenset[str]().union(*(own_demand.pools_of(row.key) for row in rows))
    concerned = [
        one
        for one in snapshot.pools_named(pool)
        if pool is not None
        or one.key in serving
        or snapshot.has_entry(one.key, user)
        or user in snapshot.store.rules[one.key].always
    ]
    demand = snapshot.demand(concerned)
    explained = (
        _PoolExplainer(snapshot, demand, one, user, written, times).explain(
            even_if_unconcerned=pool is not None or one.key in serving
        )
        for one in concerned
    )
    pools = tuple(one for one in explained if one is not None)
    messages = _about_workbenches(rows, own_demand)
    if not pools and not messages and not rows:
        messages = (message(MessageId.UNKNOWN_USER, user=user),)
    return Explanation(user=user, workbenches=rows, pools=pools, messages=messages)


def _about_workbenches(rows: tuple[WorkbenchRow, ...], demand: DemandIndex) -> tuple[Message, ...]:
    messages = []
    for row in rows:
        if row.problem is not None:
            messages.append(message(MessageId.INVALID_OWNER, workbench=row.key, problem=row.problem))
        elif not demand.pools_of(row.key):
            messages.append(message(MessageId.NO_POOL, workbench=row.key, type=row.type, namespace=row.namespace))
    return tuple(messages)


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
    ) -> None:
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
        if needed and self._user in self._rules.denied:
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
        until = seat.until if seat is not None else self._times.now
        pending = seat is not None and not self._is_confirmed(grant)
        first = MessageId.SEAT_PENDING if pending else MessageId.HAS_SEAT if seat is not None else MessageId.SEAT_OVER
        messages = [
            self._message(first, since=self._times.format_time(grant.since)),
            self._rule(reason, answer, until=until),
        ]
        if seat is not None:
            messages.append(
                self._message(MessageId.SEAT_STAYS)
                if until is None
                else self._message(MessageId.SEAT_ENDS, until=self._times.format_time(until))
            )
        return self._explanation(
            phase=Phase.PENDING if pending else Phase.ASSIGNED,
            reason=reason,
            since=grant.since,
            until=until,
            messages=tuple(messages),
        )

    def _is_confirmed(self, grant: Grant) -> bool:
        """Tells whether the list with this user was read back from the license server."""
        in_sync = condition_of(self._pool.status.conditions, "InSync")
        if in_sync is not None and in_sync.status is ConditionStatus.TRUE:
            return True
        if self._written:
            return any(seat.phase in (SeatPhase.ASSIGNED, SeatPhase.RELEASING) for seat in self._written)
        return grant.idle_since is not None or grant.reason is Reason.ADOPTED

    # -- without a seat ------------------------------------------------------------------------------------------------

    def _denied(self) -> PoolExplanation:
        change = self._message(MessageId.SPEC_MUST_CHANGE, field=f"spec.{field_of(Reason.DENIED)}")
        messages = (self._message(MessageId.IS_DENIED), self._message(Reason.DENIED), change)
        return self._explanation(phase=Phase.DENIED, reason=Reason.DENIED, messages=messages)

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
        expected = self._simulation.seat_at(self._user)
        stop = self._simulation.find_stop(self._user, position=place.position)
        estimate, likely = describe_wait(self._simulation, place, expected=expected, times=self._times)
        messages = (headline, rule, *self._when(place, expected), *self._stops_that_help(stop, expected), *likely)
        return self._waits(place, answer, messages=messages, expected=expected, estimate=estimate, stop=stop)

    def _waits(
        self,
        place: InLine,
        answer: Allocation,
        *,
        messages: tuple[Message, ...],
        expected: datetime | None = None,
        estimate: WaitEstimate | None = None,
        stop: Stop | None = None,
    ) -> PoolExplanation:
        return self._explanation(
            phase=Phase.WAITING, reason=place.reason, since=place.since, position=place.position,
            waiting=len(answer.waiting), earliest=place.earliest, expected=expected, estimate=estimate, stop=stop,
            messages=messages,
        )  # fmt: skip

    def _when(self, place: InLine, expected: datetime | None) -> tuple[Message, ...]:
        messages = []
        if expected is not None:
            messages.append(self._message(MessageId.SEAT_COMES, instant=self._times.format_time(expected)))
        else:
            messages.append(self._message(MessageId.SOMEBODY_MUST_STOP))
        if place.earliest is not None and place.earliest != expected:
            messages.append(self._message(MessageId.BY_TIME_ALONE, earliest=self._times.format_time(place.earliest)))
        return tuple(messages)

    def _stops_that_help(self, stop: Stop | None, expected: datetime | None) -> tuple[Message, ...]:
        if stop is None:
            return () if expected is not None else (self._message(MessageId.NO_STOP_HELPS),)
        values = {
            "instant": self._times.format_time_or_now(stop.instant),
            "holders": format_names(self._holder(user) for user in stop.users),
        }
        if stop.any_of_them:
            return (self._message(MessageId.ONE_STOP_IS_ENOUGH, **values),)
        return (self._message(MessageId.SEVERAL_MUST_STOP, count=str(len(stop.users)), **values),)

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
            times=self._times,
        )  # fmt: skip

    def _message(self, id: str, **values: str) -> Message:  # noqa: A002
        return message(id, user=self._user, pool=self._pool.key, **values)
