"""From what is known to the answers of a server's pools, and the answers' memory into the ledgers.

An answer counts only when its memory is stored: what is sent to a license server can be explained after any crash.
"""

import asyncio
from datetime import datetime

from seatpool.api.licensepool import Adoption, LicensePool
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.sinks.event_latency import Outcome
from seatpool.domain.allocation import Allocation
from seatpool.domain.identity import InvalidUser
from seatpool.domain.memory import PoolMemory
from seatpool.kube.errors import Conflict
from seatpool.policy.ended_entries import Ending
from seatpool.policy.guard import is_approved
from seatpool.policy.plan import Plan, Question, adopted, plan


def decide(desk: Desk) -> Plan:
    """Answer every pool whose answer may be another one now."""
    now, store, view = desk.around.now(), desk.around.store, desk.view
    questions: list[Question] = []
    others = 0
    for pool in desk.pools:
        standing = desk.standing(pool)
        marked = store.dirty_pools.pop(pool.key, None)
        if marked is not None:
            desk.todo.setdefault(pool.key, marked)
        if not is_decided(pool):
            desk.todo.pop(pool.key, None)
            _decide_nothing(desk, pool)
            others += len(standing.memory.assigned) if standing.memory is not None else 0
        elif not _is_due(desk, pool, now):
            others += len(standing.answer.users) if standing.answer is not None else 0
        elif (memory := _memory_of(desk, pool, now)) is not None:
            needs = store.demand.needs(pool.key)
            _join_late_messages(desk, pool)
            desk.around.journeys.asked(pool.key)
            questions.append(Question(pool=pool, rules=store.rules[pool.key], needs=needs, memory=memory))
    made = plan(desk.server, questions, others_present=others, may_release=not view.uninventoried, now=now)
    if made.held is not None and made.held != view.held:
        desk.around.announcer.held(desk.server, made.held)
    elif made.held is None and view.held is not None and is_approved(desk.server, view.held):
        desk.around.announcer.telling.approved(desk.server, view.held)
    view.held = made.held
    return made


def _join_late_messages(desk: Desk, pool: LicensePool) -> None:
    """Those that came while the pass was already under way are answered by it too."""
    late = [mark for mark in desk.around.journeys.marks([pool.key]) if mark not in desk.marks]
    desk.marks.update(late)
    desk.around.traces.link(late)


def _decide_nothing(desk: Desk, pool: LicensePool) -> None:
    journeys = desk.around.journeys
    journeys.asked(pool.key)
    journeys.answered(pool.key)
    journeys.ended(pool.key, Outcome.NOT_WRITTEN, server=desk.key, mark=desk.mark)


def is_decided(pool: LicensePool) -> bool:
    """Whether anything is decided for the pool; a suspended or dying one stays as it is."""
    return not pool.spec.suspend and pool.metadata.deletion_timestamp is None


def _is_due(desk: Desk, pool: LicensePool, now: datetime) -> bool:
    """A change that is held back, or an account that is unknown, makes everybody's answer depend on everything."""
    answer = desk.standing(pool).answer
    if answer is None or pool.key in desk.todo or desk.view.held is not None or desk.view.uninventoried:
        return True
    return answer.next_change is not None and answer.next_change <= now


def _memory_of(desk: Desk, pool: LicensePool, now: datetime) -> PoolMemory | None:
    """What the pool remembers; at first contact the people on the list, once they are known."""
    standing = desk.standing(pool)
    if standing.memory is not None:
        return standing.memory
    remembered = desk.around.ledgers.recall(pool)
    if remembered is not None:
        return remembered
    known = standing.known
    if known is None or desk.is_foreign(known):
        return None
    if pool.spec.adoption is Adoption.OVERWRITE:
        return PoolMemory.empty()
    people = set()
    for user in known.users:
        try:
            people.add(desk.around.store.identity.user(user))
        except InvalidUser as error:
            desk.log.warning("an entry of the list is not adopted", pool=pool.key, error=str(error))
    if people:
        desk.around.announcer.adopted(pool, people)
    return adopted(sorted(people), now=now)


async def save(desk: Desk, planned: Plan) -> None:
    """Make the memory of every answer durable, and only then take the answer for true."""
    ledgers = desk.around.ledgers
    answered = [pool for pool in desk.pools if pool.key in planned.answers]
    results = await asyncio.gather(
        *(_store(desk, pool, planned.answers[pool.key], at=planned.at) for pool in answered), return_exceptions=True
    )
    for pool, result in zip(answered, results, strict=True):
        if isinstance(result, Conflict):
            desk.standing(pool).memory = await ledgers.refresh(pool)
            desk.todo.setdefault(pool.key, desk.around.now())
        elif not isinstance(result, BaseException):
            _commit(desk, pool, planned.answers[pool.key])
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _store(desk: Desk, pool: LicensePool, answer: Allocation, *, at: datetime) -> None:
    await desk.around.ledgers.save(pool, answer.memory, ending=Ending.of(answer, at=at))


def _commit(desk: Desk, pool: LicensePool, answer: Allocation) -> None:
    standing = desk.standing(pool)
    before = standing.answer
    standing.memory, standing.answer = answer.memory, answer
    marked = desk.todo.pop(pool.key, None)
    if standing.in_sync:
        standing.changed_at = None
    elif standing.changed_at is None:
        standing.changed_at = marked or desk.around.now()
    desk.around.journeys.answered(pool.key)
    standing.granted.extend(answer.granted)
    standing.released.extend(answer.released)
    standing.lengths.note(answer.released)
    desk.around.announcer.decided(pool, before=before, answer=answer)
