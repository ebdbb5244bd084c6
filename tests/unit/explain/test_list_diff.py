"""The three states of a list: as it should be, on its way, and read back."""

import pytest
from tests.unit.explain.cluster import HOUR, TIMES, Raw, ago, at, ledger, pool, pool_in, seen, server

from seatpool.domain.list_hash import list_hash
from seatpool.explain.list_diff import Diff, ListState, diff
from seatpool.terminal.output import data

ANN = list_hash(["ann"])
READ = {"applied": [{"product": "matlab", "hash": ANN, "count": 1, "revision": 6}], "lastVerified": ago(2)}
SENT = {
    "inFlight": {
        "commandId": "c-7",
        "revision": 7,
        "sentAt": ago(1),
        "products": [{"product": "matlab", "hash": "ab", "count": 2, "revision": 7}],
    }
}
OTHER = {"applied": [{"product": "cad", "hash": "cd", "count": 9, "revision": 5}]}
DIFFERENCE = {"difference": {"add": ["bob"], "remove": [], "adds": 1, "removes": 0, "since": ago(9)}}


def compared(*objects: Raw) -> Diff:
    cluster = seen(*objects)
    return diff(cluster, pool_in(cluster), times=TIMES)


NOTHING = ListState("on its way", None, None), ListState("read back", None, None)
CASES: dict[str, tuple[tuple[Raw, ...], tuple[ListState, ...]]] = {
    "before the first decision nothing is known": (
        (server(), pool()),
        (ListState("as it should be", None, None), *NOTHING),
    ),
    "without a server only the decision is known": (
        (pool(), ledger(assigned={"ann": HOUR})),
        (ListState("as it should be", 1, ANN), *NOTHING),
    ),
    "a list that was read back has revision and time": (
        (server(status=READ), pool(), ledger(assigned={"ann": HOUR})),
        (ListState("as it should be", 1, ANN), NOTHING[0], ListState("read back", 1, ANN, 6, at(-2))),
    ),
    "a command on its way has revision and time": (
        (server(status=READ | SENT), pool(), ledger(assigned={"ann": HOUR, "bob": 5})),
        (
            ListState("as it should be", 2, list_hash(["ann", "bob"])),
            ListState("on its way", 2, "ab", 7, at(-1)),
            ListState("read back", 1, ANN, 6, at(-2)),
        ),
    ),
    "the list of another product on the same server does not count": (
        (server(status=OTHER), pool(), ledger(assigned={"ann": HOUR})),
        (ListState("as it should be", 1, ANN), *NOTHING),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_three_states(name: str) -> None:
    objects, states = CASES[name]
    assert compared(*objects).states == states


WELL = {
    "in sync": (pool(), True),
    "in sync with a difference that is not written yet": (pool(status=DIFFERENCE), False),
    "not in sync": (pool(conditions={"InSync": "False Applying a list is on its way"}), False),
}


@pytest.mark.parametrize("name", WELL)
def test_a_pool_is_well_only_if_it_is_in_sync_and_has_no_difference(name: str) -> None:
    raw, is_well = WELL[name]
    assert compared(server(), raw).is_well is is_well


def test_the_condition_is_shown_with_reason_and_message() -> None:
    found = compared(server(), pool(conditions={"InSync": "False Applying a list is on its way"}))
    assert (found.in_sync, found.reason, found.message) == ("False", "Applying", "a list is on its way")


def test_users_are_sorted_and_problems_are_shown() -> None:
    found = compared(server(suspend=True), pool(), ledger(assigned={"bob": 5, "ann": HOUR}))
    assert found.users == ("ann", "bob")
    assert [one.message.id for one in found.problems] == ["ServerSuspended"]


def test_the_names_in_json_stay_as_they_are() -> None:
    found = data(compared(server(suspend=True), pool(), ledger()))
    assert {"pool", "inSync", "reason", "message", "states", "users", "obstacles"} == set(found)
