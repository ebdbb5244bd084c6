"""Lists who has a seat of a pool, and who waits for one, with an estimate for each place in line."""

from dataclasses import dataclass
from datetime import datetime

from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason
from seatpool.domain.allocation import InLine
from seatpool.domain.demand import DemandIndex
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.explain.messages import Message
from seatpool.explain.problems import Problem, problems
from seatpool.explain.simulation import Simulation
from seatpool.explain.snapshot import Snapshot
from seatpool.explain.wait_estimate import estimate_line
from seatpool.policy.wait_estimate import WaitEstimate
from seatpool.text import TimeFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderLine:
    """A user who has a seat."""

    user: str
    since: datetime
    types: tuple[str, ...]
    """Types of the user's active workbenches that the pool serves."""
    workbenches: tuple[str, ...]
    idle_since: datetime | None
    """When the last workbench stopped. None: one is active, or none is needed."""
    reason: str
    until: datetime | None
    """End of the seat if nothing changes. None: not by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiterLine:
    """A user who waits."""

    user: str
    position: int | None
    """Place in line. None: the operator has not decided about the user yet."""
    since: datetime
    types: tuple[str, ...]
    workbenches: tuple[str, ...]
    reason: str
    earliest: datetime | None
    """A time before which the rules alone cannot give the seat."""
    likely: WaitEstimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The holders and the waiting line of one pool."""

    pool: str
    seats: int
    holders: tuple[HolderLine, ...]
    waiting: tuple[WaiterLine, ...]
    denied: tuple[str, ...]
    no_estimate: Message | None
    """Why the first in line has no estimate. None: there is one, or nobody waits."""
    problems: tuple[Problem, ...]


def who(snapshot: Snapshot, pool: LicensePool, *, times: TimeFormat) -> Who:
    """Returns who has a seat and who waits, by the pool's ledger and the workbenches that exist now."""
    memory = snapshot.memory(pool.key) or PoolMemory.empty()
    demand = snapshot.demand([pool])
    found = problems(snapshot, pool, times=times)
    simulation = Simulation(
        pool=pool,
        rules=snapshot.store.rules[pool.key],
        needs=demand.needs(pool.key),
        memory=memory,
        now=times.now,
        server=snapshot.server_of(pool.key),
        may_release=not any(problem.holds_releases for problem in found),
    )
    answer = simulation.answer
    coming = [grant for grant in answer.memory.assigned.values() if grant.user not in memory.assigned]
    blocked = any(problem.blocks for problem in found)
    likely, no_estimate = ((), None) if blocked else estimate_line(simulation, remembered=snapshot.remembered(pool.key))
    lines = _Lines(snapshot, demand, pool.key)
    return Who(
        pool=pool.key,
        seats=pool.spec.seats,
        holders=tuple(
            lines.holder(grant, simulation)
            for grant in sorted(memory.assigned.values(), key=lambda grant: (grant.since, grant.user))
        ),
        waiting=(
            *(lines.undecided(grant) for grant in coming),
            *(lines.waiter(place, likely) for place in answer.waiting if place.user not in memory.assigned),
        ),
        denied=answer.denied,
        no_estimate=no_estimate,
        problems=found,
    )


class _Lines:
    """Makes the lines, each with the user's active workbenches."""

    def __init__(self, snapshot: Snapshot, demand: DemandIndex, pool: str) -> None:
        self._of_user = demand.workbenches(pool)
        self._rows = snapshot.rows_of(key for keys in self._of_user.values() for key in keys)

    def holder(self, grant: Grant, simulation: Simulation) -> HolderLine:
        """Returns the line of a holder. The seat may be over now: then its end is now."""
        seat = simulation.answer.seats.get(grant.user)
        keys = sorted(self._of_user.get(grant.user, ()))
        return HolderLine(
            user=grant.user, since=grant.since, types=self._types(keys), workbenches=_names(keys),
            idle_since=grant.idle_since, reason=grant.reason if seat is None else seat.reason,
            until=simulation.now if seat is None else seat.until,
        )  # fmt: skip

    def waiter(self, place: InLine, likely: tuple[WaitEstimate | None, ...]) -> WaiterLine:
        """Returns the line of a waiting user."""
        keys = sorted(self._of_user.get(place.user, ()))
        return WaiterLine(
            user=place.user, position=place.position, since=place.since, types=self._types(keys), workbenches=_names(keys),
            reason=place.reason, earliest=place.earliest,
            likely=likely[place.position - 1] if place.position <= len(likely) else None,
        )  # fmt: skip

    def undecided(self, grant: Grant) -> WaiterLine:
        """Returns the line of a user who would get a seat now, and whom the ledger does not have yet."""
        keys = sorted(self._of_user.get(grant.user, ()))
        return WaiterLine(
            user=grant.user, position=None, since=grant.since, types=self._types(keys), workbenches=_names(keys),
            reason=ConditionReason.UNDECIDED, earliest=None, likely=None,
        )  # fmt: skip

    def _types(self, keys: list[str]) -> tuple[str, ...]:
        return tuple(sorted({self._rows[key].type for key in keys}))


def _names(keys: list[str]) -> tuple[str, ...]:
    return tuple(key.partition("/")[2] for key in keys)
