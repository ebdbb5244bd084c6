"""Which state, rule and times `why` finds for a user, and in which words."""

from dataclasses import dataclass

import pytest
from tests.unit.explain.cluster import (
    DAY,
    HOUR,
    TIMES,
    Raw,
    ago,
    at,
    ledger,
    pool,
    seen,
    server,
    texts,
    workbench,
    workbenches,
)

from seatpool.api.workbench import SeatPhase, WorkbenchSeat
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.list_hash import list_hash
from seatpool.explain.why import Explanation, Phase, PoolExplanation, why
from seatpool.terminal.output import data

MUST_STOP = "Nobody can say when: a seat comes free when somebody stops a workbench."
NO_HELP = "No stop of those who have a seat now would bring dora one."
TOO_FEW = "No estimate yet: lab/matlab has 0 finished seats; 20 are needed."
NOT_IN_SYNC = {"InSync": "False Applying"}


@dataclass(frozen=True)
class Case:
    """What there is beside a server, who asks, and the answer."""

    objects: tuple[Raw, ...]
    user: str
    phase: Phase
    decided_by: str | None
    lines: list[str]


HOLDERS = ledger(assigned={"ann": 20, "bob": 2 * HOUR}, waiting={"dora": 5})

CASES = {
    "an active workbench keeps the seat": Case(
        (pool(), ledger(assigned={"ann": 20}), workbench("ann")), "ann", Phase.ASSIGNED, "workbenchTypes",
        [
            "ann has a seat of lab/matlab since 08:40.",
            "An active workbench needs the product: i-00000001.",
            "ann keeps it while a workbench is running.",
        ],
    ),
    "a list that was not read back makes the seat pending": Case(
        (pool(conditions=NOT_IN_SYNC), ledger(assigned={"ann": 20}), workbench("ann")), "ann", Phase.PENDING,
        "workbenchTypes",
        [
            "ann was given a seat of lab/matlab at 08:40, and the license server has not confirmed it yet: do not start the "
            "tool before it has.",
            "An active workbench needs the product: i-00000001.",
            "ann keeps it while a workbench is running.",
        ],
    ),
    "a user who was on the list before the operator is not pending": Case(
        (pool(conditions=NOT_IN_SYNC), ledger(assigned={"ann": 20}, reason="Adopted"), workbench("ann")), "ann",
        Phase.ASSIGNED, "adoption",
        [
            "ann has a seat of lab/matlab since 08:40.",
            "ann was on the list before the operator first wrote it, and a workbench is active: i-00000001.",
            "ann keeps it while a workbench is running.",
        ],
    ),
    "minimum hold keeps a seat that is not needed": Case(
        (pool(minimumHold="1h", linger="10m"), ledger(assigned={"ann": 20}, idle={"ann": 2})), "ann", Phase.ASSIGNED,
        "minimumHold",
        [
            "ann has a seat of lab/matlab since 08:40.",
            "The seat is not needed any more; spec.minimumHold (1h) keeps it until 09:40.",
            "It ends at 09:40 unless a workbench of ann starts before.",
        ],
    ),
    "a protected user without a seat takes one when minimum hold is over": Case(
        (
            pool(minimumHold="1h", protectedUsers=["boss"]), ledger(assigned={"ann": 20, "bob": 30}, waiting={"boss": 5}),
            *workbenches("ann", "bob"),
        ),
        "bob", Phase.ASSIGNED, "workbenchTypes",
        [
            "bob has a seat of lab/matlab since 08:30.",
            "An active workbench needs the product: i-00000002.",
            "It goes to a user in spec.protectedUsers at 09:30.",
        ],
    ),
    "minimum hold keeps the seat of a denied user, and no workbench prolongs it": Case(
        (pool(minimumHold="1h", deniedUsers=["ann"]), ledger(assigned={"ann": 20}), workbench("ann")), "ann",
        Phase.ASSIGNED, "minimumHold",
        [
            "ann has a seat of lab/matlab since 08:40.",
            "ann is among spec.deniedUsers; spec.minimumHold (1h) keeps the seat until 09:40.",
            "It ends at 09:40.",
        ],
    ),
    "a seat of a suspended pool does not end": Case(
        (pool(linger="3m", suspend=True), ledger(assigned={"ann": 2 * HOUR}, idle={"ann": 5})), "ann", Phase.ASSIGNED,
        "linger",
        [
            "ann has a seat of lab/matlab since 07:00.",
            "The last workbench stopped, and spec.minimumHold and spec.linger are over.",
            "Nothing changes before what stands in the way is gone.",
        ],
    ),
    "any two of four are told as such": Case(
        (
            pool(seats=4),
            ledger(assigned=dict.fromkeys(("ann", "bob", "carl", "dan"), HOUR), waiting={"eve": 9, "dora": 5}),
            *workbenches("ann", "bob", "carl", "dan", "eve", "dora"),
        ),
        "dora", Phase.WAITING, "seats",
        [
            "dora waits for a seat of lab/matlab: position 2 of 2, since 08:55.",
            "All 4 seats are taken.",
            "Nobody can say when: 2 of those who have a seat must stop first.",
            "A seat would come at once if these stopped now: any 2 of ann (i-00000001), bob (i-00000002), carl (i-00000003), "
            "dan (i-00000004).",
            TOO_FEW,
        ],
    ),
    "linger keeps the seat for a while after the last workbench": Case(
        (pool(linger="15m"), ledger(assigned={"ann": 2 * HOUR}, idle={"ann": 5})), "ann", Phase.ASSIGNED, "linger",
        [
            "ann has a seat of lab/matlab since 07:00.",
            "No workbench is active; spec.linger (15m) keeps the seat until 09:10.",
            "It ends at 09:10 unless a workbench of ann starts before.",
        ],
    ),
    "a seat whose time is over ends now": Case(
        (pool(linger="3m"), ledger(assigned={"ann": 2 * HOUR}, idle={"ann": 5})), "ann", Phase.ASSIGNED, "linger",
        [
            "ann has a seat of lab/matlab since 07:00, and it ends now.",
            "The last workbench stopped, and spec.minimumHold and spec.linger are over.",
        ],
    ),
    "a protected user needs no workbench": Case(
        (pool(protectedUsers=["ann"]), ledger(assigned={"ann": HOUR})), "ann", Phase.ASSIGNED, "protectedUsers",
        [
            "ann has a seat of lab/matlab since 08:00.",
            "ann is among spec.protectedUsers and always on the list.",
        ],
    ),
    "a denied user is told the field and not a time": Case(
        (pool(deniedUsers=["dora"]), ledger(), workbench("dora")), "dora", Phase.DENIED, "deniedUsers",
        [
            "dora is denied a seat of lab/matlab.",
            "dora is among spec.deniedUsers and never gets a seat.",
            "Time does not change that: ask your license admin (spec.deniedUsers of lab/matlab).",
        ],
    ),
    "a full pool names the users of whom one stop is enough": Case(
        (pool(minimumHold="1h"), HOLDERS, *workbenches("ann", "bob", "dora")), "dora", Phase.WAITING, "seats",
        [
            "dora waits for a seat of lab/matlab: position 1 of 1, since 08:55.",
            "All 2 seats are taken.",
            MUST_STOP,
            "A seat would come at once if one of these stopped now: bob (i-00000002).",
            TOO_FEW,
        ],
    ),
    "the second in line needs two stops": Case(
        (
            pool(), ledger(assigned={"ann": 3 * HOUR, "bob": 2 * HOUR}, waiting={"dora": 5, "eve": 4}),
            *workbenches("ann", "bob", "dora", "eve"),
        ),
        "eve", Phase.WAITING, "seats",
        [
            "eve waits for a seat of lab/matlab: position 2 of 2, since 08:56.",
            "All 2 seats are taken.",
            "Nobody can say when: 2 of those who have a seat must stop first.",
            "A seat would come at once if these stopped now: ann (i-00000001), bob (i-00000002).",
            TOO_FEW,
        ],
    ),
    "a seat that lingers comes at a known time": Case(
        (
            pool(seats=1, linger="15m"), ledger(assigned={"ann": 2 * HOUR}, idle={"ann": 5}, waiting={"dora": 1}),
            workbench("dora"),
        ),
        "dora", Phase.WAITING, "seats",
        [
            "dora waits for a seat of lab/matlab: position 1 of 1, since 08:59.",
            "All 1 seats are taken.",
            "If nobody starts or stops a workbench before, dora has a seat at 09:10.",
            TOO_FEW,
        ],
    ),
    "a cool-down is named with its end": Case(
        (
            pool(seats=1, seatCoolDown="1h"), ledger(waiting={"dora": 5}, vacated=[{"user": "ann", "at": ago(10)}]),
            workbench("dora"),
        ),
        "dora", Phase.WAITING, "seatCoolDown",
        [
            "dora waits for a seat of lab/matlab: position 1 of 1, since 08:55.",
            "1 of 1 seats are free, but others had them lately: spec.seatCoolDown (1h) blocks the next of them until 09:50.",
            "If nobody starts or stops a workbench before, dora has a seat at 09:50.",
        ],
    ),
    "a spent budget is named with what is used": Case(
        (
            pool(seats=1, maxReassignments={"count": 2, "window": "365d"}),
            ledger(
                waiting={"dora": 5}, vacated=[{"user": "ann", "at": ago(10)}],
                reassignments=[{"user": "bob", "at": ago(364 * DAY)}, {"user": "eve", "at": ago(100 * DAY)}],
            ),
            workbench("dora"),
        ),
        "dora", Phase.WAITING, "maxReassignments",
        [
            "dora waits for a seat of lab/matlab: position 1 of 1, since 08:55.",
            "1 of 1 seats are free, but others had them: 2 of the 2 changes that spec.maxReassignments permits in 365d are "
            "used.",
            "If nobody starts or stops a workbench before, dora has a seat at 2026-03-10 09:00.",
        ],
    ),
    "a readmission block is named with its end": Case(
        (
            pool(readmitAfter="1d"),
            ledger(assigned={"ann": HOUR}, waiting={"dora": 5}, left=[{"user": "dora", "at": ago(21 * HOUR)}]),
            *workbenches("ann", "dora"),
        ),
        "dora", Phase.WAITING, "readmitAfter",
        [
            "dora waits for a seat of lab/matlab: position 1 of 1, since 08:55.",
            "dora left the list lately: spec.readmitAfter (1d) permits no return before 12:00.",
            "If nobody starts or stops a workbench before, dora has a seat at 12:00.",
        ],
    ),
    "a reservation is named with the seats that it keeps": Case(
        (
            pool(reservations=[{"name": "phd", "userPattern": "phd-*", "seats": 1}]),
            ledger(assigned={"ann": HOUR}, waiting={"dora": 5}), *workbenches("ann", "dora"),
        ),
        "dora", Phase.WAITING, "reservations",
        [
            "dora waits for a seat of lab/matlab: position 1 of 1, since 08:55.",
            "1 of 2 seats are free, and kept for others: 1 for reservation phd.",
            MUST_STOP,
            "A seat would come at once if one of these stopped now: ann (i-00000001).",
            "No estimate: spec.reservations of lab/matlab also decides.",
        ],
    ),
    "a suspended pool gives no time": Case(
        (pool(seats=1, suspend=True), ledger(assigned={"ann": HOUR}, waiting={"dora": 5}), *workbenches("ann", "dora")),
        "dora", Phase.WAITING, "seats",
        [
            "dora waits for a seat of lab/matlab: position 1 of 1, since 08:55.",
            "All 1 seats are taken.",
            "Nothing changes before what stands in the way is gone.",
        ],
    ),
    "a pool without a ledger has not decided": Case(
        (pool(), workbench("dora")), "dora", Phase.UNDECIDED, None,
        ["dora needs a seat of lab/matlab, and the operator has not decided about it yet."],
    ),
    "a user whose workbench stopped needs no seat": Case(
        (pool(), ledger(), workbench("dora", state="stopped")), "dora", Phase.NONE, None,
        ["dora has no seat of lab/matlab and needs none: no workbench that it serves is active."],
    ),
}  # fmt: skip


