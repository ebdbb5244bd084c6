"""A fleet's events are events to the mirror, and its instances are instances to EC2."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from seatpool.api.workbench import InstanceState
from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.messages.parsed import Actionable, StateReport
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.sim.aws import AwsStandIn
from seatpool.sim.aws_control import AwsControlError
from seatpool.sim.fleet import OWNER_TAG, TYPE_TAG
from seatpool.sim.posting import DeliveryFaults
from seatpool.sim.site import Site

OTHER_ACCOUNT = "222222222222"


def bodies(site: Site) -> list[str]:
    found: list[str] = []
    sqs = site.client("sqs")
    while messages := sqs.receive_message(QueueUrl=site.queue_url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=site.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def hints(site: Site, *accounts: str) -> list[StateReport]:
    served = [
        AccountConfig(account=account, regions=(site.region,), namespace="default")
        for account in accounts or [site.account]
    ]
    config = MirrorConfig(queue=site.queue, region=site.region, accounts=tuple(served))
    registry = Registry(config, ServedRegions(config), TypeAliases({}))
    found = []
    for body in bodies(site):
        parsed = registry.parse(body, now=datetime.now(UTC))
        assert isinstance(parsed, Actionable), parsed
        found.append(parsed.report)
    return found


def test_a_life_is_told_in_eight_events_that_the_mirror_reads(site: Site) -> None:
    with site.fleet() as fleet:
        workbench = fleet.start("ann", "vew-simulink")
        fleet.stop(workbench)
        fleet.start_again(workbench)
        fleet.terminate(workbench)
    told = hints(site)
    assert {hint.source.reference for hint in told} == {workbench}
    life = "pending running stopping stopped pending running shutting-down terminated"
    assert [hint.state for hint in sorted(told, key=lambda hint: hint.at)] == list(map(InstanceState, life.split()))
    assert all((hint.owner, hint.account, hint.region) == (None, site.account, site.region) for hint in told)


def test_custom_events_say_whose_the_workbench_is(site: Site) -> None:
    with site.fleet(custom_events=True) as fleet:
        fleet.start("ann", "vew-simulink")
    assert {(hint.owner, hint.type) for hint in hints(site)} == {("ann", "vew-simulink")}


def test_events_may_tell_whole_seconds_as_ec2s_do(site: Site) -> None:
    with site.fleet(whole_seconds=True) as fleet:
        fleet.start("ann")
    assert all(hint.at.microsecond == 0 for hint in hints(site))


def instance(site: Site, instance_id: str) -> dict[str, Any]:
    found = site.client("ec2").describe_instances(InstanceIds=[instance_id])
    first: dict[str, Any] = found["Reservations"][0]["Instances"][0]
    return first


@pytest.mark.parametrize("owner", ["$(reboot)", "a\nb", "'; rm -rf /; '", "x" * 256, " ", "Jörg Müller", "{{ Text }}"])
def test_an_owner_may_be_called_whatever_ec2_takes(site: Site, owner: str) -> None:
    with site.fleet() as fleet:
        workbench = fleet.start(owner, tags={"Extra": "1"})
    tags = {tag["Key"]: tag["Value"] for tag in instance(site, workbench)["Tags"]}
    assert tags == {OWNER_TAG: owner, TYPE_TAG: "vew-matlab", "Extra": "1"}


def test_a_workbench_may_have_no_owner(site: Site) -> None:
    with site.fleet() as fleet:
        workbench = fleet.start(None)
    assert [tag["Key"] for tag in instance(site, workbench)["Tags"]] == [TYPE_TAG]


def test_the_instances_are_in_the_states_that_the_events_end_with(site: Site) -> None:
    with site.fleet() as fleet:
        workbench = fleet.start("ann")
        assert instance(site, workbench)["State"]["Name"] == "running"
        fleet.stop(workbench)
        assert instance(site, workbench)["State"]["Name"] == "stopped"
        fleet.start_again(workbench)
        assert instance(site, workbench)["State"]["Name"] == "running"
        fleet.terminate(workbench)
        assert instance(site, workbench)["State"]["Name"] == "terminated"


def test_a_fleet_of_another_account_posts_to_the_first_ones_queue(site: Site, stand_in: AwsStandIn) -> None:
    other = Site(stand_in, account=OTHER_ACCOUNT)
    with other.fleet(queue_url=site.queue_url) as fleet:
        workbench = fleet.start("ann")
    assert {hint.account for hint in hints(site, OTHER_ACCOUNT)} == {OTHER_ACCOUNT}
    assert instance(other, workbench)["State"]["Name"] == "running"
    with pytest.raises(ClientError, match="InvalidInstanceID"):
        instance(site, workbench)


def test_events_get_lost_twice_and_late_by_the_seed(site: Site) -> None:
    with site.fleet(troubles=DeliveryFaults(lose=1.0)) as fleet:
        workbench = fleet.start("ann")
        assert (bodies(site), fleet.lost) == ([], 2)
        fleet.troubles = DeliveryFaults(duplicate=1.0, delay=(0.05, 0.2))
        fleet.stop(workbench)
        fleet.wait_until_posted()
    assert sorted(hint.state for hint in hints(site)) == sorted(
        2 * [InstanceState("stopping"), InstanceState("stopped")]
    )


def test_a_fleet_draws_from_the_randomness_that_it_is_given(site: Site) -> None:
    arrived = []
    for _ in range(2):
        with site.fleet(troubles=DeliveryFaults(lose=0.5), randomness=random.Random(5)) as fleet:
            for _ in range(10):
                fleet.announce("i-0123456789abcdef0", "running")
            arrived.append((len(bodies(site)), fleet.lost))
    assert arrived[0] == arrived[1]
    assert 0 < arrived[0][0] < 10


def test_a_message_that_nobody_takes_ends_in_the_dead_letter_queue(site: Site) -> None:
    with site.fleet() as fleet:
        fleet.post([{"not": "an event"}])
    sqs = site.client("sqs")
    for _ in range(4):
        sqs.receive_message(QueueUrl=site.queue_url, VisibilityTimeout=0)
    assert (site.waiting_events(), site.dead_letters()) == (0, 1)


def test_terminated_instances_are_forgotten_when_it_is_ordered_and_others_are_not(
    site: Site, stand_in: AwsStandIn
) -> None:
    with site.fleet() as fleet:
        gone, stopped, kept = (fleet.start(user) for user in ("ann", "bob", "cleo"))
        fleet.terminate(gone)
        fleet.stop(stopped)
        fleet.terminate(kept)
    stand_in.control.forget_instances(gone)
    with pytest.raises(AwsControlError, match=f"{stopped} is not terminated"):
        stand_in.control.forget_instances(stopped, kept)
    pages = site.client("ec2").get_paginator("describe_instances").paginate()
    found = {
        one["InstanceId"]: one["State"]["Name"]
        for page in pages
        for reservation in page["Reservations"]
        for one in reservation["Instances"]
    }
    assert gone not in found
    assert (found[stopped], found[kept]) == ("stopped", "terminated")


def test_a_request_with_unknown_ids_is_refused_with_all_of_them(site: Site) -> None:
    with site.fleet() as fleet:
        known = fleet.start("ann", "vew-matlab")
        unknown = [f"i-{number:017x}" for number in range(1, 4)]
        with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound") as refused:
            site.client("ec2").describe_instances(InstanceIds=[known, *unknown])
    message = str(refused.value)
    assert all(one in message for one in unknown)
    assert known not in message
