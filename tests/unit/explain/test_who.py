"""Who has a seat of a pool and who waits, with what a license admin asks about each of them."""

from io import StringIO

from rich.console import Console
from tests.unit.explain.cluster import (
    HOUR,
    NOW,
    TIMES,
    Raw,
    at,
    ledger,
    pool,
    pool_in,
    seen,
    server,
    workbench,
    workbenches,
)

from seatpool.cli.who_screen import who_screen
from seatpool.explain.who import Who, who

THREE_HOURS = {"seatLengths": {"seats": 57, "seconds": [3 * 3600] * 11}}


def asked(*objects: Raw) -> Who:
    cluster = seen(server(), *objects)
    return who(cluster, pool_in(cluster), times=TIMES)


def printed(found: Who, *, wide: bool = False) -> list[str]:
    screen = Console(file=StringIO(), width=200, color_system=None)
    who_screen([found], console=screen, wide=wide, times=TIMES)
    assert isinstance(screen.file, StringIO)
    return [" ".join(line.split()) for line in screen.file.getvalue().splitlines() if line.strip()]


def office() -> Who:
    """Two seats: ann works for an hour, bob stopped five minutes ago; dora and eve wait."""
    return asked(
        pool(linger="15m", status=THREE_HOURS),
        ledger(assigned={"ann": HOUR, "bob": 2 * HOUR}, idle={"bob": 5}, waiting={"dora": 9, "eve": 5}),
        *workbenches("ann", "dora", "eve"),
    )


def test_holders_have_since_type_idle_and_end() -> None:
    found = office()
    assert [(one.user, one.since, one.types, one.idle_since, one.until) for one in found.holders] == [
        ("bob", at(-120), (), at(-5), at(10)),
        ("ann", at(-60), ("vew-matlab",), None, None),
    ]


def test_the_line_has_a_position_and_an_estimate_for_each_user() -> None:
    found = office()
    assert [(one.user, one.position, one.reason) for one in found.waiting] == [
        ("dora", 1, "PoolFull"), ("eve", 2, "PoolFull"),
    ]  # fmt: skip
    first, second = (one.likely for one in found.waiting)
    assert first is not None
    assert second is not None
    assert (first.begin, first.end) == (at(10), at(10))
    assert (second.begin, second.end) == (at(120), at(120))


def test_the_screen_has_a_line_for_each_user() -> None:
    assert printed(office()) == [
        "lab/matlab: 2 of 2 seats used, 2 waiting",
        "USER SINCE TYPE IDLE UNTIL",
        "bob 07:00 - 5 min 09:10",
        "ann 08:00 vew-matlab - -",
        "LINE USER SINCE TYPE REASON PROBABLY",
        "1 dora 08:51 vew-matlab PoolFull 09:10",
        "2 eve 08:55 vew-matlab PoolFull 11:00",
    ]


def test_the_wide_screen_names_the_workbenches_and_the_reason() -> None:
    lines = printed(office(), wide=True)
    assert "ann 08:00 vew-matlab - - Granted i-00000001" in lines
    assert "2 eve 08:55 vew-matlab PoolFull 11:00 i-00000003" in lines


def test_why_there_is_no_estimate_is_said_once() -> None:
    found = asked(pool(seats=1), ledger(assigned={"ann": HOUR}, waiting={"dora": 5}), *workbenches("ann", "dora"))
    assert printed(found)[-1] == "No estimate yet: lab/matlab has 0 finished seats; 20 are needed."


def test_a_denied_user_and_what_blocks_the_pool_are_named() -> None:
    found = asked(pool(deniedUsers=["eve"], suspend=True), ledger(), *workbenches("eve"))
    assert printed(found) == [
        "lab/matlab: 0 of 2 seats used, 0 waiting",
        "Denied (spec.deniedUsers): eve",
        "Pool lab/matlab is suspended: people on the list keep working; new ones get no seat.",
    ]


def test_a_user_about_whom_the_operator_has_not_decided_has_no_position() -> None:
    found = asked(pool(), ledger(assigned={"ann": HOUR}), *workbenches("ann", "dora"))
    assert [(one.user, one.position, one.since, one.reason) for one in found.waiting] == [
        ("dora", None, NOW, "Undecided")
    ]


def test_types_of_all_workbenches_of_a_user_are_named_once() -> None:
    found = asked(
        pool(workbenchTypes=["vew-*"]), ledger(assigned={"ann": HOUR}),
        workbench("ann", number=1, kind="vew-b"), workbench("ann", number=2, kind="vew-a"),
        workbench("ann", number=3, kind="vew-a"),
    )  # fmt: skip
    assert [(one.types, len(one.workbenches)) for one in found.holders] == [(("vew-a", "vew-b"), 3)]