def explained(*objects: Raw, user: str, pool_name: str | None = None) -> Explanation:
    return why(seen(server(), *objects), user, pool=pool_name, written={}, times=TIMES)


def only_pool(found: Explanation) -> PoolExplanation:
    (one,) = found.pools
    return one


@pytest.mark.parametrize("name", CASES)
def test_the_explanation_names_the_state_the_rule_and_the_times(name: str) -> None:
    case = CASES[name]
    found = only_pool(explained(*case.objects, user=case.user))
    assert texts(found.messages) == case.lines
    assert found.phase is case.phase
    assert found.decided_by == (case.decided_by and f"LicensePool lab/matlab, spec.{case.decided_by}")


WELL = {Phase.ASSIGNED, Phase.NONE}


@pytest.mark.parametrize("name", CASES)
def test_only_a_user_who_has_a_seat_or_needs_none_is_well(name: str) -> None:
    case = CASES[name]
    well = case.phase in WELL and "Nothing changes before what stands in the way is gone." not in case.lines
    assert explained(*case.objects, user=case.user).is_well is well


def test_a_held_change_keeps_the_seat_of_a_user_whose_time_is_over() -> None:
    guarded = server(conditions={"Guarded": "True TooManyReleases 9 of 12"})
    cluster = seen(guarded, pool(seats=1), ledger(assigned={"ann": HOUR}, idle={"ann": 1}))
    found = only_pool(why(cluster, "ann", pool=None, written={}, times=TIMES))
    assert texts(found.messages) == [
        "ann has a seat of lab/matlab since 08:00.",
        "No workbench is running; the seat stays only because a change is held for approval.",
    ]
    assert (found.reason, found.decided_by) == ("TooManyReleases", "LicenseServer lab/licenses")


