"""Which machines are workbenches by their tags, for each profile and for keys of a site's own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.mirror.workbench_tags import TagReading, WorkbenchTags, keys_of_type
from seatpool.settings.settings import load_settings

LAUNCHED = {
    "UserTID": "T0011AA",
    "OwnerID": "T0011AA",
    "OwnerDomains": "d1:d2",
    "vew:provisionedProduct:ownerDomains": "d1:d2",
    "vew:provisionedProduct:productType": "WORKBENCH",
    "vew:provisionedProduct:id": "pp-1",
    "vew:provisionedProduct:ownerId": "T0011AA",
    "vew:provisionedProduct:versionName": "1.2.0",
    "vew:product:name": "AUTOSAR Workbench",
    "vew:product:versionName": "1.2.0",
    "vew:product:type": "WORKBENCH",
    "vew:product:category": "VirtualMachine",
}
VEW = MirrorConfig(profile="vew").tags  # type: ignore[arg-type]
NO_ALIASES = TypeAliases({})
tag = st.text(alphabet="abc:/.-_ =+@0", min_size=1, max_size=8)


def read(tags: WorkbenchTags, **changes: str | None) -> TagReading:
    found = LAUNCHED | {key.replace("__", ":"): value for key, value in changes.items() if value is not None}
    removed = {key.replace("__", ":") for key, value in changes.items() if value is None}
    return tags.read({key: value for key, value in found.items() if key not in removed}, NO_ALIASES)


def test_what_vew_launches_is_a_workbench_with_the_profile_and_nothing_else() -> None:
    reading = read(VEW)
    assert reading.is_workbench
    assert (reading.owner, reading.type) == ("T0011AA", "AUTOSAR Workbench")
    assert read(VEW, vew__product__type="CONTAINER").is_workbench


def test_a_virtual_target_is_excluded_and_a_machine_without_the_type_is_not_complete() -> None:
    assert read(VEW, vew__product__type="VIRTUAL_TARGET").excluded
    missing = read(VEW, vew__product__type=None)
    assert (missing.is_workbench, missing.excluded, missing.incomplete) == (False, False, True)


def test_the_published_tags_are_the_default_and_do_not_take_what_vew_launches() -> None:
    assert MirrorConfig().tags.keys == ("vew:workbench:ownerId", "vew:workbench:type")
    assert not read(MirrorConfig().tags).is_workbench


def test_a_profile_gives_way_to_every_key_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATPOOL_MIRROR__PROFILE", "vew")
    monkeypatch.setenv("SEATPOOL_MIRROR__TAG_TYPE", "{vew:product:name}/{vew:product:versionName}")
    monkeypatch.setenv("SEATPOOL_MIRROR__REQUIRE", "{}")
    tags = load_settings().mirror.tags
    assert (tags.owner, tags.require) == ("vew:provisionedProduct:ownerId", {})
    assert read(tags, vew__product__type="VIRTUAL_TARGET").type == "AUTOSAR Workbench/1.2.0"


def test_a_composed_type_is_translated_as_a_whole_and_needs_every_part() -> None:
    tags = WorkbenchTags(owner="o", type="{n}-{v}")
    aliases = TypeAliases({"matlab-2025b": "vew-matlab", "matlab": "wrong"})
    assert tags.read({"o": "ann", "n": "matlab", "v": "2025b"}, aliases).type == "vew-matlab"
    assert tags.read({"o": "ann", "n": "matlab"}, aliases).type is None
    assert tags.read({"o": "ann", "n": "matlab", "v": ""}, aliases).type is None


@given(parts=st.lists(tag, min_size=1, max_size=4), between=st.sampled_from(["", "/", " - ", "\\1", "$"]))
def test_a_type_is_composed_as_it_is_written(parts: list[str], between: str) -> None:
    template = between.join(f"{{{part}}}" for part in parts)
    assert keys_of_type(template) == tuple(parts)
    values = {part: f"<{number}\\g>" for number, part in enumerate(parts)}
    reading = WorkbenchTags(owner="owner!", type=template).read(values, NO_ALIASES)
    assert reading.type == between.join(values[part] for part in parts)


@given(
    require=st.dictionaries(tag, st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=3).map(tuple)),
    found=st.dictionaries(tag, st.text(max_size=4)),
)
def test_a_machine_is_a_workbench_only_if_no_required_tag_says_otherwise(
    require: dict[str, tuple[str, ...]], found: dict[str, str]
) -> None:
    tags = WorkbenchTags(owner="owner!", type="type!", require=require)
    reading = tags.read(found | {"owner!": "ann", "type!": "matlab"}, NO_ALIASES)
    assert reading.is_workbench == all(found.get(key) in values for key, values in require.items())
    assert not (reading.excluded and reading.is_workbench)
    by_filter = {one["Name"].removeprefix("tag:") for one in tags.ec2_filters() if one["Name"] != "tag-key"}
    assert by_filter == {key for key, values in require.items() if not any(set(v) & set("*?\\") for v in values)}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tag_type": "{a}/b}"}, "put each tag's key into braces"),
        ({"tag_type": "{}"}, "put each tag's key into braces"),
        ({"tag_type": "x" * 200}, "128 characters"),
        ({"require": {"t": []}}, "at least 1"),
        ({"profile": "azure"}, "'tags' or 'vew'"),
        ({"profile": "vew", "seat_tag": "vew:product:type"}, "name another tag"),
    ],
)
def test_tags_that_cannot_be_meant_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MirrorConfig.model_validate(settings)


def test_what_is_seen_instead_names_the_profile_that_would_find_it() -> None:
    assert MirrorConfig().tags.hint(frozenset(LAUNCHED)) == "mirror.profile: vew has such tags"
    assert VEW.hint(frozenset(LAUNCHED)) == ""
    assert "vew:product:type (WORKBENCH or CONTAINER)" in str(VEW)
