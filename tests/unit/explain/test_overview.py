"""The data of the status screen: what is a problem, what is a note, and what comes first."""

from typing import Any

import pytest
from tests.unit.explain.cluster import TIMES, Raw, ago, at, pool, seen, server, workbench

from seatpool.explain.operator_life import Life, OperatorLife
from seatpool.explain.overview import Overview, PoolLine, overview

AWAY = server(conditions={"Reachable": "False ServerUnreachable", "Ready": "False ServerUnreachable"})


def shown(*objects: Raw) -> Overview:
    return overview(seen(*objects), lives=(), times=TIMES)


def pool_line(*objects: Raw) -> PoolLine:
    (line,) = shown(*objects).pools
    return line


WELL: dict[str, tuple[tuple[Raw, ...], bool]] = {
    "a server and a pool in sync are well": ((server(), pool()), True),
    "a suspended pool is well, because an admin wants it so": ((server(), pool(suspend=True)), True),
    "a dry run is well, because an admin wants it so": ((server(mode="DryRun"), pool()), True),
    "a server that cannot be reached is not well": ((AWAY, pool()), False),
    "a pool without its server is not well": ((pool(),), False),
    "an object that cannot be parsed is not well": ((server(), pool(), pool("cad", seats="many")), False),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", WELL)
def test_the_installation(name: str) -> None:
    objects, is_well = WELL[name]
    assert shown(*objects).is_well is is_well


def test_what_an_admin_wants_is_a_note_and_no_problem() -> None:
    found = shown(AWAY, pool(suspend=True))
    assert [one.message.id for one in found.problems] == ["ServerUnreachable"]
    assert [one.message.id for one in found.notes] == ["Suspended"]


def test_a_problem_of_a_server_is_shown_once_and_counts_for_each_of_its_pools() -> None:
    found = shown(AWAY, pool(), pool("cad"))
    assert [one.object for one in found.problems] == ["LicenseServer lab/licenses"]
    assert [line.problems for line in found.pools] == [1, 1]
    assert [line.problems for line in found.servers] == [1]


def test_problems_of_servers_stand_before_those_of_pools() -> None:
    found = shown(AWAY, pool(conditions={"InSync": "False ApplyFailed"}))
    assert [one.message.id for one in found.problems] == ["ServerUnreachable", "ApplyFailed"]


def test_pools_with_problems_come_first_and_then_those_where_most_users_wait() -> None:
    found = shown(
        server(),
        pool("a", status={"waiting": 1}),
        pool("b", status={"waiting": 9}),
        pool("c", conditions={"InSync": "False ReadFailed"}),
        pool("d", status={"waiting": 9}),
    )
    assert [line.name for line in found.pools] == ["lab/c", "lab/b", "lab/d", "lab/a"]


LINES: dict[str, tuple[tuple[Raw, ...], dict[str, Any]]] = {
    "what the operator has not written is not known": (
        (server(), pool()),
        {"used": None, "waiting": None, "oldest_wait": None, "changes_used": None, "changes_allowed": None},
    ),
    "numbers come from the status": (
        (server(), pool(status={"used": 2, "waiting": 3, "oldestWait": ago(7)})),
        {"seats": 2, "used": 2, "waiting": 3, "oldest_wait": at(-7)},
    ),
    "a budget is shown with what is used": (
        (server(), pool(maxReassignments={"count": 4, "window": "365d"}, status={"reassignmentsUsed": 1})),
        {"changes_used": 1, "changes_allowed": 4, "changes_window": "365d"},
    ),
    "the server's dry run is the pool's": ((server(mode="DryRun"), pool()), {"mode": "DryRun"}),
    "the words of conditions are yes, no and a question mark": (
        (server(), pool(conditions={"InSync": "Unknown Suspended"})),
        {"in_sync": "?"},
    ),
    "the reason is that of Ready": (
        (server(), pool(conditions={"Ready": "False ApplyFailed", "InSync": "False Applying"})),
        {"in_sync": "no", "reason": "ApplyFailed"},
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_in_the_line_of_a_pool(name: str) -> None:
    objects, expected = LINES[name]
    line = pool_line(*objects)
    assert {field: getattr(line, field) for field in expected} == expected


def test_the_line_of_a_server_counts_its_lists_and_users() -> None:
    lists = {"applied": [{"product": "matlab", "hash": "ab", "count": 3, "revision": 7}], "users": 3}
    (line,) = shown(server(status=lists | {"lastVerified": ago(2)})).servers
    assert (line.lists, line.people, line.revision, line.last_verified) == (1, 3, 7, at(-2))
    assert (line.ready, line.in_sync) == ("yes", "-")


def test_an_object_that_cannot_be_parsed_is_named_with_the_field() -> None:
    (text,) = shown(server(), pool("cad", seats="many")).unreadable  # type: ignore[arg-type]
    assert text.startswith("LicensePool lab/cad: ")
    assert "spec.seats" in text


def test_a_dead_operator_is_not_well_whatever_it_last_wrote() -> None:
    late = OperatorLife(life=Life.LATE, text="late")
    assert not overview(seen(server(), pool()), lives=(late,), times=TIMES).is_well
    assert overview(seen(server(), pool()), lives=(OperatorLife(life=Life.ALIVE, text=""),), times=TIMES).is_well


def test_workbenches_for_which_nothing_can_be_done_are_shown() -> None:
    found = shown(
        server(), pool(), workbench("ann"), workbench("bad owner!", number=2), workbench("bad owner!", number=3),
        workbench("bob", number=4, kind="vew-matlb"), workbench("cem", number=5, kind="vew-old", state="stopped"),
    )  # fmt: skip
    (refused,) = found.refused_owners
    assert (refused.owner, refused.workbenches) == ("bad owner!", 2)
    assert "bad owner!" in refused.problem
    assert [(one.type, one.workbenches) for one in found.unserved_types] == [("vew-matlb", 1)]
    assert not found.is_well


def test_only_seats_of_pools_that_are_applied_count() -> None:
    found = shown(server(), pool(), pool("lost", serverRef={"name": "gone"}))
    assert {line.name: line.is_applied for line in found.pools} == {"lab/matlab": True, "lab/lost": False}
