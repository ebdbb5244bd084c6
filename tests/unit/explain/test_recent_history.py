"""What the ledger and Events tell about a pool or a user, in the order of time."""

from typing import Any

import pytest
from tests.unit.explain.cluster import HOUR, Raw, ago, ledger, pool, pool_in, seen, server

from seatpool.explain.recent_history import RecentHistory, recent_history
from seatpool.terminal.output import data

LEDGER = ledger(
    assigned={"ann": HOUR, "bob": HOUR},
    idle={"ann": 5},
    waiting={"dora": 3},
    vacated=[{"user": "ann", "at": ago(2 * HOUR)}],
    reassignments=[{"user": "bob", "at": ago(90)}],
)


def event(
    text: str, *, minutes: float, name: str = "matlab", kind: str = "LicensePool", count: int = 1
) -> dict[str, Any]:
    return {
        "involvedObject": {"kind": kind, "namespace": "lab", "name": name}, "reason": "SeatsGranted", "message": text,
        "lastTimestamp": ago(minutes), "count": count, "metadata": {"creationTimestamp": ago(minutes)},
    }  # fmt: skip


EVENTS = [
    event("ann, bob got a seat (revision 3)", minutes=59),
    event("joann got a seat", minutes=58),
    event("ann got a seat", minutes=57, name="other"),
    event("ann got a seat", minutes=56, kind="LicenseServer"),
    event("dora began to wait", minutes=2, count=4),
]


def found(*objects: Raw, user: str | None = None, events: list[dict[str, Any]] | None = None) -> RecentHistory:
    cluster = seen(server(), pool(), *(objects or (LEDGER,)))
    return recent_history(cluster, events or [], pool=None if user else pool_in(cluster), user=user)


LINES = {
    "a user's seats, stops and returns, the newest last": (
        "ann",
        [
            "ann gave the seat back",
            "ann got the seat (an active workbench needs the product, and a seat was free)",
            "the last workbench of ann stopped",
        ],
    ),
    "a wait": ("dora", ["dora began to wait"]),
    "nothing of another user": ("eve", []),
}


@pytest.mark.parametrize("name", LINES)
def test_the_ledger_tells(name: str) -> None:
    user, lines = LINES[name]
    assert [one.what for one in found(user=user).entries] == lines


def test_of_a_pool_every_user_and_every_re_assignment_is_told() -> None:
    lines = [one.what for one in found().entries]
    assert "a seat passed to another person" in lines
    assert {line.split()[0] for line in lines} >= {"ann", "bob", "dora"}


def test_events_of_the_pool_that_name_the_user_are_told_with_how_often() -> None:
    lines = [one.what for one in found(ledger(), user="ann", events=EVENTS).entries]
    assert lines == ["SeatsGranted: ann, bob got a seat (revision 3)"]
    lines = [one.what for one in found(ledger(), user="dora", events=EVENTS).entries]
    assert lines == ["SeatsGranted: dora began to wait (4 times)"]


def test_the_names_in_json_stay_as_they_are() -> None:
    assert set(data(found(user="dora"))) == {"of", "happenings", "notKnown"}
