"""When a Lease may be taken, and that nobody can lead by it then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.control.leader.leadership import Leadership
from seatpool.control.leader.lease import (
    INVENTORIED,
    Lease,
    ObservedLease,
    from_wire,
    micro_time,
    observe,
    seconds_left,
    with_holder,
    without_holder,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DURATION, DEADLINE = 10.0, 7.0


def held(by: str = "one", *, at: datetime = NOON, inventoried: bool = False) -> Lease:
    return with_holder(None, identity=by, at=at, duration=DURATION, inventoried=inventoried)


def left(observed: ObservedLease, *, now: float, me: str = "two") -> float:
    return seconds_left(observed, identity=me, now=now, default_duration=DURATION)


def test_a_lease_that_was_never_there_may_be_taken_at_once() -> None:
    assert left(observe(None, None, now=5.0), now=5.0) == 0


def test_a_lease_is_left_alone_for_its_duration_since_it_was_first_seen_however_old_its_own_times_are() -> None:
    seen = observe(None, held(at=NOON - timedelta(days=300)), now=5.0)
    assert left(seen, now=5.0) == DURATION
    assert left(observe(seen, seen.lease, now=14.0), now=14.0) == pytest.approx(1.0)
    assert left(observe(seen, seen.lease, now=15.0), now=15.0) == 0


def test_a_renewal_makes_it_be_left_alone_anew() -> None:
    seen = observe(None, held(), now=5.0)
    again = observe(
        seen, with_holder(seen.lease, identity="one", at=NOON, duration=DURATION, inventoried=False), now=12.0
    )
    assert again.since == 5.0, "the same words are no renewal"
    again = observe(seen, held(at=NOON + timedelta(seconds=2)), now=12.0)
    assert left(again, now=15.0) == pytest.approx(7.0)


def test_an_annotation_of_somebody_is_no_renewal_and_is_kept_for_the_next_write() -> None:
    seen = observe(None, held(), now=5.0)
    assert seen.lease is not None
    annotated = replace(seen.lease, metadata={"resourceVersion": "9", "annotations": {"who": "ann"}})
    again = observe(seen, annotated, now=12.0)
    assert again.since == 5.0
    assert again.lease is not None
    assert with_holder(again.lease, identity="two", at=NOON, duration=DURATION, inventoried=True).metadata == {
        "resourceVersion": "9",
        "annotations": {"who": "ann", INVENTORIED: "true"},
    }


def test_a_lease_that_was_given_back_may_be_taken_at_once() -> None:
    seen = observe(observe(None, held(), now=5.0), without_holder(held(), at=NOON), now=6.0)
    assert left(seen, now=6.0) == 0


def test_a_lease_that_vanished_is_left_alone_as_if_it_had_not_because_its_holder_may_not_know_yet() -> None:
    gone = observe(observe(None, held(), now=5.0), None, now=6.0)
    assert not gone.exists
    assert left(gone, now=6.0) == pytest.approx(9.0)
    assert left(observe(gone, None, now=15.0), now=15.0) == 0


def test_a_lease_that_does_not_say_how_long_is_respected_as_long_as_ours() -> None:
    nameless = from_wire({"metadata": {}, "spec": {"holderIdentity": "somebody"}})
    assert left(observe(None, nameless, now=5.0), now=5.0) == DURATION


@pytest.mark.parametrize("raw", [{"metadata": {}}, {"metadata": {}, "spec": {}}, {"metadata": {"annotations": None}}])
def test_a_lease_that_somebody_made_with_nothing_in_it_may_be_taken(raw: dict[str, object]) -> None:
    empty = from_wire(raw)
    assert left(observe(None, empty, now=5.0), now=5.0) == 0
    assert with_holder(empty, identity="two", at=NOON, duration=DURATION, inventoried=False).transitions == 0


def test_its_holder_needs_not_wait_for_itself() -> None:
    assert left(observe(None, held("two"), now=5.0), now=5.0) == 0


def test_only_a_change_of_hands_is_a_transition_and_only_a_new_holder_acquires() -> None:
    first = held("one")
    later = NOON + timedelta(seconds=2)
    renewed = with_holder(first, identity="one", at=later, duration=DURATION, inventoried=False)
    assert (renewed.transitions, renewed.acquire_time, renewed.renew_time) == (0, first.acquire_time, micro_time(later))
    other = with_holder(renewed, identity="two", at=later, duration=DURATION, inventoried=False)
    assert (other.transitions, other.acquire_time) == (1, micro_time(later))
    freed = without_holder(other, at=later)
    assert with_holder(freed, identity="one", at=later, duration=DURATION, inventoried=False).transitions == 2


def test_one_that_was_seen_to_move_had_a_living_holder() -> None:
    still = observe(observe(None, held(), now=1.0), held(), now=2.0)
    assert not still.has_changed
    assert observe(still, held(at=NOON + timedelta(seconds=2)), now=3.0).has_changed


def test_what_is_written_is_read_back_and_the_holder_of_a_free_one_is_left_out() -> None:
    lease = held("one", inventoried=True)
    assert from_wire({"metadata": lease.metadata, "spec": lease.to_wire()}) == lease
    assert from_wire({"metadata": lease.metadata, "spec": lease.to_wire()}).is_inventoried
    assert "holderIdentity" not in without_holder(lease, at=NOON).to_wire()


def test_instants_are_in_utc_with_six_digits_as_kubernetes_wants_them() -> None:
    west = timezone(timedelta(hours=-5))
    assert micro_time(datetime(2026, 3, 1, 7, tzinfo=west)) == "2026-03-01T12:00:00.000000Z"


moments = st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 9.0, 10.0, 11.0, 30.0])


@settings(max_examples=1000)
@given(
    renewals=st.lists(st.tuples(moments, moments, st.booleans()), min_size=1, max_size=8),
    looks=st.lists(st.tuples(moments, moments), min_size=1, max_size=12),
    ahead=st.integers(-1_000_000, 1_000_000),
)
def test_whatever_is_slow_or_unanswered_nobody_leads_by_a_lease_that_another_may_take(
    renewals: list[tuple[float, float, bool]], looks: list[tuple[float, float]], ahead: int
) -> None:
    """Renewals are asked for, then stored, then perhaps answered; looks are served, then answered, by another clock."""
    world = 0.0
    history: list[tuple[float, float, bool, Lease]] = []
    for number, (pause, delay, answered) in enumerate(renewals):
        asked = world + pause
        world = asked + delay
        history.append((asked, world, answered, held(at=NOON + timedelta(seconds=number))))
    observed: ObservedLease | None = None
    world = history[0][1]
    for pause, delay in looks:
        served = world + pause
        world = served + delay
        stored = [entry for entry in history if entry[1] <= served]
        observed = observe(observed, stored[-1][3], now=world + ahead)
        if left(observed, now=world + ahead) > 0 or any(served < entry[1] <= world for entry in history):
            continue  # it waits, or its compare-and-swap is refused
        leader = Leadership(deadline=DEADLINE, uptime=lambda: world)  # noqa: B023
        for asked, _, answered, _ in stored:
            if answered:
                leader.renew(at=asked)
        assert not leader.leads
        return  # what the leader asks for after this is refused
