"""What a hub of the Virtual Engineering Workbench makes of AWS's events is understood."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from seatpool.api.workbench import InstanceState
from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.messages.parsed import Actionable, IgnoreReason, Irrelevant, KindName, Malformed, RejectReason
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases

NOW = datetime(2024, 1, 12, 14, 0, tzinfo=UTC)
SPOKE, HUB = "123456789013", "123456789012"
OWN_SOURCE = "proserve.workbench.catalogservice.prod"
INSTANCE: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "WorkbenchEC2StateChanged",
    "source": "aws.ec2",
    "account": SPOKE,
    "time": "2024-01-12T13:44:30Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789013:instance/i-abcd1111"],
    "detail": {"instanceId": "i-abcd1111", "state": "running", "accountId": SPOKE, "region": "us-east-1"},
}


def parse(event: dict[str, Any], **settings: Any) -> object:
    accounts = (AccountConfig(account=SPOKE, regions=("us-east-1",)),)
    config = MirrorConfig(accounts=accounts, **settings)
    return Registry(config, ServedRegions(config), TypeAliases({})).parse(json.dumps(event), now=NOW)


def test_an_instance_of_the_hub_is_that_of_its_own_account() -> None:
    parsed = parse(INSTANCE)
    assert isinstance(parsed, Actionable)
    assert parsed.kind is KindName.HUB_INSTANCE
    assert (parsed.report.account, parsed.report.region) == (SPOKE, "us-east-1")
    assert parsed.report.state is InstanceState.RUNNING
    assert parsed.report.owner is None


def test_an_event_of_aws_that_names_another_account_in_its_detail_is_refused() -> None:
    parsed = parse(INSTANCE | {"account": HUB})
    assert isinstance(parsed, Malformed)
    assert parsed.reason is RejectReason.BAD_FIELD
    assert HUB in parsed.detail
    assert SPOKE in parsed.detail


def test_the_hubs_own_source_is_believed_only_if_it_is_named() -> None:
    event = INSTANCE | {"source": OWN_SOURCE, "account": HUB}
    assert parse(event) == Irrelevant(KindName.UNKNOWN, IgnoreReason.UNKNOWN_KIND)
    parsed = parse(event, hub_sources=(OWN_SOURCE,))
    assert isinstance(parsed, Actionable)
    assert parsed.report.account == SPOKE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accountId": "1"}, RejectReason.BAD_FIELD),
        ({"accountId": None}, RejectReason.BAD_FIELD),
        ({"region": "nowhere"}, RejectReason.BAD_FIELD),
        ({"instanceId": "i-1"}, RejectReason.BAD_FIELD),
        ({"state": "RUNNING"}, RejectReason.UNKNOWN_STATE),
        ({"accountId": HUB}, RejectReason.UNKNOWN_ACCOUNT),
    ],
)
def test_a_field_that_cannot_be_is_refused(change: dict[str, Any], reason: RejectReason) -> None:
    parsed = parse(INSTANCE | {"source": OWN_SOURCE, "detail": INSTANCE["detail"] | change}, hub_sources=(OWN_SOURCE,))
    assert isinstance(parsed, Malformed)
    assert parsed.reason is reason
