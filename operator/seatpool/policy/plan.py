"""Allocates all pools of one license server.

`allocate` decides. This module adds the two cases in which no user may be released: an account has never been inventoried,
or the guard holds a change back. The users whom it
holds count as needing the seat. A user who has to leave because of the pool's own spec leaves, because a list is never longer
than its seats.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
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
from seatpool.domain.tenure import not_after, tenure_of, with_idle_since
from seatpool.policy.guard import PoolChange, Verdict, count_gone, none_held, weigh, window_begin

_WITHOUT_ORDER = frozenset({Reason.WORKBENCHES_STOPPED, Reason.NOT_LISTABLE})
"""Reasons of releases that no user of Kubernetes ordered: what looks so may be a fault elsewhere."""


@dataclass(frozen=True, slots=True)
class Question:
    """The input of one pool's allocation."""

    pool: LicensePool
    rules: PoolRules
    needs: Mapping[str, Need]
    memory: PoolMemory


@dataclass(frozen=True, slots=True)
class Plan:
    """The allocations by pool key, and what the guard says of the change."""

    answers: Mapping[str, Allocation]
    """The answers are without the releases that are held back."""
    guard: Verdict
    failed: Mapping[str, Exception] = field(default_factory=dict)
    """What stopped the computation of a pool, by pool. The others are answered all the same."""


def plan(
    server: LicenseServer,
    questions: Iterable[Question],
    *,
    others: Mapping[str, PoolMemory],
    may_release: bool,
    now: datetime,
) -> Plan:
    """Allocates every pool. `others` are the memories of this server's other pools, by pool; the guard counts them too."""
    asked = {one.pool.key: one for one in questions}
    if not may_release:
        answers, failed = _answer_each(asked.values(), lambda one: _without_releases(one, now))
        return Plan(answers, Verdict(server.status.guard), failed)
    answers, failed = _answer_each(asked.values(), lambda one: allocate(one.rules, one.needs, one.memory, now))
    if not any(_stopped(answer) for answer in answers.values()):
        return Plan(answers, none_held(server), failed)  # most passes: no memory has to be counted through
    verdict = weigh(server, changes(server, asked, answers, others=others, now=now), now=now)
    if verdict.held is not None:
        held: dict[str, set[str]] = {}
        for pool, user in verdict.held.leaving:
            held.setdefault(pool, set()).add(user)
        kept, more = _answer_each((asked[pool] for pool in held), lambda one: _keeping(one, held[one.pool.key], now))
        answers = {key: kept.get(key, answer) for key, answer in answers.items() if key not in more}
        failed |= more
    return Plan(answers, verdict, failed)


def changes(
    server: LicenseServer,
    asked: Mapping[str, Question],
    answers: Mapping[str, Allocation],
    *,
    others: Mapping[str, PoolMemory],
    now: datetime,
) -> Iterator[PoolChange]:
    """Yields what would change in each pool by these answers, as the guard weighs it."""
    since = window_begin(server, now)
    for pool, question in asked.items():
        answer = answers.get(pool)
        leaving = {} if answer is None else dict(_leaving(question, answer, now))
        yield PoolChange(pool, len(question.memory.assigned), count_gone(question.memory, since=since), leaving)
    for pool, memory in others.items():
        yield PoolChange(pool, len(memory.assigned), count_gone(memory, since=since), {})


def _leaving(question: Question, answer: Allocation, now: datetime) -> Iterator[tuple[str, datetime]]:
    """Yields the users whose workbenches are gone, and when their seats were over."""
    for user in _stopped(answer):
        idle = with_idle_since(question.memory.assigned[user], needed=False, now=now)
        yield user, tenure_of(idle, rules=question.rules).until or now


def _stopped(answer: Allocation) -> list[str]:
    """Returns the users who lose a seat because their workbenches or their accounts on the license server are gone."""
    return [gone.user for gone in answer.released if gone.reason in _WITHOUT_ORDER]


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

    The stored entries stay as they are, `idle_since` above all. Otherwise the linger time would start anew each time.
    """
    return _keeping_as(question, {user: not_after(grant, now) for user, grant in question.memory.assigned.items()}, now)


def _keeping(question: Question, users: Container[str], now: datetime) -> Allocation:
    """Allocates as if these holders needed their seats. It is stored since when they do not."""
    grants = question.memory.assigned.items()
    idle = {user: with_idle_since(grant, needed=False, now=now) for user, grant in grants if user in users}
    return _keeping_as(question, idle, now)


def _keeping_as(question: Question, entries: Mapping[str, Grant], now: datetime) -> Allocation:
    """Allocates as if the holders of these entries needed their seats, and stores the entries as they are."""
    kept = {user: Need(user, grant.since) for user, grant in entries.items()}
    rules = question.rules
    if rules.unlistable:
        rules = replace(rules, unlistable=rules.unlistable - entries.keys())
    answer = allocate(rules, kept | dict(question.needs), question.memory, now)
    assigned = {
        user: entries[user] if user in entries and user not in question.needs else grant
        for user, grant in answer.memory.assigned.items()
    }
    return replace(answer, memory=replace(answer.memory, assigned=assigned))


def adopted(users: Iterable[str], *, now: datetime) -> PoolMemory:
    """Returns the first memory of a pool whose list had users before the operator first read it."""
    grants = {user: Grant(user=user, since=now, idle_since=None, reason=Reason.ADOPTED) for user in users}
    return replace(PoolMemory.empty(), assigned=grants)