def test_while_a_change_is_held_no_stop_helps() -> None:
    guarded = server(conditions={"Guarded": "True TooManyReleases 9 of 12"})
    cluster = seen(
        guarded, pool(seats=1), ledger(assigned={"ann": HOUR}, waiting={"dora": 5}), *workbenches("ann", "dora")
    )
    found = only_pool(why(cluster, "dora", pool=None, written={}, times=TIMES))
    assert texts(found.messages)[2:] == ["No seat comes free before what stands in the way is gone."]


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        pytest.param(SeatPhase.ASSIGNED, Phase.ASSIGNED, id="the workbench shows the seat as assigned"),
        pytest.param(SeatPhase.RELEASING, Phase.ASSIGNED, id="the workbench shows that the seat is being released"),
        pytest.param(SeatPhase.WAITING, Phase.PENDING, id="the workbench shows that the list is pending"),
    ],
)
def test_a_workbench_status_confirms_a_seat_while_another_change_is_on_its_way(
    phase: SeatPhase, expected: Phase
) -> None:
    cluster = seen(server(), pool(conditions=NOT_IN_SYNC), ledger(assigned={"ann": 20}), workbench("ann"))
    written = {"lab/i-00000001": (WorkbenchSeat(pool="lab/matlab", phase=phase, reason="Granted"),)}
    assert only_pool(why(cluster, "ann", pool=None, written=written, times=TIMES)).phase is expected


