"""Which problems a pool and its server show, which of them block a seat, hold releases, or are intended."""

from dataclasses import dataclass

import pytest
from tests.unit.explain.cluster import HOUR, TIMES, Raw, ago, pool, pool_in, seen, server

from seatpool.api.conditions import ConditionStatus
from seatpool.explain.problems import Problem, condition_of, problems

BLOCKS, HOLDS_RELEASES, INTENDED = "blocks", "holds_releases", "is_intended"


@dataclass(frozen=True)
class Case:
    """What there is, the only problem, the object that shows it, and what it does."""

    objects: tuple[Raw, ...]
    id: str
    shown_by: str
    text: str
    traits: frozenset[str] = frozenset()
    detail: str = ""


OF_POOL, OF_SERVER = "LicensePool lab/matlab", "LicenseServer lab/licenses"
INTERVAL = {"verifyInterval": "10m"}


CASES = {
    "an older pool has the product": Case(
        (server(), pool(age=5), pool("older", age=HOUR, product="matlab")), "DuplicateProduct", OF_POOL,
        "Conflict: product matlab on server lab/licenses belongs to the older pool lab/older; lab/matlab is not applied.",
        frozenset({BLOCKS}),
    ),
    "another installation owns the list": Case(
        (server(), pool(conditions={"Conflict": "True ForeignOwner it is theirs", "InSync": "False ForeignOwner"})),
        "ForeignOwner", OF_POOL,
        "Conflict: another installation owns the list of matlab on server lab/licenses; nothing is written.",
        frozenset({BLOCKS}), "it is theirs",
    ),
    "a rule matches nobody": Case(
        (server(), pool(conditions={"RulesEffective": "False RulesWithoutEffect reservations caps: nobody"})),
        "RulesWithoutEffect", OF_POOL, "Some rules of lab/matlab have no effect: reservations caps: nobody.",
        frozenset(), "reservations caps: nobody",
    ),
    "the server does not know a user": Case(
        (server(), pool(conditions={"UsersListable": "False UsersNotListable eve (no such account)"})),
        "UsersNotListable", OF_POOL,
        "License server lab/licenses cannot have some users on the list of lab/matlab: eve (no such account).",
        frozenset(), "eve (no such account)",
    ),
    "a line beside the list undoes it": Case(
        (server(), pool(conditions={"ListEffective": "False UndoneElsewhere line 3 lets everybody in"})),
        "UndoneElsewhere", OF_POOL,
        "Something on license server lab/licenses undoes the list of lab/matlab: line 3 lets everybody in.",
        frozenset(), "line 3 lets everybody in",
    ),
    "the pool is suspended": Case(
        (server(), pool(suspend=True)), "Suspended", OF_POOL,
        "Pool lab/matlab is suspended: people on the list keep working; new ones get no seat.",
        frozenset({BLOCKS, INTENDED}),
    ),
    "the server is suspended": Case(
        (server(suspend=True), pool()), "ServerSuspended", OF_SERVER,
        "Server lab/licenses is suspended: people on its lists keep working; new ones get no seat.",
        frozenset({BLOCKS, INTENDED}),
    ),
    "the pool is in dry run": Case(
        (server(), pool(mode="DryRun")), "DryRun", OF_POOL,
        "lab/matlab is in trial mode (DryRun): nothing is written; a seat shown here does not work.",
        frozenset({INTENDED}),
    ),
    "the server is in dry run": Case(
        (server(mode="DryRun"), pool()), "DryRun", OF_POOL,
        "lab/matlab is in trial mode (DryRun): nothing is written; a seat shown here does not work.",
        frozenset({INTENDED}),
    ),
    "the server does not exist": Case(
        (pool(),), "ServerMissing", OF_POOL,
        "There is no LicenseServer lab/licenses; the list of lab/matlab cannot be written.", frozenset({BLOCKS}),
    ),
    "the server cannot be reached": Case(
        (server(conditions={"Reachable": "False ServerUnreachable ConnectionLost"}), pool()), "ServerUnreachable",
        OF_SERVER, "Server lab/licenses cannot be reached since 08:57: people on its lists keep working; new ones get no seat.",
        frozenset({BLOCKS}), "ConnectionLost",
    ),
    "the guard holds a change back": Case(
        (server(conditions={"Guarded": "True TooManyReleases 9 of 12"}), pool()), "TooManyReleases", OF_SERVER,
        "Many people would lose their seats of server lab/licenses at once. Held since 08:57 until an admin approves: "
        "seatpool approve licenses.",
        frozenset({HOLDS_RELEASES}), "9 of 12",
    ),
    "an account was never inventoried": Case(
        (server(conditions={"Guarded": "True InventoryUnknown"}), pool()), "InventoryUnknown", OF_SERVER,
        "The inventory is not complete since 08:57: nobody loses a seat before all accounts were asked.",
        frozenset({HOLDS_RELEASES}),
    ),
    "EC2 does not answer": Case(
        (server(conditions={"InventoryFresh": "False InventoryStale"}), pool()), "InventoryStale", OF_SERVER,
        "EC2 does not answer for some accounts or regions since 08:57: nobody there loses a seat for that, and workbenches "
        "that stopped there may still count.",
    ),
    "the queue does not answer": Case(
        (server(conditions={"EventsConnected": "False EventsDisconnected"}), pool()), "EventsDisconnected", OF_SERVER,
        "The queue of EC2's events cannot be read since 08:57: starts and stops are seen by the inventory only, and so late.",
    ),
    "the list was not taken": Case(
        (server(), pool(conditions={"InSync": "False ApplyFailed exit code 3"})), "ApplyFailed", OF_POOL,
        "Server lab/licenses does not take the list of matlab since 08:57; it is tried again.", detail="exit code 3",
    ),
    "the list cannot be read": Case(
        (server(), pool(conditions={"InSync": "False ReadFailed"})), "ReadFailed", OF_POOL,
        "The list of matlab on server lab/licenses cannot be read since 08:57; nothing is written before it was.",
        frozenset({BLOCKS}),
    ),
    "the server shows another list": Case(
        (server(), pool(conditions={"InSync": "False ListDiffers"})), "ListDiffers", OF_POOL,
        "Server lab/licenses shows another list of matlab than was written, since 08:57; it is written again.",
        frozenset({BLOCKS}),
    ),
    "the list was not read yet": Case(
        (server(), pool(conditions={"InSync": "False NotReadYet"})), "NotReadYet", OF_POOL,
        "The list of matlab on server lab/licenses has not been read yet.", frozenset({BLOCKS}),
    ),
    "the operator has not seen the spec": Case(
        (server(), pool(status={"observedGeneration": 0})), "SpecUnseen", OF_POOL,
        "The operator has not looked at the present spec of lab/matlab yet; is it running?",
    ),
    "the lists were not read back lately": Case(
        (server(**INTERVAL, status={"lastVerified": ago(31)}), pool()), "NotVerifiedLately", OF_SERVER,
        "The lists of server lab/licenses were not read back since 08:29, and should be every 10m; is the operator running?",
    ),
}  # fmt: skip

