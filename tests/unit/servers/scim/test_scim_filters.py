"""Filters, read by the parser of scim2-models, which others wrote."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from scim2_models import ScimFilter, User

from seatpool.servers.scim.filters import any_of, batches, equals

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
HARD = st.sampled_from(
    ['"', "\\", '\\"', '" or userName pr or userName eq "', "\n", "\x00", "é", "\U0001f600", "(", "'"]
)


@given(TEXTS | HARD, TEXTS | HARD)
def test_a_filter_finds_the_user_with_the_value_and_no_other(value: str, other: str) -> None:
    found = ScimFilter[User](equals("externalId", value))
    assert found.match(User(user_name="a", external_id=value))
    assert found.match(User(user_name="a", external_id=other)) == (value == other)


@given(st.lists(TEXTS | HARD, min_size=1, max_size=8, unique=True), TEXTS)
def test_a_filter_of_several_values_finds_those_and_no_other(values: list[str], other: str) -> None:
    found = ScimFilter[User](any_of("externalId", values))
    for value in values:
        assert found.match(User(user_name="a", external_id=value))
    assert found.match(User(user_name="a", external_id=other)) == (other in values)


@given(st.lists(TEXTS, max_size=60), st.integers(10, 400))
def test_batches_have_all_values_in_order_and_fit_into_a_url(values: list[str], longest: int) -> None:
    found = list(batches("userName", values, longest=longest))
    assert [value for part in found for value in part] == values
    for part in found:
        assert part
        assert len(part) == 1 or len(quote(any_of("userName", part), safe="")) <= longest
