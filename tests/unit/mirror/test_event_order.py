"""The newest news wins, in whatever order and however often it comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.workbench import InstanceState
from seatpool.mirror.event_order import Fact, Ignored, Stored, merge, merge_all, without_future

PENDING, RUNNING, STOPPING, STOPPED, SHUTTING_DOWN, TERMINATED = InstanceState
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NEXT_IN_LIFE = {
    PENDING: [RUNNING, SHUTTING_DOWN],
    RUNNING: [STOPPING, SHUTTING_DOWN],
    STOPPING: [STOPPED],
    STOPPED: [PENDING, TERMINATED],
    SHUTTING_DOWN: [TERMINATED],
    TERMINATED: [],
}


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def fact(state: InstanceState, second: float, *, owner: str | None = "ann", **more: object) -> Fact:
    return Fact(
        account="111122223333", region="eu-central-1", state=state, at=at(second), owner=owner, type="m", **more
    )


def seen(state: InstanceState, second: float, *, launched: float | None = None) -> Fact:
    return fact(state, second, observed=True, launched_at=at(launched) if launched is not None else None)


def after(*facts: Fact) -> Stored:
    answer = merge_all(None, facts)
    assert isinstance(answer, Stored)
    return answer


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """A life as EC2 allows it, with a second or more between its events."""
    state, second, facts = PENDING, 0, []
    for _ in range(draw(st.integers(1, 12))):
        facts.append(fact(state, second))
        if not NEXT_IN_LIFE[state]:
            break
        state = draw(st.sampled_from(NEXT_IN_LIFE[state]))
        second += draw(st.integers(1, 5000))
    return facts


@given(st.data(), histories())
def test_any_order_with_repetitions_ends_in_the_newest_state(data: st.DataObject, history: list[Fact]) -> None:
    repeated = data.draw(st.lists(st.sampled_from(history), max_size=10))
    stored = after(*data.draw(st.permutations(history + repeated)))
    assert (stored.state, stored.changed_at) == (history[-1].state, history[-1].at)


@given(st.data(), histories())
def test_weighing_everything_once_more_changes_nothing(data: st.DataObject, history: list[Fact]) -> None:
    stored = after(*history)
    assert isinstance(merge_all(stored, data.draw(st.permutations(history))), Ignored)


@given(histories(), st.integers(0, 20_000))
def test_an_observation_decides_over_all_that_happened_before_it(history: list[Fact], second: int) -> None:
    truth = seen(RUNNING, second)
    stored = after(*history, truth)
    if truth.at >= history[-1].at:
        assert stored.state is RUNNING
    else:
        assert stored.state is history[-1].state


@given(st.data())
def test_states_of_one_second_end_in_the_same_state_in_every_order(data: st.DataObject) -> None:
    one_second = [PENDING, RUNNING, STOPPING, SHUTTING_DOWN, TERMINATED]
    facts = [fact(state, 5) for state in data.draw(st.lists(st.sampled_from(one_second), min_size=1))]
    ends = {after(*data.draw(st.permutations(facts))).state for _ in range(3)}
    assert ends == {max((entry.state for entry in facts), key=list(InstanceState).index)}


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1), (0, 1, 1, 0)])
def test_a_stop_and_start_in_one_second_leaves_a_running_one_running_since_before(pair: tuple[int, ...]) -> None:
    facts = [fact(STOPPED, 60), fact(RUNNING, 60)]
    stored = after(fact(RUNNING, 0), *(facts[n] for n in pair))
    assert (stored.state, stored.launched_at) == (RUNNING, at(0))


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1)])
def test_a_start_and_stop_in_one_second_leaves_a_stopped_one_stopped(pair: tuple[int, ...]) -> None:
    facts = [fact(RUNNING, 60), fact(STOPPED, 60)]
    assert after(fact(STOPPED, 0), *(facts[n] for n in pair)).state is STOPPED


def test_a_start_and_stop_in_one_second_leaves_one_stopped_that_had_been_stopped_for_long() -> None:
    before = (fact(RUNNING, 1), fact(STOPPED, 2))
    assert after(*before, fact(STOPPED, 9), fact(RUNNING, 9)).state is STOPPED
    assert after(*before, fact(RUNNING, 9), fact(STOPPED, 9)).state is STOPPED


def test_launched_is_since_when_it_is_active_without_a_break() -> None:
    assert after(fact(PENDING, 1), fact(RUNNING, 9)).launched_at == at(1)
    assert after(fact(RUNNING, 1), fact(STOPPED, 50), fact(PENDING, 99), fact(RUNNING, 120)).launched_at == at(99)
    assert after(fact(STOPPED, 1)).launched_at is None


def test_what_ec2_says_about_the_launch_counts_when_it_is_known() -> None:
    assert after(seen(RUNNING, 100, launched=40)).launched_at == at(40)


def test_a_later_launch_time_uncovers_a_restart_that_nobody_reported() -> None:
    stored = after(fact(RUNNING, 0), seen(RUNNING, 900, launched=600))
    assert stored.launched_at == at(600)


def test_a_launch_time_that_is_a_second_off_is_no_news() -> None:
    assert merge(after(fact(PENDING, 0)), seen(PENDING, 900, launched=1)) is Ignored.SAME


def test_terminated_is_final_for_events_of_any_time() -> None:
    stored = after(fact(TERMINATED, 10))
    assert isinstance(merge(stored, fact(RUNNING, 99)), Ignored)
    assert after(fact(RUNNING, 10), fact(TERMINATED, 5)).state is TERMINATED


def test_an_instance_that_ec2_shows_running_later_was_not_terminated() -> None:
    assert after(fact(TERMINATED, 10), seen(RUNNING, 60)).state is RUNNING


def test_an_observation_that_lags_behind_an_event_is_ignored() -> None:
    assert merge(after(fact(STOPPING, 30)), seen(RUNNING, 20)) is Ignored.OLDER


def test_an_event_from_before_the_inventory_that_confirmed_the_object_is_ignored() -> None:
    stored = after(fact(RUNNING, 0))
    assert merge(stored, fact(STOPPED, 50), confirmed_at=at(100)) is Ignored.OLDER
    assert isinstance(merge(stored, fact(STOPPED, 101), confirmed_at=at(100)), Stored)


def test_a_newer_event_with_the_same_state_moves_the_time_so_that_older_ones_stay_older() -> None:
    stored = after(fact(RUNNING, 0), fact(RUNNING, 500))
    assert merge(stored, fact(STOPPED, 400)) is Ignored.OLDER


def test_an_event_that_does_not_say_whose_it_is_keeps_the_owner() -> None:
    assert after(fact(RUNNING, 0, owner="ann"), fact(STOPPED, 9, owner=None)).owner == "ann"


def test_a_newer_event_with_another_owner_hands_the_workbench_over() -> None:
    assert after(fact(RUNNING, 0, owner="ann"), fact(RUNNING, 9, owner="bob")).owner == "bob"


def test_an_unknown_instance_without_an_owner_is_not_made_up() -> None:
    assert merge(None, fact(RUNNING, 0, owner=None)) is Ignored.UNKNOWN_INSTANCE


def test_another_account_cannot_speak_for_a_known_instance() -> None:
    stranger = Fact(account="999999999999", region="eu-central-1", state=STOPPED, at=at(99), owner="x", type="m")
    assert merge(after(fact(RUNNING, 0)), stranger) is Ignored.OTHER_ACCOUNT_REGION


DAY = timedelta(days=1)
TOLERANCE = timedelta(minutes=5)
LAG = timedelta(seconds=15)


def test_a_time_of_the_future_in_an_object_keeps_no_observation_out_and_is_mended() -> None:
    far = datetime(2099, 1, 1, tzinfo=UTC)
    pinned = replace(after(fact(RUNNING, 0)), changed_at=far, launched_at=far)
    merged = merge(pinned, seen(STOPPED, 60), horizon=at(60) + TOLERANCE)
    assert isinstance(merged, Stored)
    assert (merged.state, merged.changed_at) == (STOPPED, at(60))


def test_an_object_that_is_right_but_for_its_time_gets_the_right_time() -> None:
    pinned = replace(after(fact(RUNNING, 0)), changed_at=datetime(2099, 1, 1, tzinfo=UTC))
    merged = merge(pinned, seen(RUNNING, 60, launched=0), horizon=at(60) + TOLERANCE)
    assert isinstance(merged, Stored)
    assert merged.changed_at == at(60)


def test_an_event_is_newer_than_an_object_of_the_future() -> None:
    pinned = replace(after(fact(RUNNING, 0)), changed_at=at(0) + DAY)
    merged = merge(pinned, fact(STOPPED, 30), horizon=at(30) + TOLERANCE)
    assert isinstance(merged, Stored)
    assert (merged.state, merged.changed_at) == (STOPPED, at(30))


def test_a_confirmation_of_the_future_keeps_no_event_out() -> None:
    stored = after(fact(RUNNING, 0))
    assert isinstance(merge(stored, fact(STOPPED, 30), confirmed_at=at(0) + DAY, horizon=at(30) + TOLERANCE), Stored)


def test_a_launch_of_the_future_is_not_known_and_does_not_move_with_each_observation() -> None:
    horizon = at(0) + TOLERANCE
    stored = merge(None, seen(RUNNING, 0, launched=DAY.total_seconds()), horizon=horizon)
    assert isinstance(stored, Stored)
    assert stored.launched_at == at(0)
    assert merge(stored, seen(RUNNING, 900, launched=DAY.total_seconds()), horizon=at(900) + TOLERANCE) is Ignored.SAME


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)), st.sampled_from(list(InstanceState)))
def test_no_time_in_an_object_breaks_the_merge(changed: datetime, launched: datetime, state: InstanceState) -> None:
    stored = replace(after(fact(RUNNING, 0)), changed_at=changed, launched_at=launched)
    merged = merge(stored, seen(state, 60, launched=0), horizon=at(60) + TOLERANCE)
    result = merged if isinstance(merged, Stored) else stored
    assert without_future(result, at(60) + TOLERANCE) is result
    if changed <= at(60):
        assert result.state is state
        assert result.launched_at is None or result.launched_at <= at(60) + TOLERANCE


@st.composite
def clocks(draw: st.DrawFn) -> list[tuple[float, timedelta]]:
    """Steps of the operator's clock: from which second on it is wrong by how much. In the end it is right."""
    steps = draw(st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from([-DAY, DAY, timedelta(0)])), max_size=5))
    return sorted((float(second), offset) for second, offset in steps)