NO_PROBLEM = {
    "a pool in sync": (server(), pool()),
    "a change on its way": (server(), pool(conditions={"InSync": "False Applying"})),
    "no status yet": (server(conditions={"Reachable": "Unknown NotTriedYet"}), pool()),
    "lists that were read back within three intervals": (server(**INTERVAL, status={"lastVerified": ago(29)}), pool()),
    "a short interval that is late by less than five minutes": (
        server(verifyInterval="30s", status={"lastVerified": ago(4)}),
        pool(),
    ),
    "events of unlisted accounts": (server(conditions={"EventsConnected": "True EventsRefused"}), pool()),
}


def found_in(*objects: Raw) -> tuple[Problem, ...]:
    cluster = seen(*objects)
    return problems(cluster, pool_in(cluster), times=TIMES)


@pytest.mark.parametrize("name", CASES)
def test_a_problem_is_named_with_its_object_and_what_it_does(name: str) -> None:
    case = CASES[name]
    (found,) = found_in(*case.objects)
    assert (found.message.id, found.object, found.message.text) == (case.id, case.shown_by, case.text)
    assert found.detail == case.detail
    assert {trait for trait in (BLOCKS, HOLDS_RELEASES, INTENDED) if getattr(found, trait)} == case.traits


@pytest.mark.parametrize("name", NO_PROBLEM)
def test_there_is_no_problem_with(name: str) -> None:
    assert found_in(*NO_PROBLEM[name]) == ()


def test_problems_of_the_pool_stand_before_those_of_its_server() -> None:
    away = server(conditions={"Reachable": "False ServerUnreachable"})
    assert [one.message.id for one in found_in(away, pool(suspend=True))] == ["Suspended", "ServerUnreachable"]


def test_a_suspended_server_is_not_reported_as_unreachable_too() -> None:
    away = server(suspend=True, conditions={"Reachable": "False ServerUnreachable"})
    assert [one.message.id for one in found_in(away, pool())] == ["ServerSuspended"]


def test_a_condition_is_found_by_its_type() -> None:
    shown = pool_in(seen(server(), pool())).status.conditions
    in_sync = condition_of(shown, "InSync")
    assert in_sync is not None
    assert in_sync.status is ConditionStatus.TRUE
    assert condition_of(shown, "Conflict") is None
