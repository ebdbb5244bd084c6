"""Allocates all pools of one license server.

`allocate` decides. This module adds the two cases in which no user may be released: an account has never been inventoried,
or the guard holds a change back. In these cases every holder counts as needing the seat. The guard counts users whose
workbenches are gone. A user who has to leave because of the pool's own spec leaves, because a list is never longer than
its seats.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules
from seatpool.domain.tenure import not_after
from seatpool.policy import guard


@dataclass(frozen=True, slots=True)
class Question:
    """The input of one pool's allocation."""

    pool: LicensePool
    rules: PoolRules
    needs: Mapping[str, Need]
    memory: PoolMemory


@dataclass(frozen=True, slots=True)
class Plan:
    """The allocations by pool key, and the change that the guard holds back."""

    answers: Mapping[str, Allocation]
    held: guard.HeldChange | None
    """The change that is held back; the answers are without its releases."""
    approved: guard.HeldChange | None = None
    """The change that would be held if no admin had approved it."""
    failed: Mapping[str, Exception] = field(default_factory=dict)
    """What stopped the computation of a pool, by pool. The others are answered all the same."""


def plan(
    server: LicenseServer, questions: Iterable[Question], *, others_present: int, may_release: bool, now: datetime
) -> Plan:
    """Allocates every pool. `others_present` are the users on this server's other lists; the guard counts them too."""
    asked = list(questions)
    if not may_release:
        answers, failed = _answer_each(asked, lambda one: _without_releases(one, now))
        return Plan(answers, None, failed=failed)
    answers, failed = _answer_each(asked, lambda one: allocate(one.rules, one.needs, one.memory, now))
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
        return Plan(answers, None, failed=failed)
    if guard.is_approved(server, large):
        return Plan(answers, None, approved=large, failed=failed)
    answers, failed = _answer_each(asked, lambda one: _without_releases(one, now))
    return Plan(answers, large, failed=failed)


def _answer_each(
    asked: Iterable[Question], answer: Callable[[Question], Allocation]
) -> tuple[dict[str, Allocation], dict[str, Exception]]:
    """Answers each question by itself: one that cannot be answered must not stop its neighbours."""
    answers: dict[str, Allocation] = {}
    failed: dict[str, Exception] = {}
    for one in asked:
        try:
            answers[one.pool.key] = answer(one)
        except Exception as error:  # noqa: BLE001
            failed[one.pool.key] = error
    return answers, failed


def _without_releases(question: Question, now: datetime) -> Allocation:
    """Allocates as if every holder needed the seat.

    The stored entries stay as they are, `idle_since` above all. Otherwise every held change would start the linger time anew.
    """
    before = {user: not_after(grant, now) for user, grant in question.memory.assigned.items()}
    kept = {user: Need(user, grant.since) for user, grant in before.items()}
    answer = allocate(question.rules, kept | dict(question.needs), question.memory, now)
    assigned = {
        user: before[user] if user in before and user not in question.needs else grant
        for user, grant in answer.memory.assigned.items()
    }
    return replace(answer, memory=replace(answer.memory, assigned=assigned))


def adopted(users: Iterable[str], *, now: datetime) -> PoolMemory:
    """Returns the first memory of a pool whose list had users before the operator first read it."""
    grants = {user: Grant(user=user, since=now, idle_since=None, reason=Reason.ADOPTED) for user in users}
    return replace(PoolMemory.empty(), assigned=grants)