@pytest.mark.parametrize("name", ["ann", "ANN@corp.example", r"CORP\Ann"])
def test_every_spelling_of_a_name_has_the_same_explanation(name: str) -> None:
    found = explained(pool(), ledger(assigned={"ann": 20}), workbench(r"CORP\ann"), user=name)
    assert (found.user, only_pool(found).phase) == ("ann", Phase.ASSIGNED)


def test_a_workbench_of_a_type_without_a_pool_is_named() -> None:
    found = explained(pool(), workbench("dora", kind="vew-unknown"), user="dora")
    assert texts(found.messages) == [
        "Workbench lab/i-00000001 is of type vew-unknown, and no pool serves that type in namespace lab."
    ]
    assert not found.is_well


def test_an_owner_that_cannot_be_a_user_id_is_named_with_its_workbench() -> None:
    (line,) = texts(explained(pool(), workbench("dora smith"), user="dora smith").messages)
    assert line.startswith("Workbench lab/i-00000001, spec.owner: user id 'dora smith' cannot be put on a list")


def test_a_user_without_workbench_seat_or_wait_is_unknown() -> None:
    assert texts(explained(pool(), user="nora").messages) == [
        "nora has no workbench and no seat in the cluster, and waits for none."
    ]
    found = why(seen(server(), pool()), "nora", pool=None, written={}, times=TIMES, where="namespace lab")
    assert texts(found.messages) == [
        "nora has no workbench and no seat in namespace lab, and waits for none.",
        "Name another namespace with -n, or look everywhere with -A.",
    ]
    assert not found.is_well


def test_only_pools_that_concern_the_user_are_explained() -> None:
    others = (pool("cad"), ledger("cad", assigned={"bob": 5}), pool("cfd", protectedUsers=["ann"]))
    found = explained(pool(), ledger(assigned={"ann": 20}), workbench("ann"), *others, user="ann")
    assert [one.pool for one in found.pools] == ["lab/cfd", "lab/matlab"]


def test_a_pool_that_is_asked_about_by_name_is_always_explained() -> None:
    found = explained(pool(), ledger(), pool("cad"), workbench("ann"), user="ann", pool_name="cad")
    assert [(one.pool, one.phase) for one in found.pools] == [("lab/cad", Phase.NONE)]


def test_a_pool_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    with pytest.raises(SeatpoolError, match="there is no LicensePool cad; there are: matlab"):
        explained(pool(), user="ann", pool_name="cad")


