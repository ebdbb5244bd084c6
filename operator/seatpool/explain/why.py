"""Why somebody has, awaits or is denied a seat, what decides it, and when it can change.

Pure: a snapshot in, an explanation out. What is so comes from the pool's ledger, which the operator writes before it acts;
what will be comes from asking `allocate` about later instants; what is said comes from the table of sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seatpool.api.conditions import ConditionStatus
from seatpool.api.licensepool import LicensePool
from seatpool.api.workbench import SeatPhase, WorkbenchSeat
from seatpool.domain.allocation import Allocation, InLine
from seatpool.domain.demand import DemandIndex
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.reasons import Reason
from seatpool.explain.messages import Said, Say, say
from seatpool.explain.problems import Obstacle, condition_of, obstacles
from seatpool.explain.range_text import told_range
from seatpool.explain.rule_text import field_of, told_rule
from seatpool.explain.simulation import Replay, Stop
from seatpool.explain.snapshot import Snapshot
from seatpool.explain.wait_estimate import Likely
from seatpool.explain.workbench_table import WorkbenchRow
from seatpool.text import TimeFormat, format_names


class Phase(StrEnum):
    """How a person stands with a pool, in one word."""

    ASSIGNED = "Assigned"
    PENDING = "Pending"
    WAITING = "Waiting"
    DENIED = "Denied"
    UNDECIDED = "Undecided"
    NONE = "None"


Shown = Mapping[str, tuple[WorkbenchSeat, ...]]
"""What the operator wrote into the status of the person's own workbenches, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAnswer:
    """How a person stands with one pool."""

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
    """By time alone not before."""
    expected: datetime | None = None
    """When the seat comes if nobody starts or stops a workbench before."""
    likely: Likely | None = None
    """Between when and when it comes, as seats of this pool are held."""
    stop: Stop | None = None
    said: tuple[Said, ...]
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether the person has what is needed, and nothing stands in the way."""
        return self.phase in (Phase.ASSIGNED, Phase.NONE) and not any(one.blocks for one in self.obstacles)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer."""

    user: str
    workbenches: tuple[WorkbenchRow, ...]
    pools: tuple[PoolAnswer, ...]
    said: tuple[Said, ...]
    """What is not about one pool."""

    @property
    def is_well(self) -> bool:
        return not self.said and all(answer.is_well for answer in self.pools)


def why(snapshot: Snapshot, spelled: str, *, pool: str | None, shown: Shown, times: TimeFormat) -> Explanation:
    """The answer for a person, about one pool or all that have to do with the person."""
    rows = snapshot.workbenches_of(spelled)
    user = rows[0].owner if rows and rows[0].user is None else snapshot.store.identity.user(spelled)
    everywhere = snapshot.pools_named(None)
    own = snapshot.demand(everywhere, rows)
    served = frozenset[str]().union(*(own.pools_of(row.key) for row in rows))
    asked = snapshot.pools_named(pool)
    pools = [
        one
        for one in asked
        if pool is not None
        or one.key in served
        or snapshot.remembers(one.key, user)
        or user in snapshot.store.rules[one.key].always
    ]
    demand = snapshot.demand(pools)
    answers = tuple(
        found
        for one in pools
        if (
            found := _Question(snapshot, demand, one, user, shown, times).answer(
                asked=pool is not None or one.key in served
            )
        )
        is not None
    )
    said = _about_workbenches(rows, own)
    if not answers and not said and not rows:
        said = (say(Say.UNKNOWN_USER, user=user),)
    return Explanation(user=user, workbenches=rows, pools=answers, said=said)


def _about_workbenches(rows: tuple[WorkbenchRow, ...], demand: DemandIndex) -> tuple[Said, ...]:
    said = []
    for row in rows:
        if row.problem is not None:
            said.append(say(Say.INVALID_OWNER, workbench=row.key, problem=row.problem))
        elif not demand.pools_of(row.key):
            said.append(say(Say.NO_POOL, workbench=row.key, type=row.type, namespace=row.namespace))
    return tuple(said)


