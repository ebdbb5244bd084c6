"""What ended is in the ledger with its end, and leaves it when the history has it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.control.objects import NOW, pool

from seatpool.api.seatledger import LedgerEnded, LedgerGrant, LedgerWaiting, SeatLedgerSpec
from seatpool.domain.instants import to_milliseconds
from seatpool.domain.memory import Grant, PoolMemory, Waiting
from seatpool.domain.reasons import Reason
from seatpool.policy.ended_entries import MOST_KEPT, Ending, bare, with_ended
from seatpool.policy.ledger_codec import changed_shares, to_specs

LATER = NOW + timedelta(minutes=5)


def share(*seats: str, waiting: tuple[str, ...] = (), ended: tuple[LedgerEnded, ...] = ()) -> SeatLedgerSpec:
    return SeatLedgerSpec(
        server="licenses",
        product="matlab",
        pool="matlab",
        assigned=tuple(LedgerGrant(user=user, since=NOW, reason="Granted") for user in seats),
        waiting=tuple(LedgerWaiting(user=user, since=NOW) for user in waiting),
        ended=ended,
    )


def over(user: str, *, what: str = "Seat", reason: str = "WorkbenchesStopped") -> LedgerEnded:
    return LedgerEnded(user=user, what=what, since=NOW, at=LATER, reason=reason)  # type: ignore[arg-type]


def ended_in(
    before: dict[int, SeatLedgerSpec], after: Sequence[SeatLedgerSpec], **others: Any
) -> tuple[SeatLedgerSpec, ...]:
    changed = changed_shares({index: bare(spec) for index, spec in before.items()}, after)
    return with_ended(before, after, changed=changed, **others)


ENDING = Ending(at=LATER, seats={"ann": "WorkbenchesStopped"}, waits={"bob": "Granted"})


def test_seats_and_waits_that_are_gone_have_ended_for_their_reasons() -> None:
    (made,) = ended_in(
        {0: share("ann", "cem", waiting=("bob", "dora"))},
        [share("bob", "cem")],
        ending=ENDING,
        is_recorded=lambda _one: False,
    )
    assert bare(made) == share("bob", "cem")
    assert made.ended == (
        over("ann"),
        over("bob", what="Wait", reason="Granted"),
        over("dora", what="Wait", reason="NeedEnded"),
    )


def test_somebody_who_left_and_came_back_has_had_two_seats() -> None:
    back = share("ann").model_copy(update={"assigned": (LedgerGrant(user="ann", since=LATER, reason="Granted"),)})
    (made,) = ended_in({0: share("ann")}, [back], ending=ENDING, is_recorded=lambda _one: False)
    assert made.ended == (over("ann"),)


def test_what_the_history_has_goes_with_the_next_change_and_not_before() -> None:
    before = share("cem", ended=(over("ann"), over("bob")))
    (same,) = ended_in({0: before}, [share("cem")], ending=ENDING, is_recorded=lambda _one: True)
    assert same == share("cem"), "a share that does not change is not written, so what it says does not matter"
    (made,) = ended_in({0: before}, [share("cem", "eve")], ending=ENDING, is_recorded=lambda one: one.user == "ann")
    assert made.ended == (over("bob"),)


def test_a_history_that_cannot_be_written_for_long_does_not_fill_the_ledger() -> None:
    before = share("cem", *map(str, range(300)), ended=tuple(over(f"old{n}") for n in range(MOST_KEPT + 50)))
    (made,) = ended_in({0: before}, [share("cem")], ending=ENDING, is_recorded=lambda _one: False)
    assert [one.user for one in made.ended[:MOST_KEPT]] == [f"old{n}" for n in range(50, MOST_KEPT + 50)]
    assert len(made.ended) == MOST_KEPT + 300, "what ends now is never left out"


people = st.frozensets(st.sampled_from([f"user{n}" for n in range(12)]), max_size=10)


def memory(seated: frozenset[str], waiting: frozenset[str]) -> PoolMemory:
    empty = PoolMemory.empty()
    return PoolMemory(
        assigned={user: Grant(user, NOW, None, Reason.GRANTED) for user in seated},
        waiting={user: Waiting(user, NOW) for user in waiting - seated},
        vacated=empty.vacated,
        left=empty.left,
        reassignments=empty.reassignments,
    )


@given(people, people, people, people, st.integers(1, 4), st.integers(1, 4))
def test_however_a_memory_is_divided_everybody_who_is_gone_has_ended_once_and_nobody_else(
    seated: frozenset[str], waiting: frozenset[str], seated_then: frozenset[str], waiting_then: frozenset[str],
    shares: int, shares_then: int,
) -> None:  # fmt: skip
    old, new = memory(seated, waiting), memory(seated_then, waiting_then)
    before = dict(enumerate(to_specs(old, pool=pool("matlab"), shares=shares)))
    after = to_specs(new, pool=pool("matlab"), shares=shares_then)
    made = ended_in(before, after, ending=ENDING, is_recorded=lambda _one: False)
    ended = sorted((one.what, one.user) for spec in made for one in spec.ended)
    gone = [("Seat", user) for user in old.assigned.keys() - new.assigned.keys()]
    gone += [("Wait", user) for user in old.waiting.keys() - new.waiting.keys()]
    assert ended == sorted(gone)
    assert tuple(map(bare, made)) == after


def test_an_entry_that_a_crash_left_in_two_shares_does_not_end_when_one_drops_it() -> None:
    twice = {0: share("ann", waiting=("bob",)), 1: share("ann", waiting=("bob",))}
    made = ended_in(twice, [share(), share("ann", waiting=("bob",))], ending=ENDING, is_recorded=lambda _one: False)
    assert [spec.ended for spec in made] == [(), ()]


def test_a_seat_whose_future_beginning_was_set_to_now_did_not_end() -> None:
    now = LATER + timedelta(microseconds=1500)
    stored = LedgerGrant(user="ann", since=NOW + timedelta(days=1), reason="Granted")
    before, after = (
        share("cem").model_copy(update={"assigned": (grant,)})
        for grant in (stored, stored.model_copy(update={"since": to_milliseconds(now)}))
    )
    (made,) = ended_in({0: before}, [after], ending=Ending(at=now, seats={}, waits={}), is_recorded=lambda _one: False)
    assert made.ended == ()
