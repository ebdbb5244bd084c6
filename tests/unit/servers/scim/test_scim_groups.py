"""What requests make of a group, as scim2-models carries them out, which others wrote."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import Group, PatchOp, ScimPolicy

from seatpool.servers.direct.difference import changes
from seatpool.servers.direct.target import Mark, MemberChange
from seatpool.servers.scim.groups import Way, entries_of, parts, patch, with_members

IDS = st.sampled_from(["a", "b", "c", 'd"e', "f\\", "x y", "é"])
MEMBERS = st.lists(IDS, max_size=6)
MARK = Mark(owner="site-a", revision=7)
POLICY = ScimPolicy(remove_value_as_filter=ScimPolicy.RemoveValue.apply)
"""Removals with a value are taken, as Entra sends them."""
PATCHES = [way for way in Way if way is not Way.PUT]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def group_of(members: list[str], **others: Any) -> dict[str, Any]:
    return {"id": "1", "displayName": "matlab", "members": [{"value": one} for one in members], **others}


@given(
    MEMBERS, st.lists(IDS, max_size=6, unique=True), st.sampled_from(PATCHES), st.sampled_from([None, "old", "mine"])
)
def test_a_patch_makes_the_wanted_list_of_any_list(
    present: list[str], wanted: list[str], way: Way, external_id: str | None
) -> None:
    (change,) = changes(present, wanted, mark=MARK, largest=None, placeholder=False)
    before = group_of(present, externalId="old") if external_id else group_of(present)
    body = patch(way, before, change, external_id)
    group = Group.model_validate(before)
    if body["Operations"]:
        PatchOp[Group].model_validate(body).patch(group, scim_policy=POLICY)
    assert Counter(one.value for one in group.members or ()) == Counter(wanted)
    assert group.external_id == external_id
    assert group.display_name == "matlab"


@given(MEMBERS, MEMBERS, st.integers(1, 5))
def test_parts_of_a_change_lead_to_the_same_list(present: list[str], wanted: list[str], largest: int) -> None:
    (change,) = changes(present, wanted, mark=MARK, largest=None, placeholder=False)
    have = Counter(present)
    found = parts(change, present, largest=largest)
    for part in found:
        assert len(part.add) + len(part.remove) <= max(largest, 1)
        have = have - Counter(part.remove) + Counter(part.add)
        assert Counter(part.whole) == have
        assert have.total() <= max(len(present), len(wanted))
    assert have == Counter(wanted)


@given(JSON, st.dictionaries(st.text(max_size=8), JSON, max_size=5), st.lists(IDS, max_size=5))
def test_a_replaced_group_keeps_everything_else(members: Any, others: dict[str, Any], wanted: list[str]) -> None:
    before = {**others, "members": members}
    after = with_members(before, wanted, None)
    assert {key: value for key, value in after.items() if key != "members"} == {
        key: value for key, value in before.items() if key != "members"
    }
    assert [one.value for one in entries_of(after)] == wanted
    assert with_members(before, wanted, "mark") == {**after, "externalId": "mark"}


def test_members_that_stay_keep_what_the_service_says_of_them() -> None:
    ann = {"value": "a", "display": "Ann", "$ref": "https://x/Users/a", "type": "User", "odd": [1]}
    before = {"members": [ann, {"value": "b"}, {"value": "a", "display": "second"}]}
    assert with_members(before, ["a", "c"], None)["members"] == [ann, {"value": "c"}]


@given(JSON)
def test_any_members_can_be_read(members: Any) -> None:
    for entry in entries_of({"members": members}):
        assert isinstance(entry.value, str)


@pytest.mark.parametrize(
    ("member", "is_group"),
    [
        ({"value": "a"}, None),
        ({"value": "a", "type": "User"}, False),
        ({"value": "a", "type": "Group"}, True),
        ({"value": "a", "type": "Device"}, True),
        ({"value": "a", "$ref": "https://x/v2/Groups/a"}, True),
        ({"value": "a", "$ref": "../Users/a"}, False),
        ({"value": "a", "$ref": "https://x/Groups/b/Users/a"}, False),
        ({"value": "a", "$ref": "a"}, False),
        ("a", None),
    ],
)
def test_a_member_says_whether_it_is_a_group(member: Any, is_group: bool | None) -> None:
    (entry,) = entries_of({"members": [member]})
    assert (entry.value, entry.is_group) == ("a", is_group)


def test_the_mark_is_the_first_operation() -> None:
    change = MemberChange(add=("a",), whole=("a",), mark=MARK)
    first = patch(Way.PATCH_PATH, {}, change, "mark")["Operations"][0]
    assert first == {"op": "add", "path": "externalId", "value": "mark"}
    first = patch(Way.PATCH_WHOLE, {"externalId": "x"}, change, "mark")["Operations"][0]
    assert first == {"op": "replace", "path": "externalId", "value": "mark"}
