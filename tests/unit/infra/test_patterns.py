"""Events as AWS sends them, against the rules; the matching is moto's."""

import json
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from seatpool.api.workbench import SourceKind
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.messages import hub_instance, hub_task
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases
from seatpool_infra.patterns import accepted, forwarded
from seatpool_infra.site import Site

SAMPLES = Path(__file__).parents[1] / "mirror" / "samples"
OF_A_HUB = {(kind.SOURCE, kind.DETAIL_TYPE) for kind in (hub_instance, hub_task)}
"""The hub of another platform makes these, and they do not come from accounts with workbenches."""
STATE_CHANGE = {
    "source": "aws.ec2",
    "detail-type": "EC2 Instance State-change Notification",
    "account": "444455556666",
    "detail": {"instance-id": "i-0123456789abcdef0", "state": "running"},
}


def forwards(site: Site, event: Any) -> bool:
    return any(EventPattern.load(json.dumps(each.pattern)).matches_event(event) for each in forwarded(site))


def accepts(site: Site, event: Any) -> bool:
    return bool(EventPattern.load(json.dumps(accepted(site).pattern)).matches_event(event))


def samples() -> list[Any]:
    return [STATE_CHANGE, *(json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json")))]


@pytest.mark.parametrize("event", samples(), ids=lambda event: event["detail-type"])
def test_an_event_that_the_mirror_understands_travels_the_whole_way(example: Site, event: dict[str, Any]) -> None:
    changed = {"changed-tag-keys": [example.tag_owner]} if event["source"] == "aws.tag" else {}
    event = event | {"account": "444455556666", "detail": event["detail"] | changed}
    assert forwards(example, event)
    assert accepts(example, event)


def test_the_events_of_an_account_that_is_not_listed_end_at_the_bus(example: Site) -> None:
    assert not accepts(example, STATE_CHANGE | {"account": "999999999999"})


@pytest.mark.parametrize(
    "change",
    [
        {"changed-tag-keys": ["Name"]},
        {"service": "s3"},
        {"resource-type": "volume"},
    ],
)
def test_changes_of_other_tags_and_other_things_stay_in_their_account(example: Site, change: dict[str, Any]) -> None:
    event = json.loads((SAMPLES / "tag_change.json").read_text())
    detail = event["detail"] | {"changed-tag-keys": [example.tag_type]}
    assert forwards(example, event | {"detail": detail})
    assert not forwards(example, event | {"detail": detail | change})


def test_other_events_of_ec2_stay_in_their_account(example: Site) -> None:
    assert not forwards(example, STATE_CHANGE | {"detail-type": "EBS Volume Notification"})


def test_custom_events_travel_only_where_the_site_has_them(example: Site, small: dict[str, Any]) -> None:
    custom = Site.model_validate(small | {"custom_events": {}})
    event = {"source": "vew.workbench", "detail-type": "Workbench State Change", "account": "111122223333"}
    assert forwards(custom, event)
    assert accepts(custom, event)
    assert not forwards(example, event)


def test_events_of_tasks_travel_only_where_tasks_are_workbenches(example: Site, small: dict[str, Any]) -> None:
    event = STATE_CHANGE | {"source": "aws.ecs", "detail-type": "ECS Task State Change", "account": "111122223333"}
    containers = Site.model_validate(small | {"profile": "vew"})
    assert forwards(containers, event)
    assert accepts(containers, event)
    assert not forwards(example, event)


def test_no_reader_of_the_mirror_is_forgotten(small: dict[str, Any]) -> None:
    site = Site.model_validate(small | {"custom_events": {}, "sources": ["EC2", "ECS"]})
    config = MirrorConfig(sources=(SourceKind.EC2, SourceKind.ECS))
    known = set(Registry(config, ServedRegions(config), TypeAliases({}))._readers) - OF_A_HUB
    pattern = accepted(site).pattern
    assert {source for source, _ in known} == set(pattern["source"])
    assert {detail_type for _, detail_type in known} == set(pattern["detail-type"])