class _Question:
    """One person and one pool."""

    def __init__(
        self, snapshot: Snapshot, demand: DemandIndex, pool: LicensePool, user: str, shown: Shown, times: TimeFormat
    ) -> None:
        self._pool = pool
        self._user = user
        self._times = times
        self._demand = demand
        self._keys = sorted(demand.workbenches_of(pool.key, user))
        self._shown = [seat for seats in shown.values() for seat in seats if seat.pool == pool.key]
        self._memory = snapshot.memory(pool.key)
        self._obstacles = obstacles(snapshot, pool, times=times)
        self._rules = snapshot.store.rules[pool.key]
        self._replay = Replay(
            pool=pool,
            rules=self._rules,
            needs=demand.needs(pool.key),
            memory=self._memory or PoolMemory.empty(),
            now=times.now,
            server=snapshot.server_of(pool.key),
            may_release=not any(one.keeps_everybody for one in self._obstacles),
        )

    def answer(self, *, asked: bool) -> PoolAnswer | None:
        """None when the person has nothing to do with the pool, and it was not asked for by name."""
        grant = self._memory.assigned.get(self._user) if self._memory is not None else None
        if grant is not None:
            return self._has_seat(grant, self._replay.answer)
        needed = self._user in self._replay.needs
        if needed and self._user in self._rules.denied:
            return self._denied()
        if needed or self._user in self._rules.always:
            return self._lacks(self._replay.answer)
        if not asked:
            return None
        return PoolAnswer(pool=self._pool.key, phase=Phase.NONE, said=(self._say(Say.NEEDS_NONE),))

    # -- has one -------------------------------------------------------------------------------------------------------

    def _has_seat(self, grant: Grant, answer: Allocation) -> PoolAnswer:
        seat = answer.seats.get(self._user)
        gone = next((one for one in answer.released if one.user == self._user), None)
        reason = seat.reason if seat is not None else gone.reason if gone is not None else grant.reason
        until = seat.until if seat is not None else self._times.now
        pending = seat is not None and not self._is_confirmed(grant)
        first = Say.SEAT_PENDING if pending else Say.HAS_SEAT if seat is not None else Say.SEAT_OVER
        said = [self._say(first, since=self._times.format_time(grant.since)), self._rule(reason, answer, until=until)]
        if seat is not None:
            said.append(
                self._say(Say.SEAT_STAYS)
                if until is None
                else self._say(Say.SEAT_ENDS, until=self._times.format_time(until))
            )
        return self._answer_with(
            phase=Phase.PENDING if pending else Phase.ASSIGNED,
            reason=reason,
            since=grant.since,
            until=until,
            said=tuple(said),
        )

    def _is_confirmed(self, grant: Grant) -> bool:
        """Whether the list with the person on it was seen on the license server."""
        in_sync = condition_of(self._pool.status.conditions, "InSync")
        if in_sync is not None and in_sync.status is ConditionStatus.TRUE:
            return True
        if self._shown:
            return any(seat.phase in (SeatPhase.ASSIGNED, SeatPhase.RELEASING) for seat in self._shown)
        return grant.idle_since is not None or grant.reason is Reason.ADOPTED

    # -- has none ------------------------------------------------------------------------------------------------------

    def _denied(self) -> PoolAnswer:
        change = self._say(Say.SPEC_MUST_CHANGE, field=f"spec.{field_of(Reason.DENIED)}")
        said = (self._say(Say.IS_DENIED), self._say(Reason.DENIED), change)
        return self._answer_with(phase=Phase.DENIED, reason=Reason.DENIED, said=said)

    def _lacks(self, answer: Allocation) -> PoolAnswer:
        place = next((one for one in answer.waiting if one.user == self._user), None)
        if place is None or self._memory is None:
            return self._answer_with(phase=Phase.UNDECIDED, reason=None, said=(self._say(Say.NOT_DECIDED),))
        headline = self._say(
            Say.WAITS,
            position=str(place.position),
            waiting=str(len(answer.waiting)),
            since=self._times.format_time(place.since),
        )
        rule = self._rule(place.reason, answer, until=place.earliest)
        if any(one.blocks for one in self._obstacles):
            return self._waits(place, answer, said=(headline, rule, self._say(Say.OBSTACLE_FIRST)))
        expected = self._replay.seat_at(self._user)
        stop = self._replay.stop_that_helps(self._user, position=place.position)
        found, told = told_range(self._replay, place, expected=expected, times=self._times)
        said = (headline, rule, *self._when(place, expected), *self._sooner(stop, expected), *told)
        return self._waits(place, answer, said=said, expected=expected, likely=found, stop=stop)

    def _waits(
        self,
        place: InLine,
        answer: Allocation,
        *,
        said: tuple[Said, ...],
        expected: datetime | None = None,
        likely: Likely | None = None,
        stop: Stop | None = None,
    ) -> PoolAnswer:
        return self._answer_with(
            phase=Phase.WAITING, reason=place.reason, since=place.since, position=place.position,
            waiting=len(answer.waiting), earliest=place.earliest, expected=expected, likely=likely, stop=stop,
            said=said,
        )  # fmt: skip

    def _when(self, place: InLine, expected: datetime | None) -> tuple[Said, ...]:
        said = []
        if expected is not None:
            said.append(self._say(Say.SEAT_COMES, instant=self._times.format_time(expected)))
        else:
            said.append(self._say(Say.SOMEBODY_MUST_STOP))
        if place.earliest is not None and place.earliest != expected:
            said.append(self._say(Say.BY_TIME_ALONE, earliest=self._times.format_time(place.earliest)))
        return tuple(said)

    def _sooner(self, stop: Stop | None, expected: datetime | None) -> tuple[Said, ...]:
        if stop is None:
            return () if expected is not None else (self._say(Say.NO_STOP_HELPS),)
        values = {
            "instant": self._times.format_time_or_now(stop.instant),
            "holders": format_names(self._holder(user) for user in stop.users),
        }
        if stop.any_of_them:
            return (self._say(Say.ONE_STOP_IS_ENOUGH, **values),)
        return (self._say(Say.SEVERAL_MUST_STOP, count=str(len(stop.users)), **values),)

    def _holder(self, user: str) -> str:
        names = sorted(key.partition("/")[2] for key in self._demand.workbenches_of(self._pool.key, user))
        return f"{user} ({format_names(names, most=2)})"

    # -- words ---------------------------------------------------------------------------------------------------------

    def _answer_with(
        self, *, phase: Phase, reason: Reason | None, said: tuple[Said, ...], **more: object
    ) -> PoolAnswer:
        decided_by = f"LicensePool {self._pool.key}, spec.{field_of(reason)}" if reason is not None else None
        return PoolAnswer(
            pool=self._pool.key, phase=phase, reason=reason, decided_by=decided_by, said=said,
            obstacles=self._obstacles, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def _rule(self, reason: Reason, answer: Allocation, *, until: datetime | None) -> Said:
        return told_rule(
            reason, pool=self._pool, rules=self._rules, answer=answer, user=self._user, keys=self._keys, until=until,
            times=self._times,
        )  # fmt: skip

    def _say(self, what: str, **values: str) -> Said:
        return say(what, user=self._user, pool=self._pool.key, **values)
