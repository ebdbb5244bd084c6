"""Events name users only where that is wanted: Kubernetes' own role `view` reads them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from tests.unit.control.objects import NOW, held_change, known, needs_of, pool, raw_workbench, server, standing

from seatpool.api.base import Metadata
from seatpool.api.reasons import EVENTS, NAMES_NO_USER, ConditionReason, EventReason
from seatpool.api.workbench import Workbench
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks import facts
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.sinks.kubernetes_events import KubernetesEvents
from seatpool.control.state.pool_state import PoolState
from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation, Granted, Released
from seatpool.domain.memory import Left, PoolMemory
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules, Reservation
from seatpool.kube.client import KubeClient
from seatpool.servers.errors import CommandFault

NAMES = st.lists(st.from_regex(r"zq[a-z]{3,9}", fullmatch=True), min_size=1, max_size=8, unique=True)
"""Names of users that are part of no word of ours."""
REASONS = st.sampled_from(ConditionReason)


class Written:
    """Stands for the API server and keeps the texts of Events."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def write_event(self, _namespace: str, _name: str, body: dict[str, Any], *, create: bool) -> None:
        del create
        self.texts.append(body["message"])


def told(tell: Callable[[EventRecorder], None], *, user_names: bool) -> list[str]:
    """Returns the texts of the Events that are posted."""

    async def post() -> list[str]:
        kube = Written()
        recorder = EventRecorder(
            cast("KubeClient", kube), instance="me", metrics=ControlMetrics(CollectorRegistry()),
            log=structlog.get_logger(), clock=lambda: NOW, user_names=user_names,
        )  # fmt: skip
        tell(recorder)
        posting = asyncio.create_task(recorder.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        posting.cancel()
        return kube.texts

    return asyncio.run(post())


def told_of(fact: facts.Fact, *, user_names: bool) -> str:
    texts = told(lambda recorder: KubernetesEvents(recorder).handle(fact), user_names=user_names)
    return " ".join(texts)


def confirmed(names: list[str]) -> facts.Fact:
    granted = tuple(Granted(name, Reason.GRANTED, timedelta(0)) for name in names[:1])
    released = tuple(Released(name, Reason.WORKBENCHES_STOPPED, timedelta(hours=1)) for name in names[1:])
    return facts.ListConfirmed(pool=pool(), state=PoolState(granted=granted, released=released))


def stored(names: list[str]) -> facts.Fact:
    answer = standing(" ".join(["first", "second", *names])).answer
    assert answer is not None
    return facts.AnswerStored(pool=pool(), before=None, answer=answer)


MADE: dict[type[facts.Fact], Callable[[list[str], ConditionReason], facts.Fact]] = {
    facts.AnswerStored: lambda names, _: stored(names),
    facts.ListConfirmed: lambda names, _: confirmed(names),
    facts.UsersAdopted: lambda names, _: facts.UsersAdopted(pool=pool(), users=tuple(names), former=tuple(names)),
    facts.DriftDetected: lambda names, _: facts.DriftDetected(
        pool=pool(), before=known(" ".join(names[:1])), observed=known(" ".join(names[1:]), odd=names[0].upper())
    ),
    facts.ListFailed: lambda names, reason: facts.ListFailed(
        pool=pool(), reason=reason, message=f"the client says that {names[0]} is unknown"
    ),
    facts.ListRecovered: lambda _names, _reason: facts.ListRecovered(pool=pool()),
    facts.ForeignOwnerFound: lambda _names, _reason: facts.ForeignOwnerFound(pool=pool(), message="belongs to x"),
    facts.ChangeHeld: lambda names, _: facts.ChangeHeld(
        server=server(),
        change=replace(held_change(), leaving=frozenset(("lab/matlab", name) for name in names)),
    ),
    facts.ServerUnreachable: lambda names, _: facts.ServerUnreachable(
        server=server(), reason=CommandFault.BAD_OUTPUT.value, message=f"its output begins with {names[0]}"
    ),
    facts.LedgerLost: lambda _names, _reason: facts.LedgerLost(pool=pool(), revision=7),
    facts.ServerRecovered: lambda _names, _reason: facts.ServerRecovered(server=server()),
}
QUIET = (facts.ListRecovered, facts.ForeignOwnerFound, facts.ChangeHeld, facts.LedgerLost, facts.ServerRecovered)
"""Facts that name no user."""


def test_every_fact_that_becomes_an_event_is_made_here() -> None:
    assert set(MADE) == set(KubernetesEvents.kinds)


@given(kind=st.sampled_from(list(MADE)), names=NAMES, reason=REASONS)
def test_no_fact_names_a_user_if_names_are_off(
    kind: type[facts.Fact], names: list[str], reason: ConditionReason
) -> None:
    fact = MADE[kind](names, reason)
    assert told_of(fact, user_names=False)
    assert "zq" not in told_of(fact, user_names=False).lower()
    assert ("zq" in told_of(fact, user_names=True)) is (kind not in QUIET)


@pytest.mark.parametrize("reason", EventReason)
def test_whoever_posts_an_event_that_may_name_a_user_posts_none_if_names_are_off(reason: EventReason) -> None:
    metadata = Metadata.model_validate(raw_workbench()["metadata"])
    for user_names in (True, False):
        (text,) = told(
            lambda recorder: recorder.warning(Workbench, metadata, reason, "zqann: no"), user_names=user_names
        )
        assert ("zqann" in text) is (user_names or reason in NAMES_NO_USER)
    if reason in NAMES_NO_USER:
        assert "{user" not in EVENTS[reason].message
        assert "problem" not in EVENTS[reason].message


DRIFT = facts.DriftDetected(pool=pool(), before=known(), observed=known("ann bob"))


def test_a_number_says_how_many_and_none_is_nobody() -> None:
    assert told_of(DRIFT, user_names=False) == "somebody else changed the list: added 2 users, removed nobody"
    assert told_of(DRIFT, user_names=True) == "somebody else changed the list: added ann, bob, removed nobody"


def test_only_users_whose_wait_begins_are_told_also_by_a_new_process_with_their_reasons() -> None:
    rules = PoolRules(seats=2, reservations=(Reservation("team", frozenset({"tim"}), None, 1),))
    before = allocate(rules, needs_of(["ann", "bob", "cem"]), PoolMemory.empty(), NOW)
    assert [one.user for one in before.waiting] == ["bob", "cem"]

    def text(answer: Allocation) -> str:
        return told_of(facts.AnswerStored(pool=pool(), before=None, answer=answer), user_names=True)

    assert text(before) == "bob, cem began to wait (SeatsReserved); 2 wait for 2 seats"
    same = allocate(rules, needs_of(["ann", "bob", "cem"]), before.memory, NOW)
    assert same.waiting
    assert text(same) == ""
    more = allocate(rules, needs_of(["ann", "bob", "cem", "dan"]), before.memory, NOW)
    assert text(more) == "dan began to wait (SeatsReserved); 3 wait for 2 seats"
    left = replace(PoolMemory.empty(), left={"bob": Left(NOW, None)})
    both = allocate(PoolRules(seats=1, readmit_after=timedelta(hours=1)), needs_of(["ann", "bob", "cem"]), left, NOW)
    assert text(both) == "bob, cem began to wait (ReadmissionBlocked, PoolFull); 2 wait for 2 seats"
