"""Foreign text reaches no terminal raw, whatever the form of the answer."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.padding import Padding
from rich.text import Text

from seatpool.terminal.output import Output, console, table, write
from seatpool.terminal.say import json_text, say

PACKAGE = Path(__file__).resolve().parents[3] / "operator" / "seatpool"
EVIL = "vew-\x1b]0;pwned\x1b\\\x1b[2J\u202efalse\nrow\r\x9b\x7f\u2028"
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
PRINTERS = {"terminal/output.py", "terminal/say.py"}
HARMLESS = {
    "cli/main.py",  # CRDs, the SSM document, versions and paths
    "cli/verbs.py",  # paths
    "cli/plan.py",  # an HTML page
    "cli/export.py",  # JSON that is escaped
    "cli/command_classes.py",  # the names of two commands
}


def is_clean(printed: str) -> bool:
    return printed.replace("\n", "").isprintable()


@QUICK
@given(TEXTS)
@example(EVIL)
def test_no_screen_shows_a_control_character_or_a_false_line(text: str) -> None:
    shown = console(markup=False)
    drawn = table("NAME", "OTHER", fold=True, title=text)
    drawn.add_row(text, Text.assemble("a ", (text, "bold red"), " z"))
    with shown.capture() as captured:
        for one in (text, Text(text), Padding(Text(text), (0, 0, 0, 2)), drawn):
            shown.print(one, soft_wrap=True)
    assert is_clean(captured.get())


def test_a_text_with_line_breaks_is_one_row() -> None:
    shown = console()
    drawn = table("NAME")
    drawn.add_row(Text("ann\nbob\n\x1b[31mroot"))
    with shown.capture() as captured:
        shown.print(drawn)
    assert [line.rstrip() for line in captured.get().splitlines()] == ["NAME", r"ann\nbob\n\x1b[31mroot"]


def test_the_style_of_an_escaped_text_stays_where_it_was() -> None:
    shown = console()
    with shown.capture() as captured:
        shown.print(Text.assemble(("\x1b", "green"), ("ann", "red")))
    assert captured.get() == "\\x1bann\n"


@QUICK
@given(text=TEXTS)
@example(text=EVIL)
def test_programs_read_the_very_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for output, read in ((Output.JSON, json.loads), (Output.YAML, yaml.safe_load)):
        capsys.readouterr()
        write({"text": text, text: "key"}, output=output, screen=lambda *_: None)
        printed = capsys.readouterr().out
        assert is_clean(printed)
        assert read(printed) in ({"text": text, text: "key"}, {text: "key"})


@given(st.text(alphabet=st.characters()))
@example(EVIL)
def test_json_is_printable_and_says_the_same(text: str) -> None:
    assert is_clean(json_text([text]))
    assert json.loads(json_text([text])) == [text]


def test_a_line_is_escaped_and_keeps_its_line_feeds(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\ntwo\x1b[2J", err=True)
    assert capsys.readouterr().err == "one\ntwo\\x1b[2J\n"


def test_nothing_is_printed_past_the_two_modules_that_escape() -> None:
    ways = ("typer.echo(", " print(", "sys.stdout.write", "Console(", "=typer.echo")
    found = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        if any(way in file.read_text(encoding="utf-8") for way in ways) and "sim" not in file.relative_to(PACKAGE).parts
    }
    assert found <= PRINTERS | HARMLESS
