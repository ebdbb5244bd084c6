"""From demand, rules and memory to the answers of one server's pools.

Nothing is decided here: `allocate` decides. What is added is when nobody may be released at all: while an account has never
been inventoried, and while the guard holds a change. Then everybody who has a seat counts as needing it. The guard looks at
people whose workbenches are gone; who has to leave because of the pool's own spec leaves, for a list is never longer than
its seats.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules
from seatpool.policy import guard


@dataclass(frozen=True, slots=True)
class Question:
    """All that one pool's answer follows from."""

    pool: LicensePool
    rules: PoolRules
    needs: Mapping[str, Need]
    memory: PoolMemory


@dataclass(frozen=True, slots=True)
class Plan:
    """The answers, by pool, and what was held back on the way."""

    answers: Mapping[str, Allocation]
    held: guard.HeldChange | None
    """The change that is held back; the answers are without its releases."""
    approved: guard.HeldChange | None = None
    """The change that would be held if no admin had approved it."""


def plan(
    server: LicenseServer, questions: Iterable[Question], *, others_present: int, may_release: bool, now: datetime
) -> Plan:
    """Answer every question. `others_present` are people on this server's lists whose pools are not asked about."""
    asked = list(questions)
    if not may_release:
        return Plan({one.pool.key: _without_releases(one, now) for one in asked}, None)
    answers = {one.pool.key: allocate(one.rules, one.needs, one.memory, now) for one in asked}
    large = guard.examine(
        server,
        present=others_present + sum(len(one.memory.assigned) for one in asked),
        leaving=(
            (pool, gone.user)
            for pool, answer in answers.items()
            for gone in answer.released
            if gone.reason is Reason.WORKBENCHES_STOPPED
        ),
    )
    if large is None:
        return Plan(answers, None)
    if guard.is_approved(server, large):
        return Plan(answers, None, approved=large)
    return Plan({one.pool.key: _without_releases(one, now) for one in asked}, large)


def _without_releases(question: Question, now: datetime) -> Allocation:
    """The answer as if whoever has a seat needed it. What is remembered stays: since when a seat is idle above all,
    or else being held would make everybody linger anew."""
    before = question.memory.assigned
    kept = {user: Need(user, grant.since) for user, grant in before.items()}
    answer = allocate(question.rules, kept | dict(question.needs), question.memory, now)
    assigned = {
        user: before[user] if user in before and user not in question.needs else grant
        for user, grant in answer.memory.assigned.items()
    }
    return replace(answer, memory=replace(answer.memory, assigned=assigned))


def adopted(users: Iterable[str], *, now: datetime) -> PoolMemory:
    """The first memory of a pool whose list had people on it before the operator came."""
    grants = {user: Grant(user=user, since=now, idle_since=None, reason=Reason.ADOPTED) for user in users}
    return replace(PoolMemory.empty(), assigned=grants)
