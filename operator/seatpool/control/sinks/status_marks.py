"""Marks the statuses that may be other ones now. What they say is rendered later, from the state at that time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from seatpool.cache.store import Store
from seatpool.control.sinks import facts
from seatpool.control.state.pool_state import PoolState


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMarks:
    """Marks pools, and the workbenches of users whose place in a pool changed."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.PoolStateChanged,
        facts.PoolDropped,
    )

    store: Store
    mark_pool: Callable[[str], None]
    mark_workbench: Callable[[str], None]
    mark_workbench_later: Callable[[str], None]
    """Marks a workbench whose status may be some seconds old, such as a place in a long line."""

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.PoolStateChanged():
                self.mark_pool(fact.pool.key)
                self._mark(fact.pool.key, users_changed(fact.before, fact.state))
                for user in users_moved(fact.before, fact.state):
                    for workbench in self.store.demand.workbenches_of(fact.pool.key, user):
                        self.mark_workbench_later(workbench)
            case facts.PoolDropped():
                self.mark_pool(fact.key)
            case _:
                pass

    def _mark(self, pool: str, users: Iterable[str]) -> None:
        for user in users:
            for workbench in self.store.demand.workbenches_of(pool, user):
                self.mark_workbench(workbench)


def users_changed(before: PoolState, state: PoolState) -> set[str]:
    """Returns the users whose seat, wait, refusal or place on the server's list is another one."""
    changed: set[str] = set()
    if state.observed is not before.observed:
        old, new = before.observed, state.observed
        changed |= set(old.users if old is not None else ()) ^ set(new.users if new is not None else ())
    if state.answer is not None and state.answer is not before.answer:
        answer = state.answer
        seats = before.answer.seats if before.answer is not None else {}
        waited = {one.user for one in before.answer.waiting} if before.answer is not None else set()
        changed |= {
            user for user, seat in answer.seats.items() if user not in seats or seats[user].reason != seat.reason
        }
        changed |= seats.keys() - answer.seats.keys()
        changed |= {one.user for one in answer.waiting} - waited
        changed |= waited - answer.seats.keys() - {one.user for one in answer.waiting}
        changed |= set(answer.denied) ^ set(before.answer.denied if before.answer is not None else ())
    return changed


def users_moved(before: PoolState, state: PoolState) -> list[str]:
    """Returns the users who wait as before, at another place or for another reason."""
    if state.answer is None or before.answer is None or state.answer is before.answer:
        return []
    waited = {one.user: (one.position, one.reason) for one in before.answer.waiting}
    return [
        one.user
        for one in state.answer.waiting
        if one.user in waited and waited[one.user] != (one.position, one.reason)
    ]
