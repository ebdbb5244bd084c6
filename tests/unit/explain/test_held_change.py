"""What an approval would do, and which object a name means."""

import pytest
from tests.unit.explain.cluster import HOUR, Raw, at, ledger, pool, seen, server, server_in, workbenches

from seatpool.domain.errors import SeatpoolError
from seatpool.explain.held_change import ApprovalRequest, approval_request, pool_keys_of, pool_or_server, server_named
from seatpool.explain.snapshot import Snapshot
from seatpool.policy.guard import hold

USERS = [f"u{number}" for number in range(10)]
LISTS = (pool(seats=10), ledger(assigned=dict.fromkeys(USERS, HOUR)))


def held(leaving: list[str]) -> Raw:
    """A server whose guard holds back that these users leave."""
    found = hold(server_in(seen(server())), present=10, leaving=[("lab/matlab", user) for user in leaving])
    assert found is not None
    return server(conditions={"Guarded": f"True TooManyReleases {found.message(server_in(seen(server())))}"})


def asked(*objects: Raw) -> ApprovalRequest:
    cluster = seen(*objects)
    return approval_request(cluster, server_in(cluster))


def test_an_approval_names_every_user_who_loses_a_seat_and_the_token() -> None:
    found = asked(held(USERS), *LISTS)
    assert found.leaving == tuple(("lab/matlab", user) for user in USERS)
    assert found.is_the_same
    assert len(found.token) == 12
    assert found.since == at(-3)


CHANGED: dict[str, tuple[Raw, ...]] = {
    "a user has come back": LISTS + workbenches("u0"),
    "one more user has left": (pool(seats=11), ledger(assigned=dict.fromkeys([*USERS, "u10"], HOUR))),
    "so few leave that the guard lets it pass": LISTS + workbenches(*USERS[:6]),
}


@pytest.mark.parametrize("name", CHANGED)
def test_an_approval_says_that_the_change_is_another_one_if(name: str) -> None:
    assert not asked(held(USERS), *CHANGED[name]).is_the_same


def test_pools_that_are_suspended_lose_no_user() -> None:
    cad = (pool("cad", seats=5, suspend=True), ledger("cad", assigned={"zoe": HOUR}))
    assert {key for key, _ in asked(held(USERS), *LISTS, *cad).leaving} == {"lab/matlab"}


def test_a_user_who_leaves_because_of_the_spec_is_not_part_of_the_change() -> None:
    denied = pool(seats=11, deniedUsers=["mallory"])
    users = dict.fromkeys([*USERS, "mallory"], HOUR)
    assert ("lab/matlab", "mallory") not in asked(held(USERS), denied, ledger(assigned=users)).leaving


NOTHING_HELD = {
    "a server without the condition": server(),
    "a server within its limits": server(conditions={"Guarded": "False WithinLimits"}),
    "a server whose inventory is not complete": server(conditions={"Guarded": "True InventoryUnknown"}),
}


@pytest.mark.parametrize("name", NOTHING_HELD)
def test_there_is_nothing_to_approve_on(name: str) -> None:
    with pytest.raises(SeatpoolError, match="holds no change back: there is nothing to approve"):
        asked(NOTHING_HELD[name], *LISTS)


def test_a_condition_without_a_token_is_refused_with_its_message() -> None:
    with pytest.raises(SeatpoolError, match="names no change to approve; its message is: too many"):
        asked(server(conditions={"Guarded": "True TooManyReleases too many"}), *LISTS)


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
    with pytest.raises(SeatpoolError, match="there is neither a LicensePool nor a LicenseServer"):
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
