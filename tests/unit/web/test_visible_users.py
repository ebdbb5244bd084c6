"""No answer names a user whom its caller may not see, whatever the pool looks like."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.explain import cluster as objects
from tests.unit.explain.cluster import KINDS, NOW

from seatpool.api.identity import IdentitySettings
from seatpool.terminal.output import data
from seatpool.web.answers import Answers, Seen
from seatpool.web.authorization import Scope
from seatpool.web.cluster import LiveCluster
from seatpool.web.visible_users import HIDDEN, VisibleUsers

UTC = ZoneInfo("UTC")
OTHERS = [f"secret{number}" for number in range(7)]
USERS = ["me", *OTHERS]
Raw = dict[str, Any]


def live(*raws: Raw) -> LiveCluster:
    """A cluster into which the watches brought these objects."""
    found = LiveCluster(IdentitySettings(), lambda: NOW)
    for raw in raws:
        found.upsert(KINDS[raw["kind"]], named_as_stored(raw))
    return found


def named_as_stored(raw: Raw) -> Raw:
    """The object, with the name that the operator gives a ledger."""
    if raw["kind"] != "SeatLedger":
        return raw
    from seatpool.policy.ledger_codec import ledger_name

    name = ledger_name(raw["spec"]["server"], raw["spec"]["product"], 0)
    return raw | {"metadata": raw["metadata"] | {"name": name}}


users = st.sampled_from(USERS)
minutes = st.floats(1, 300).map(round)
some = st.dictionaries(users, minutes, max_size=6)
durations = st.sampled_from(["0s", "10m", "2h"])


@st.composite
def worlds(draw: st.DrawFn) -> list[Raw]:
    """A pool with all kinds of rules, holders, waiters, workbenches and problems."""
    assigned, waiting = draw(some), draw(some)
    waiting = {user: since for user, since in waiting.items() if user not in assigned}
    spec: Raw = {
        "protectedUsers": draw(st.lists(st.sampled_from(OTHERS), max_size=2, unique=True)),
        "deniedUsers": draw(st.lists(users, max_size=2, unique=True)),
        "minimumHold": draw(durations), "linger": draw(durations), "seatCoolDown": draw(durations),
        "readmitAfter": draw(durations), "suspend": draw(st.booleans()),
    }  # fmt: skip
    if draw(st.booleans()):
        spec["reservations"] = [
            {"name": "team", "users": draw(st.lists(users, min_size=1, max_size=2, unique=True)), "seats": 1}
        ]
    names = ", ".join(OTHERS)
    conditions = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "RulesEffective": st.just(f"False RulesWithoutEffect nobody is left of {names}"),
                "Conflict": st.just(f"True ForeignOwner list has {names}"),
            },
        )
    )
    conditions["InSync"] = draw(
        st.sampled_from(["True InSync", f"False ListDiffers + {names}", f"False ApplyFailed cannot add {names}"])
    )
    guarded = draw(st.sampled_from(["False NoChangeHeld", f"True TooManyReleases {names} would leave"]))
    left = [{"user": user, "at": objects.ago(since)} for user, since in draw(some).items()]
    kinds = st.sampled_from(["running", "stopped", "pending"])
    workbenches = [
        objects.workbench(user, number=number, state=draw(kinds))
        for number, user in enumerate(draw(st.lists(users, max_size=8)), start=1)
    ]
    return [
        objects.server(conditions={"Guarded": guarded}),
        objects.pool(seats=draw(st.integers(1, 4)), conditions=conditions, **spec),
        objects.ledger(assigned=assigned, waiting=waiting, vacated=left, left=[]),
        *workbenches,
    ]


PARTS = Seen(
    licensepools=Scope(everywhere=True),
    licenseservers=Scope(everywhere=True),
    workbench_scope=Scope(False),
    namespace=None,
)
"""What a caller may list who sees no names."""


@settings(max_examples=300)
@given(worlds())
def test_a_caller_without_names_sees_none(raws: list[Raw]) -> None:
    cluster = live(*raws)
    hidden = VisibleUsers("me", all_named=False)
    answers = Answers(cluster)
    shown = json.dumps(
        [
            data(answers.user("me", hidden, UTC)),
            data(answers.pool(cluster.store.pools["lab/matlab"], hidden, UTC)),
            data(answers.pool_line("lab/matlab")),
            data(answers.status(PARTS, hidden, {}, UTC)),
        ]
    )
    assert "secret" not in shown


@given(worlds())
def test_a_caller_with_names_sees_who_has_a_seat(raws: list[Raw]) -> None:
    cluster = live(*raws)
    found = Answers(cluster).pool(cluster.store.pools["lab/matlab"], VisibleUsers(None, all_named=True), UTC)
    memory = cluster.memory("lab/matlab")
    assert {one.user for one in found.who.holders} == set(memory.assigned if memory is not None else ())


@given(worlds())
def test_the_numbers_are_those_of_a_caller_with_names(raws: list[Raw]) -> None:
    cluster = live(*raws)
    pool = cluster.store.pools["lab/matlab"]
    hidden, all_named = (
        Answers(cluster).pool(pool, VisibleUsers("me", all_named=one), UTC).who for one in (False, True)
    )
    assert [one.since for one in hidden.holders] == [one.since for one in all_named.holders]
    assert [one.position for one in hidden.waiting] == [one.position for one in all_named.waiting]
    assert {one.user for one in (*hidden.holders, *hidden.waiting)} <= {"me", HIDDEN}


def test_the_name_for_others_is_no_user_id() -> None:
    assert IdentitySettings().user_or_problem(HIDDEN)[0] is None


def both(*raws: Raw) -> tuple[Any, Any]:
    """What `me` is told of the pool: without names of others, and with them."""
    answers = Answers(live(*raws))
    return tuple(answers.user("me", VisibleUsers("me", all_named=one), UTC).pools[0] for one in (False, True))  # type: ignore[return-value]


def test_whose_stop_would_help_is_told_only_to_those_who_see_names() -> None:
    hidden, named = both(
        objects.server(),
        objects.pool(seats=1),
        objects.ledger(assigned={"secret1": 30}, waiting={"me": 5}),
        objects.workbench("secret1", number=1),
        objects.workbench("me", number=2),
    )
    assert "if one of these stopped now: another user." in " ".join(one.text for one in hidden.messages)
    assert "if one of these stopped now: secret1 (i-00000001)." in " ".join(one.text for one in named.messages)
    assert hidden.stop is None
    assert named.stop is not None


def test_several_users_who_are_not_seen_are_counted() -> None:
    hidden, _ = both(
        objects.server(),
        objects.pool(seats=3),
        objects.ledger(assigned={"secret1": 30, "secret2": 30, "secret3": 30}, waiting={"me": 5}),
        *(
            objects.workbench(user, number=at)
            for at, user in enumerate(("me", "secret1", "secret2", "secret3"), start=1)
        ),
    )
    assert "if one of these stopped now: 3 other users." in " ".join(one.text for one in hidden.messages)


def test_for_which_protected_users_seats_are_kept_is_told_only_to_those_who_see_names() -> None:
    hidden, named = both(
        objects.server(),
        objects.pool(seats=2, protectedUsers=["secret0", "secret1"], seatCoolDown="2h"),
        objects.ledger(
            waiting={"me": 5}, vacated=[{"user": one, "at": objects.ago(9)} for one in ("secret2", "secret3")]
        ),
        objects.workbench("me"),
    )
    assert "2 for protectedUsers another user." in hidden.messages[1].text
    assert "2 for protectedUsers secret0, secret1." in named.messages[1].text


def elsewhere(raw: Raw) -> Raw:
    """The object in another namespace, where the server is another machine."""
    target = {"target": {"instanceId": "i-0fedcba9876543210"}} if raw["kind"] == "LicenseServer" else {}
    return raw | {"metadata": raw["metadata"] | {"namespace": "hidden"}, "spec": raw["spec"] | target}


def test_the_status_has_nothing_of_a_namespace_that_the_caller_may_not_list() -> None:
    raws = [
        objects.server(conditions={"Guarded": "True TooManyReleases secret1 would leave"}),
        objects.pool(suspend=True, conditions={"InSync": "False ListDiffers + secret2"}),
        objects.workbench("no user!"),
        objects.workbench("secret3", number=2, kind="vew-unserved"),
    ]
    cluster = live(*raws, *(elsewhere(raw) for raw in raws))
    for place in ("lab", "hidden"):
        for kind in ("LicensePool", "LicenseServer", "Workbench"):
            broken = objects.pool("broken") | {"kind": kind}
            raw = broken | {"metadata": broken["metadata"] | {"namespace": place}}
            cluster.refuse(KINDS[kind], raw, f"spec.owner: secret4 in {place}")
    answers = Answers(cluster)
    only, everywhere, nowhere = Scope(False, frozenset({"lab"})), Scope(True), Scope(False)

    def shown(pools: Scope, servers: Scope, rows: Scope, namespace: str | None, *, named: bool = True) -> str:
        seen = Seen(licensepools=pools, licenseservers=servers, workbench_scope=rows, namespace=namespace)
        return json.dumps(data(answers.status(seen, VisibleUsers("me", all_named=named), {}, UTC)))

    whole = shown(everywhere, everywhere, everywhere, None)
    for mark in ("hidden/", "lab/", "secret1", "secret2", "secret4", "vew-unserved", "no user!", "Workbench "):
        assert mark in whole, mark
    for text in (shown(only, only, only, None), shown(everywhere, everywhere, everywhere, "lab")):
        assert "hidden" not in text
        assert "lab/matlab" in text
        assert '"workbenches": 2' not in text
    numbers = shown(everywhere, everywhere, nowhere, None, named=False)
    assert "secret" not in numbers
    assert not any(mark in numbers for mark in ("Workbench ", "no user!", "vew-unserved"))
    assert "hidden/matlab" in numbers
    pools = shown(only, nowhere, nowhere, None)
    assert "LicenseServer " not in pools
    assert "hidden" not in pools
