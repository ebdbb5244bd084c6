"""What an event of ECS means, and which ARN and state cannot be."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.workbench import InstanceState
from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.ecs.task_arn import read_task_arn
from seatpool.mirror.ecs.task_state import STATES
from seatpool.mirror.event_order import ACTIVE
from seatpool.mirror.messages.parsed import Actionable, IgnoreReason, Irrelevant, KindName, Malformed, RejectReason
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.names import object_name
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases

NOW = datetime(2024, 1, 12, 14, 0, tzinfo=UTC)
ID = "c13b4cb40f1f4fe4a2971f76ae5a47ad"
ARN = f"arn:aws:ecs:us-west-2:111122223333:task/FargateCluster/{ID}"
TASK: dict[str, Any] = {
    "version": "0",
    "id": "3317b2af-7005-947d-b652-f55e762e571a",
    "detail-type": "ECS Task State Change",
    "source": "aws.ecs",
    "account": "111122223333",
    "time": "2024-01-12T13:57:58Z",
    "region": "us-west-2",
    "resources": [ARN],
    "detail": {
        "clusterArn": "arn:aws:ecs:us-west-2:111122223333:cluster/FargateCluster",
        "desiredStatus": "RUNNING",
        "lastStatus": "RUNNING",
        "taskArn": ARN,
        "version": 4,
    },
}
HUB: dict[str, Any] = TASK | {
    "detail-type": "WorkbenchContainerStateChanged",
    "detail": TASK["detail"] | {"accountId": "111122223333", "region": "us-west-2"},
}


def parse(event: dict[str, Any], **settings: Any) -> object:
    accounts = (AccountConfig(account="111122223333", regions=("us-west-2", "eu-west-1")),)
    config = MirrorConfig(accounts=accounts, **{"sources": ("ECS",)} | settings)
    return Registry(config, ServedRegions(config), TypeAliases({})).parse(json.dumps(event), now=NOW)


@pytest.mark.parametrize(("event", "kind"), [(TASK, KindName.TASK_STATE_CHANGE), (HUB, KindName.HUB_TASK)])
def test_a_task_and_its_state_are_read(event: dict[str, Any], kind: KindName) -> None:
    parsed = parse(event)
    assert isinstance(parsed, Actionable)
    assert parsed.kind is kind
    assert parsed.report.state is InstanceState.RUNNING
    assert parsed.report.source.reference == ARN
    assert object_name(parsed.report.source) == f"ecs-{ID}"
    assert parse(event, sources=("EC2",)) == Irrelevant(KindName.UNKNOWN, IgnoreReason.UNKNOWN_KIND)


def test_the_hubs_own_source_has_to_be_named() -> None:
    event = HUB | {"source": "lab.hub.prod", "account": "999999999999"}
    assert isinstance(parse(event), Irrelevant)
    parsed = parse(event, hub_sources=("lab.hub.prod",))
    assert isinstance(parsed, Actionable)
    assert parsed.report.account == "111122223333"


@pytest.mark.parametrize("event", [TASK, HUB])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"taskArn": ARN.replace("111122223333", "999999999999")}, RejectReason.BAD_FIELD),
        ({"taskArn": ARN.replace("us-west-2", "eu-west-1")}, RejectReason.BAD_FIELD),
        ({"taskArn": ARN.replace("FargateCluster/", "")}, RejectReason.BAD_FIELD),
        ({"taskArn": ARN + "\n"}, RejectReason.BAD_FIELD),
        ({"taskArn": [ARN]}, RejectReason.BAD_FIELD),
        ({"lastStatus": "running"}, RejectReason.UNKNOWN_STATE),
        ({"lastStatus": None}, RejectReason.UNKNOWN_STATE),
        ({"lastStatus": {}}, RejectReason.UNKNOWN_STATE),
    ],
)
def test_a_field_that_cannot_be_is_refused(event: dict[str, Any], change: dict[str, Any], reason: RejectReason) -> None:
    parsed = parse(event | {"detail": event["detail"] | change})
    assert isinstance(parsed, Malformed)
    assert parsed.reason is reason


def test_a_task_is_active_until_it_ends_and_never_again() -> None:
    assert [name for name, state in STATES.items() if state in ACTIVE] == [
        "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"
    ]  # fmt: skip
    assert {state for state in STATES.values() if state not in ACTIVE} == {
        InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED
    }  # fmt: skip


@given(st.text(max_size=80) | st.sampled_from([ARN, ARN.upper(), ARN[:-1], f"{ARN}0"]))
def test_only_an_arn_of_a_task_with_its_cluster_is_one(text: str) -> None:
    found = read_task_arn(text)
    assert (found is not None) == (text == ARN)
