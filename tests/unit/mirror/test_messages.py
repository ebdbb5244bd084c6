"""What a message means, and that nobody can break the reader."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.workbench import InstanceState
from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.messages.parsed import (
    Actionable,
    IgnoreReason,
    Irrelevant,
    KindName,
    Malformed,
    RejectReason,
    StateReport,
)
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.names import ec2_instance
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CONFIG = MirrorConfig(accounts=(AccountConfig(account="111122223333", regions=("us-west-1", "eu-central-1")),))
REGISTRY = Registry(CONFIG, ServedRegions(CONFIG), TypeAliases({}))

STATE_CHANGE: dict[str, Any] = {  # the sample of the EC2 user guide
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "111122223333",
    "time": "2021-11-11T21:29:54Z",
    "region": "us-west-1",
    "resources": ["arn:aws:ec2:us-west-1:111122223333:instance/i-abcd1111"],
    "detail": {"instance-id": "i-abcd1111", "state": "pending"},
}
WORKBENCH: dict[str, Any] = {  # a line of the published pipeline's events
    "version": "0",
    "id": "a04e44c8-4548-5e29-ab27-1b320f3ce92e",
    "detail-type": "Workbench State Change",
    "source": "vew.workbench",
    "account": "111122223333",
    "time": "2022-06-09T10:25:38Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {
        "user-id": "u77c522",
        "workbench-type": "vew-matlab",
        "workbench-state": "running",
        "instance-id": "i-69c958aa85162caea",
    },
}


def parse(body: str) -> object:
    return REGISTRY.parse(body, now=NOW)


def changed(sample: dict[str, Any], **fields: Any) -> str:
    return json.dumps(sample | {name.replace("_", "-"): value for name, value in fields.items()})


def detail(sample: dict[str, Any], **fields: Any) -> str:
    return changed(sample, detail=sample["detail"] | {name.replace("_", "-"): value for name, value in fields.items()})


def reject_reason(body: str) -> RejectReason:
    answer = parse(body)
    assert isinstance(answer, Malformed), answer
    return answer.reason


def test_ec2s_own_event_names_instance_state_and_time() -> None:
    assert parse(json.dumps(STATE_CHANGE)) == Actionable(
        KindName.STATE_CHANGE,
        StateReport(
            source=ec2_instance("i-abcd1111"),
            account="111122223333",
            region="us-west-1",
            state=InstanceState.PENDING,
            at=datetime(2021, 11, 11, 21, 29, 54, tzinfo=UTC),
        ),
    )


def test_the_pipelines_event_says_whose_the_instance_is_too() -> None:
    assert parse(json.dumps(WORKBENCH)) == Actionable(
        KindName.WORKBENCH,
        StateReport(
            source=ec2_instance("i-69c958aa85162caea"),
            account="111122223333",
            region="eu-central-1",
            state=InstanceState.RUNNING,
            at=datetime(2022, 6, 9, 10, 25, 38, tzinfo=UTC),
            owner="u77c522",
            type="vew-matlab",
        ),
    )


def test_a_site_may_have_named_its_custom_event_otherwise() -> None:
    config = CONFIG.model_copy(update={"custom_source": "corp.vdi", "custom_detail_type": "Bench"})
    answer = Registry(config, ServedRegions(config), TypeAliases({})).parse(
        changed(WORKBENCH, source="corp.vdi", detail_type="Bench"), now=NOW
    )
    assert isinstance(answer, Actionable)


@pytest.mark.parametrize("sample", [STATE_CHANGE, WORKBENCH])
@pytest.mark.parametrize("other", [{"source": "aws.health"}, {"detail-type": "EC2 Instance Rebalance Recommendation"}])
def test_other_kinds_are_dropped_on_purpose(sample: dict[str, Any], other: dict[str, str]) -> None:
    assert parse(json.dumps(sample | other)) == Irrelevant(KindName.UNKNOWN, IgnoreReason.UNKNOWN_KIND)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", RejectReason.NOT_JSON),
        ("not json", RejectReason.NOT_JSON),
        ("[" * 200_000, RejectReason.NOT_JSON),
        ('{"a": ' * 5_000, RejectReason.NOT_JSON),
        ('{"source": NaN}', RejectReason.NOT_JSON),
        ('{"source": -Infinity}', RejectReason.NOT_JSON),
        ('{"source": ' + "9" * 10_000 + "}", RejectReason.NOT_JSON),
        ('{"source": "a", "source": "b"}', RejectReason.DUPLICATE_KEY),
        ("[]", RejectReason.NOT_AN_ENVELOPE),
        ("null", RejectReason.NOT_AN_ENVELOPE),
        ("{}", RejectReason.NOT_AN_ENVELOPE),
        ('{"source": ["aws.ec2"], "detail-type": {}}', RejectReason.NOT_AN_ENVELOPE),
        (" " * (256 * 1024 + 1), RejectReason.TOO_LARGE),
        ("ä" * (128 * 1024 + 1), RejectReason.TOO_LARGE),
        ("x" * 1024 * 1024, RejectReason.TOO_LARGE),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_no_envelope_is_refused_with_its_flaw(body: str, expected: RejectReason) -> None:
    assert reject_reason(body) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (changed(STATE_CHANGE, account="11112222333"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, account=111122223333), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, account="111122223333\n"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, account="١١١١٢٢٢٢٣٣٣٣"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, account="999999999999"), RejectReason.UNKNOWN_ACCOUNT),
        (changed(STATE_CHANGE, region="ap-south-1"), RejectReason.UNKNOWN_ACCOUNT),
        (changed(STATE_CHANGE, region="../../etc"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, time="yesterday"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, time="2021-11-11T21:29:54"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, time="2021-13-11T21:29:54Z"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, time="0001-01-01T00:00:00+14:00"), RejectReason.BAD_FIELD),
        (changed(STATE_CHANGE, detail="i-abcd1111"), RejectReason.BAD_FIELD),
        (detail(STATE_CHANGE, instance_id="i-ABCD1111"), RejectReason.BAD_FIELD),
        (detail(STATE_CHANGE, instance_id="i-abcd1111/../x"), RejectReason.BAD_FIELD),
        (detail(STATE_CHANGE, instance_id=None), RejectReason.BAD_FIELD),
        (detail(STATE_CHANGE, state=""), RejectReason.UNKNOWN_STATE),
        (detail(STATE_CHANGE, state="stop"), RejectReason.UNKNOWN_STATE),
        (detail(STATE_CHANGE, state="Running"), RejectReason.UNKNOWN_STATE),
        (detail(STATE_CHANGE, state=["running"]), RejectReason.UNKNOWN_STATE),
        (detail(WORKBENCH, workbench_state="started"), RejectReason.UNKNOWN_STATE),
        (detail(WORKBENCH, user_id=""), RejectReason.BAD_FIELD),
        (detail(WORKBENCH, user_id=7), RejectReason.BAD_FIELD),
        (detail(WORKBENCH, user_id="x" * 257), RejectReason.BAD_FIELD),
        (detail(WORKBENCH, user_id="half a pair \ud800"), RejectReason.BAD_FIELD),
        (detail(WORKBENCH, workbench_type=None), RejectReason.BAD_FIELD),
    ],
)
def test_a_field_that_is_wrong_is_refused_with_its_flaw(body: str, expected: RejectReason) -> None:
    assert reject_reason(body) is expected


def test_the_reason_names_the_field_and_the_value() -> None:
    answer = parse(detail(STATE_CHANGE, state="halted"))
    assert isinstance(answer, Malformed)
    assert answer.detail.startswith("field state: 'halted' is not one of pending, running")


def test_a_hostile_owner_is_passed_on_as_it_is_for_the_rules_to_refuse() -> None:
    answer = parse(detail(WORKBENCH, user_id="$(touch /tmp/x)\n; rm -rf /"))
    assert isinstance(answer, Actionable)
    assert answer.report.owner == "$(touch /tmp/x)\n; rm -rf /"


def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    ahead = (NOW + timedelta(minutes=4)).isoformat()
    assert isinstance(parse(changed(STATE_CHANGE, time=ahead)), Actionable)


def test_a_time_is_kept_as_finely_as_an_object_can_keep_it() -> None:
    answer = parse(changed(STATE_CHANGE, time="2021-11-11T22:29:54.123456789+01:00"))
    assert isinstance(answer, Actionable)
    assert answer.report.at == datetime(2021, 11, 11, 21, 29, 54, 123000, tzinfo=UTC)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
PATHS = [(name,) for name in STATE_CHANGE] + [("detail", name) for name in ("instance-id", "state")]


@given(st.text(st.characters(), max_size=300))
def test_no_text_can_make_parsing_raise(body: str) -> None:
    assert isinstance(parse(body), Malformed | Irrelevant)


@given(st.sampled_from(PATHS), json_values)
def test_no_value_in_any_field_can_make_parsing_raise(path: tuple[str, ...], value: object) -> None:
    document = json.loads(json.dumps(STATE_CHANGE))
    target = document if len(path) == 1 else document["detail"]
    target[path[-1]] = value
    assert isinstance(parse(json.dumps(document)), Actionable | Irrelevant | Malformed)


def test_a_type_by_another_name_becomes_the_pools_own_name_once() -> None:
    aliases = TypeAliases({"vew-matlab": "matlab", "matlab": "never"})
    answer = Registry(CONFIG, ServedRegions(CONFIG), aliases).parse(json.dumps(WORKBENCH), now=NOW)
    assert isinstance(answer, Actionable)
    assert answer.report.type == "matlab"


def test_a_report_of_the_future_counts_as_of_now_and_keeps_what_it_claimed() -> None:
    answer = parse(changed(STATE_CHANGE, time="2099-01-01T00:00:00Z"))
    assert isinstance(answer, Actionable)
    assert (answer.report.at, answer.report.claimed_at) == (NOW, datetime(2099, 1, 1, tzinfo=UTC))


def test_a_time_that_is_ahead_by_less_than_the_tolerance_is_believed() -> None:
    at = NOW + CONFIG.future_tolerance
    answer = parse(changed(STATE_CHANGE, time=at.isoformat().replace("+00:00", "Z")))
    assert isinstance(answer, Actionable)
    assert (answer.report.at, answer.report.claimed_at) == (at, None)
