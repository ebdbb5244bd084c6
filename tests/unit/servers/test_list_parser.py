import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatpool.api.list_backends import ListFormat, ListFormatType
from seatpool.servers.ssm import list_parser
from seatpool.servers.ssm.list_parser import LONGEST_LINE, MOST_ODD, MOST_ODD_TEXT, UnreadableList, parse_listing

USERS = st.lists(st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}"), fullmatch=True))
LINES = ListFormat()


def as_json(**settings: object) -> ListFormat:
    return ListFormat.model_validate({"type": "Json", **settings})


def as_regex(pattern: str | None) -> ListFormat:
    return ListFormat(type=ListFormatType.REGEX, pattern=pattern)


@pytest.mark.parametrize(
    ("text", "form", "passed_over"),
    [
        ("Users:\n user07 (seat 7)\n", as_regex(r"^user: (\S+)$"), ("Users:", " user07 (seat 7)")),
        ("# user07\n# user08\n", ListFormat(ignore="^#"), ("# user07", "# user08")),
        ("user: ann\nmore\n", as_regex(r"^user: (\S+)$"), ()),
        ("Joe Doe\n", LINES, ()),
        ("\n \r\n", as_regex(r"^user: (\S+)$"), ()),
        ("[]", as_json(), ()),
    ],
    ids=[
        "no line matches",
        "all lines are ignored",
        "one matches",
        "one is odd",
        "nothing is printed",
        "an empty array",
    ],
)
def test_lines_without_any_entry_are_kept(text: str, form: ListFormat, passed_over: tuple[str, ...]) -> None:
    assert parse_listing(text, form).passed_over == passed_over


@given(USERS)
def test_users_are_read_from_each_format_sorted_and_once(users: list[str]) -> None:
    expected = tuple(sorted(set(users)))
    assert parse_listing("".join(f" {user}\r\n\n" for user in users), LINES).users == expected
    assert parse_listing(json.dumps(users), as_json()).users == expected
    nested = json.dumps({"a": {"b": [{"id": user} for user in users]}})
    assert parse_listing(nested, as_json(path=["a", "b"], field="id")).users == expected
    assert parse_listing("".join(f"user: {user}\n" for user in users), as_regex(r"^user: (\S+)$")).users == expected


@given(st.text(), st.sampled_from([LINES, as_json(), as_json(path=["a"], field="b"), as_regex("^(.*)$")]))
def test_whatever_is_printed_is_read_or_refused_and_never_breaks_us(text: str, form: ListFormat) -> None:
    try:
        listing = parse_listing(text, form)
    except UnreadableList:
        return
    assert len(listing.odd) <= MOST_ODD + 1


def test_entries_that_are_no_user_ids_stay_visible() -> None:
    listing = parse_listing("ann\nJoe Doe\n$(id)\n", LINES)
    assert listing.users == ("ann",)
    assert listing.odd == ("$(id)", "Joe Doe")


def test_a_whole_list_of_entries_that_are_no_user_ids_is_kept() -> None:
    entries = [f"user {n} (named user, seat {n}, department {'x' * 100})" for n in range(MOST_ODD)]
    assert parse_listing("\n".join(entries), LINES).odd == tuple(sorted(entries))


def test_what_is_beyond_the_limits_is_counted_and_told_apart_by_its_hash() -> None:
    entries = [f"user {n:05}" for n in range(MOST_ODD + 7)]
    odd = parse_listing("\n".join(entries), LINES).odd
    assert odd[:-1] == tuple(entries[:MOST_ODD])
    assert odd[-1].startswith("(7 more entries, not kept, SHA-256 ")
    assert parse_listing("\n".join([*entries[:-1], "zoe doe"]), LINES).odd != odd, "another list is another one"
    long = [f"{n:04} {'x' * LONGEST_LINE}"[:LONGEST_LINE] for n in range(3000)]
    odd = parse_listing("\n".join(long), LINES).odd
    assert odd[:-1] == tuple(long[: MOST_ODD_TEXT // LONGEST_LINE])
    assert odd[-1].startswith(f"({3000 - MOST_ODD_TEXT // LONGEST_LINE} more entries")


def test_an_entry_that_is_too_long_says_what_is_not_kept() -> None:
    (entry,) = parse_listing("x" * (LONGEST_LINE + 88), LINES).odd
    assert entry.startswith("x" * LONGEST_LINE + " (88 more characters, not kept, SHA-256 ")
    (other,) = parse_listing("x" * (LONGEST_LINE + 87) + "y", LINES).odd
    assert other != entry


def test_lines_that_are_to_be_ignored_are() -> None:
    assert parse_listing("# users\nann\n", ListFormat(ignore="^#")).users == ("ann",)


def test_elements_of_other_kinds_are_odd() -> None:
    listing = parse_listing('["ann", 1, null, {"id": "bob"}, true]', as_json())
    assert listing.users == ("ann",)
    assert listing.odd == ("(a number)", "(a truth value)", "(an object)", "(nothing)")


@pytest.mark.parametrize(
    ("text", "form", "told"),
    [
        ("not json", as_json(), "no JSON"),
        ("[" * 100_000, as_json(), "no JSON"),
        ("[" + "9" * 5000 + "]", as_json(), "no JSON"),
        ("{}", as_json(path=["users"]), "no key 'users'"),
        ('{"users": "ann"}', as_json(path=["users"]), "leads to a string instead of an array"),
        ("ann", as_regex(None), "needs a pattern"),
    ],
)
def test_a_list_that_is_not_in_the_format_is_refused_with_the_field(text: str, form: ListFormat, told: str) -> None:
    with pytest.raises(UnreadableList, match=told):
        parse_listing(text, form)


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("pattern", "(", "missing \\)"),
        ("pattern", "ann", "has no group"),
        ("ignore", "[", "listFormat.ignore '\\['"),
        ("pattern", "^(?=a)(.*)$", "look-around"),
        ("pattern", r"(a)\1", "RE2"),
        ("pattern", "(((a{900}){900}){900})", "repetition"),
        ("ignore", r"^#\Z", "written"),
    ],
)
def test_an_expression_that_cannot_run_in_linear_time_is_refused_in_the_spec(field: str, text: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ListFormat.model_validate({"type": "Regex", "pattern": "(.*)", field: text})


@pytest.mark.parametrize("pattern", [r"^((?:\w+\s?)+):$", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"^(a*)*!$", r"(x+x+)+y"])
def test_a_list_that_would_run_for_ever_in_a_backtracking_engine_is_read_at_once(pattern: str) -> None:
    began = time.process_time()
    for form in (as_regex(pattern), ListFormat(ignore=pattern)):
        parse_listing(("a" * 400 + " !\n" + "x" * 400 + "\n") * 1000, form)
    assert time.process_time() - began < 5


def test_a_search_that_takes_long_all_the_same_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_parser, "LONGEST_SEARCH", 0.05)
    slow = as_regex("(?:.?){300}(?:[a-c]*.{100})(x)")
    with pytest.raises(UnreadableList, match="took longer than"):
        parse_listing("\n".join("ab" * 250 for _ in range(200_000)), slow)


@given(st.text(alphabet=st.characters(), min_size=1))
def test_an_odd_entry_is_shown_without_anything_that_could_deceive(text: str) -> None:
    for entry in parse_listing(text, LINES).odd:
        assert entry.isprintable()


@given(st.text(alphabet=st.characters()))
def test_half_surrogates_break_no_expression(text: str) -> None:
    parse_listing(text, as_regex("^(.*)$"))
    parse_listing(text, ListFormat(ignore="^#"))
