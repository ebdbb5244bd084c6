"""What every answer says first, and what a repeated one says again."""

import pytest

from seatpool.cli.heading import Heading
from seatpool.explain.operator_life import Life, OperatorLife
from seatpool.terminal.output import Output

LATE = OperatorLife(life=Life.LATE, text="Operator a was last alive 2 min ago.")
ALIVE = OperatorLife(life=Life.ALIVE, text="Operator b is alive.")


@pytest.mark.parametrize(
    ("again", "shown"),
    [(False, [LATE.text, ALIVE.text, "Looked at namespace lab.", "answer"]), (True, [LATE.text, "answer"])],
    ids=["at first", "in --watch"],
)
def test_users_see_the_operators_first_and_again_those_that_died(
    capsys: pytest.CaptureFixture[str], again: bool, shown: list[str]
) -> None:
    heading = Heading((LATE, ALIVE), "namespace lab")
    heading.write({}, output=Output.TABLE, screen=lambda console, _wide: console.print("answer"), again=again)
    assert capsys.readouterr().out.splitlines() == shown


def test_programs_get_the_answer_alone_and_a_warning_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    Heading((LATE, ALIVE), "namespace lab").write({"a": 1}, output=Output.JSON, screen=lambda _console, _wide: None)
    out, err = capsys.readouterr()
    assert out.split() == ["{", '"a":', "1", "}"]
    assert err == f"seatpool: {LATE.text}\n"