@given(st.data(), histories(), clocks(), st.lists(st.integers(0, 20_000), max_size=8))
def test_after_steps_of_the_clock_one_observation_makes_all_right(
    data: st.DataObject, history: list[Fact], steps: list[tuple[float, timedelta]], observed: list[int]
) -> None:
    """Events come once or twice, in any order and late, and inventories come in between, all by the wrong clock."""

    def clock(second: float) -> datetime:
        offset = next((offset for since, offset in reversed(steps) if since <= second), timedelta(0))
        return at(second) + offset

    def truth(second: float) -> InstanceState | None:
        return next((one.state for one in reversed(history) if one.at <= at(second)), None)

    arrivals: list[tuple[float, Fact | None]] = [(float(second), None) for second in observed]
    for one in data.draw(st.lists(st.sampled_from(history), min_size=1, max_size=12)):
        happened = (one.at - START).total_seconds()
        arrivals.append((happened + data.draw(st.integers(0, 3000)), one))
    stored: Stored | None = None
    confirmed: datetime | None = None
    for second, event in sorted(arrivals, key=lambda arrival: arrival[0]):
        now = clock(second)
        if event is None:
            state = truth(second)
            if state is None:
                continue
            news = replace(seen(state, 0), at=now - LAG)
        else:
            news = event if event.at <= now + TOLERANCE else replace(event, at=now)
        merged = merge(stored, news, confirmed_at=confirmed, horizon=now + TOLERANCE)
        if isinstance(merged, Stored):
            stored = merged
        elif event is None:
            confirmed = news.at
    end = 60_000.0
    final = truth(end)
    assert final is not None
    merged = merge(
        stored, replace(seen(final, 0), at=at(end) - LAG), confirmed_at=confirmed, horizon=at(end) + TOLERANCE
    )
    result = merged if isinstance(merged, Stored) else stored
    assert result is not None
    assert result.state is final
    assert result.changed_at <= at(end)
    assert result.launched_at is None or result.launched_at <= at(end)


def test_a_workbench_that_is_handed_over_waits_from_then_on() -> None:
    stored = after(fact(RUNNING, 0, owner="zed"), fact(RUNNING, 900, owner="eve"))
    assert (stored.owner, stored.launched_at) == ("eve", at(900))
    assert after(fact(RUNNING, 0, owner="zed"), replace(seen(RUNNING, 900, launched=0), owner="eve")).launched_at == at(
        900
    )


def test_a_hand_over_is_not_undone_by_the_launch_time_that_ec2_keeps() -> None:
    stored = after(fact(RUNNING, 0, owner="zed"), fact(RUNNING, 900, owner="eve"))
    assert merge(stored, replace(seen(RUNNING, 2000, launched=0), owner="eve")) is Ignored.SAME


@pytest.mark.parametrize("spelling", ["ANN", r"CORP\ann", "ann@corp.example"])
def test_another_spelling_of_the_owner_hands_nothing_over(spelling: str) -> None:
    assert after(fact(RUNNING, 0, owner="ann"), fact(RUNNING, 900, owner=spelling)).launched_at == at(0)
