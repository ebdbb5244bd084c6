"""Messages that say nothing for sure: what each kind makes of its published sample, and of everything else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.messages.parsed import (
    Askable,
    IgnoreReason,
    Irrelevant,
    KindName,
    Malformed,
    RecheckRequest,
    RejectReason,
)
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.names import ec2_instance
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CONFIG = MirrorConfig(accounts=(AccountConfig(account="123456789012", regions=("us-east-1",)),))
REGISTRY = Registry(CONFIG, ServedRegions(CONFIG), TypeAliases({}))
SAMPLES = {
    path.stem: json.loads(path.read_text()) for path in sorted((Path(__file__).parent / "samples").glob("*.json"))
}
KINDS = ("scaling_action", "scaling_termination", "spot_interruption", "tag_change")


def parse(document: Any) -> object:
    return REGISTRY.parse(json.dumps(document), now=NOW)


def retagged(**detail: Any) -> dict[str, Any]:
    sample: dict[str, Any] = SAMPLES["tag_change"]
    return sample | {"detail": sample["detail"] | {name.replace("_", "-"): value for name, value in detail.items()}}


def test_every_kind_has_its_sample() -> None:
    assert tuple(SAMPLES) == KINDS


@pytest.mark.parametrize(
    ("kind", "instance", "wait"),
    [
        ("spot_interruption", "i-0b662ef9931388ba0", timedelta(minutes=2)),
        ("scaling_action", "i-1234567890abcdef0", timedelta(minutes=2)),
        ("scaling_termination", "i-1234567890abcdef0", timedelta(0)),
    ],
)
def test_an_instance_that_is_about_to_end_is_asked_about_when_there_is_something_to_see(
    kind: str, instance: str, wait: timedelta
) -> None:
    at = datetime(2026, 1, 5, 8, 59, tzinfo=UTC)
    request = RecheckRequest(
        source=ec2_instance(instance), account="123456789012", region="us-east-1", at=at, wait=wait
    )
    assert parse(SAMPLES[kind]) == Askable(KindName(kind), request)


def test_a_change_of_our_tags_is_asked_about_when_ec2s_answer_surely_covers_it() -> None:
    answer = parse(SAMPLES["tag_change"])
    assert isinstance(answer, Askable)
    assert answer.kind is KindName.TAG_CHANGE
    assert answer.request.source.reference == "i-0000000aaaaaaaaab"
    assert answer.request.retagged
    assert answer.request.due == datetime(2018, 9, 18, 20, 41, 38, tzinfo=UTC) + CONFIG.describe_lag


@pytest.mark.parametrize("keys", [["Name", "team"], ["seatpool:seat"]])
def test_a_change_of_other_tags_and_of_the_one_that_we_write_costs_no_question(keys: list[str]) -> None:
    assert parse(retagged(changed_tag_keys=keys)) == Irrelevant(KindName.TAG_CHANGE, IgnoreReason.OTHER_TAGS)


@pytest.mark.parametrize("other", [{"service": "s3"}, {"resource_type": "volume"}, {"resource_type": None}])
def test_a_change_of_tags_of_something_else_is_dropped(other: dict[str, Any]) -> None:
    assert parse(retagged(**other)) == Irrelevant(KindName.TAG_CHANGE, IgnoreReason.OTHER_RESOURCE)


@pytest.mark.parametrize(
    "resources",
    [None, [], "i-1", [7], ["arn:aws:ec2:us-east-1:123456789012:instance/i-1; rm"], ["a", "b"], [["x"]]],
)
def test_a_change_of_tags_that_does_not_name_one_instance_is_refused(resources: Any) -> None:
    answer = parse(SAMPLES["tag_change"] | {"resources": resources})
    assert isinstance(answer, Malformed)
    assert answer.reason is RejectReason.BAD_FIELD


@pytest.mark.parametrize("keys", [None, "vew:workbench:ownerId", [1], [["vew:workbench:ownerId"]], {}])
def test_changed_keys_that_are_no_list_of_strings_are_refused(keys: Any) -> None:
    answer = parse(retagged(changed_tag_keys=keys))
    assert isinstance(answer, Malformed)
    assert answer.reason is RejectReason.BAD_FIELD


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_time_breaks_no_reader(kind: str) -> None:
    answer = parse(SAMPLES[kind] | {"time": "9999-12-31T23:59:59.999Z"})
    assert isinstance(answer, Askable)
    assert (answer.request.due, answer.request.claimed_at) == (
        NOW,
        datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_account_that_is_not_listed_is_refused_and_named(kind: str) -> None:
    answer = parse(SAMPLES[kind] | {"account": "999999999999"})
    assert isinstance(answer, Malformed)
    assert (answer.reason, answer.unknown) == (RejectReason.UNKNOWN_ACCOUNT, ("999999999999", "us-east-1"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.data(), json_values)
def test_no_value_in_any_field_can_make_parsing_raise(data: st.DataObject, value: object) -> None:
    document = json.loads(json.dumps(SAMPLES[data.draw(st.sampled_from(KINDS))]))
    target = data.draw(st.sampled_from([document, document["detail"]]))
    target[data.draw(st.sampled_from(sorted(target)))] = value
    assert isinstance(parse(document), Askable | Irrelevant | Malformed)