def test_times_for_programs_stand_beside_the_messages() -> None:
    case = CASES["a seat that lingers comes at a known time"]
    found = only_pool(explained(*case.objects, user="dora"))
    assert (found.since, found.earliest, found.expected) == (at(-1), at(10), at(10))
    assert (found.position, found.waiting) == (1, 1)


def test_the_names_in_json_stay_as_they_are() -> None:
    case = CASES["a suspended pool gives no time"]
    found = data(explained(*case.objects, user="dora"))
    assert set(found) == {"user", "workbenches", "pools", "said"}
    assert found["pools"][0]["said"][0]["id"] == "Waits"
    assert found["pools"][0]["obstacles"][0]["said"]["id"] == "Suspended"


def test_a_workbench_that_does_not_run_is_no_complaint() -> None:
    """Not its type that no pool serves, and not its owner that is no user id."""
    for stopped in (workbench("jo", kind="vew-unknown", state="stopped"), workbench("jo smith", state="terminated")):
        found = explained(pool(), stopped, user=stopped["spec"]["owner"])
        assert texts(found.messages) == [
            f"{stopped['spec']['owner']} needs no seat: no workbench is running, but i-00000001 is {stopped['spec']['state']}."
        ]
        assert found.is_well


def test_a_workbench_is_explained_by_its_name() -> None:
    objects = (
        pool(), ledger(assigned={"ann": 20}), pool("cad"), ledger("cad", assigned={"ann": 20}),
        workbench("ann"), workbench("ann", number=2, kind="vew-cad"),
    )  # fmt: skip
    for name in ("i-00000002", "lab/i-00000002"):
        found = explained(*objects, user=name)
        assert (found.user, [one.pool for one in found.pools]) == ("ann", ["lab/cad"])


def of_status(owner: str, user: str, *, number: int = 1) -> Raw:
    return workbench(owner, number=number) | {"status": {"user": user}}


@pytest.mark.parametrize(
    ("pairs", "name", "user"),
    [
        pytest.param({"olga": "e777"}, "olga", "e777", id="a mapped owner"),
        pytest.param({"olga": "e777"}, "Olga@corp.example", "e777", id="a mapped owner in another spelling"),
        pytest.param({"olga": "e777"}, "e777", "e777", id="the user of a mapped owner"),
        pytest.param({"olga": "E777"}, "E777", "E777", id="a user in capitals"),
        pytest.param({"Ann": "Ann", "bob": "bob"}, "Ann", "Ann", id="names are not folded"),
        pytest.param({"ann@a": "ann@a", "ann@b": "ann@b"}, "ann@b", "ann@b", id="domains are not stripped"),
    ],
)
def test_the_user_id_is_that_of_the_operator_without_its_settings(pairs: dict[str, str], name: str, user: str) -> None:
    rows = [of_status(owner, to, number=number) for number, (owner, to) in enumerate(pairs.items(), start=1)]
    found = explained(
        pool(protectedUsers=[*pairs]), ledger(assigned=dict.fromkeys(pairs.values(), 20)), *rows, user=name
    )
    assert (found.user, only_pool(found).phase, only_pool(found).reason) == (user, Phase.ASSIGNED, "Protected")


def test_a_name_that_may_be_several_users_is_refused() -> None:
    rows = (of_status("ann@a", "ann@a"), of_status("ann@b", "ann@b", number=2))
    with pytest.raises(SeatpoolError, match="ann may be ann@a, ann@b: name one of them"):
        explained(pool(), *rows, user="ann")


def test_the_condition_of_the_list_before_does_not_confirm_a_seat() -> None:
    """The ledger is written before the list, and the pool's status a moment later."""
    before, with_ann = list_hash(()), list_hash(("ann",))
    for shown, phase in ((before, Phase.PENDING), (with_ann, Phase.ASSIGNED)):
        found = explained(pool(status={"listHash": shown}), ledger(assigned={"ann": 1}), workbench("ann"), user="ann")
        assert only_pool(found).phase is phase


def test_the_status_of_an_earlier_seat_does_not_confirm_this_one() -> None:
    cluster = seen(server(), pool(), ledger(assigned={"ann": 20}), workbench("ann"))
    for since, phase in ((at(-60), Phase.PENDING), (at(-20), Phase.ASSIGNED)):
        seat = WorkbenchSeat(pool="lab/matlab", phase=SeatPhase.ASSIGNED, since=since, reason="Granted")
        found = why(cluster, "ann", pool=None, written={"lab/i-00000001": (seat,)}, times=TIMES)
        assert only_pool(found).phase is phase
