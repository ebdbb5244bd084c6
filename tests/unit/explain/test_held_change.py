"""What an approval would do, and which object a name means."""

import pytest
from tests.unit.explain.cluster import HOUR, Raw, at, ledger, pool, seen, server, server_in, workbench, workbenches

from seatpool.domain.errors import SeatpoolError
from seatpool.explain.held_change import ApprovalRequest, approval_request, pool_keys_of, pool_or_server, server_named
from seatpool.explain.snapshot import Snapshot
from seatpool.policy.guard import Token

USERS = [f"u{number}" for number in range(10)]
LISTS = (pool(seats=10), ledger(assigned=dict.fromkeys(USERS, HOUR), idle=dict.fromkeys(USERS, 5)))
TOKEN = str(Token(3, at(-5)))


def held(token: str | None = TOKEN) -> Raw:
    """A server whose guard holds back what was to leave five minutes ago."""
    return server(
        conditions={"Guarded": "True TooManyReleases 10 of 10 users would lose their seats; ..."},
        status={"guard": {"changes": 3} | ({} if token is None else {"held": token})},
    )


def asked(*objects: Raw) -> ApprovalRequest:
    cluster = seen(*objects)
    return approval_request(cluster, server_in(cluster))


def test_an_approval_names_every_user_who_loses_a_seat_and_the_token() -> None:
    found = asked(held(), *LISTS)
    assert found.leaving == tuple(("lab/matlab", user) for user in USERS)
    assert found.held_on == ()
    assert found.token == TOKEN
    assert found.since == at(-3)


def test_who_has_come_back_is_not_part_of_it_and_who_came_to_leave_since_stays_held() -> None:
    users = dict.fromkeys([*USERS, "u10"], HOUR)
    idle = dict.fromkeys(USERS, 5.0) | {"u10": 4.9}
    found = asked(held(), pool(seats=11), ledger(assigned=users, idle=idle), *workbenches("u0"))
    assert found.leaving == tuple(("lab/matlab", user) for user in USERS[1:])
    assert found.held_on == (("lab/matlab", "u10"),)


def test_an_approval_tells_whose_workbenches_stopped_and_who_has_none_any_more() -> None:
    stopped = workbench("u3", number=3, state="stopped")
    assert asked(held(), *LISTS, stopped).without_workbench == frozenset(USERS) - {"u3"}


def test_pools_that_are_suspended_lose_no_user() -> None:
    cad = (pool("cad", seats=5, suspend=True), ledger("cad", assigned={"zoe": HOUR}, idle={"zoe": 5}))
    assert {key for key, _ in asked(held(), *LISTS, *cad).leaving} == {"lab/matlab"}


def test_a_user_who_leaves_because_of_the_spec_is_not_part_of_the_change() -> None:
    denied = pool(seats=11, deniedUsers=["mallory"])
    users = dict.fromkeys([*USERS, "mallory"], HOUR)
    found = asked(held(), denied, ledger(assigned=users, idle=dict.fromkeys(users, 5.0)))
    assert ("lab/matlab", "mallory") not in (*found.leaving, *found.held_on)


NOTHING_HELD = {
    "a server without the condition": server(),
    "a server within its limits": server(conditions={"Guarded": "False WithinLimits"}),
    "a server whose inventory is not complete": server(conditions={"Guarded": "True InventoryUnknown"}),
}


@pytest.mark.parametrize("name", NOTHING_HELD)
def test_there_is_nothing_to_approve_on(name: str) -> None:
    with pytest.raises(SeatpoolError, match="holds no change back: there is nothing to approve"):
        asked(NOTHING_HELD[name], *LISTS)


@pytest.mark.parametrize("token", [None, "abc"])
def test_a_status_without_a_token_is_refused_by_the_name_of_the_field(token: str | None) -> None:
    with pytest.raises(
        SeatpoolError, match=r"LicenseServer lab/licenses, status\.guard\.held: .* names no change to approve"
    ):
        asked(held(token), *LISTS)


def cluster() -> Snapshot:
    return seen(server(), pool(), pool("cad"), pool("licenses"), pool("lost", serverRef={"name": "gone"}))


MEANT = {
    "matlab": "lab/matlab",
    "lab/matlab": "lab/matlab",
    "pool/matlab": "lab/matlab",
    "pool/licenses": "lab/licenses",
    "server/licenses": "lab/licenses",
    "server/lab/licenses": "lab/licenses",
}


@pytest.mark.parametrize("name", MEANT)
def test_a_name_means_one_object(name: str) -> None:
    found = pool_or_server(cluster(), name)
    assert found.key == MEANT[name]
    assert found.kind == ("LicenseServer" if name.startswith("server/") else "LicensePool")


def test_a_name_of_several_objects_is_refused_with_the_names_that_are_clear() -> None:
    with pytest.raises(
        SeatpoolError, match="licenses is the name of several objects; write one of: pool/lab/licenses, server"
    ):
        pool_or_server(cluster(), "licenses")


@pytest.mark.parametrize("name", ["nothing", "server/matlab", "pool/nothing"])
def test_a_name_of_no_object_is_refused(name: str) -> None:
    with pytest.raises(SeatpoolError, match=f"there is no License.* {name.rpartition('/')[2]}; there are: "):
        pool_or_server(cluster(), name)


@pytest.mark.parametrize("name", ["licenses", "matlab", "pool/cad", "server/licenses"])
def test_a_server_is_found_by_its_own_name_and_by_that_of_its_pools(name: str) -> None:
    assert server_named(cluster(), name).key == "lab/licenses"


def test_a_pool_whose_server_is_missing_names_the_field() -> None:
    with pytest.raises(
        SeatpoolError, match=r"LicensePool lab/lost, spec\.serverRef\.name: there is no LicenseServer lab/gone"
    ):
        server_named(cluster(), "lost")


def test_every_pool_of_a_server_is_concerned() -> None:
    found = cluster()
    assert pool_keys_of(found, server_in(found)) == ("lab/cad", "lab/licenses", "lab/matlab")
