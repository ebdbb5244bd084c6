"""What is new to an open page: no more than what changed, and never less."""

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from seatpool.web.pages.fragments import Fragment, Shown, container

rows = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), max_size=6)


def table(found: dict[str, int]) -> Fragment:
    made = (Fragment(key, Markup(f'<tr id="{key}">{value}</tr>')) for key, value in found.items())
    return container("tbody", "table", made)


def test_at_first_everything_is_new() -> None:
    assert set(Shown().news([table({"a": 1}), Fragment("x", Markup("x"))])) == {"table", "x"}


def test_a_row_comes_by_itself_if_the_others_stay() -> None:
    shown = Shown()
    shown.news([table({"a": 1, "b": 1})])
    assert set(shown.news([table({"a": 1, "b": 2})])) == {"b"}
    assert shown.news([table({"a": 1, "b": 2})]) == {}


def test_the_whole_comes_if_a_row_comes_or_goes() -> None:
    shown = Shown()
    shown.news([table({"a": 1, "b": 1})])
    assert set(shown.news([table({"a": 1})])) == {"table"}
    assert set(shown.news([table({"a": 1, "b": 1})])) == {"table"}


@given(st.lists(st.tuples(rows, st.integers(0, 3)), max_size=12))
def test_a_page_that_takes_what_is_new_shows_what_there_is(steps: list[tuple[dict[str, int], int]]) -> None:
    shown, tables, other = Shown(), {}, ""
    for found, value in steps:
        fragments = [table(found), Fragment("x", Markup(str(value)))]
        for id_, html in shown.news(fragments).items():
            if id_ == "table":
                tables = {row.id: row.html for row in fragments[0].rows}
            elif id_ == "x":
                other = html
            else:
                assert id_ in tables
                tables[id_] = html
        assert list(tables.values()) == [row.html for row in fragments[0].rows]
        assert other == str(value)
