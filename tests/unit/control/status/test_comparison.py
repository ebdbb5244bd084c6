"""A status that differs in nothing but transition times is not written."""

from seatpool.control.status.writer import without_times


def test_transition_times_alone_are_no_change() -> None:
    then = {"used": 1, "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "09:00"}]}
    now = {"used": 1, "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "10:00"}]}
    assert without_times(then) == without_times(now)


def test_everything_else_is_a_change() -> None:
    then = {"oldestWait": "09:00", "conditions": [{"type": "Ready", "lastTransitionTime": "09:00"}]}
    for now in (
        {**then, "oldestWait": "10:00"},
        {**then, "conditions": [{"type": "InSync", "lastTransitionTime": "09:00"}]},
        {**then, "conditions": []},
        {"conditions": then["conditions"]},
    ):
        assert without_times(then) != without_times(now)


def test_the_status_itself_stays_whole() -> None:
    status = {"conditions": [{"lastTransitionTime": "09:00"}]}
    without_times(status)
    assert status == {"conditions": [{"lastTransitionTime": "09:00"}]}
