"""Many accounts and regions at once, each by its own role: trouble in one is its own, and the list may change while it runs."""

import asyncio
from typing import Any

import pytest
from tests.integration.mirror.conftest import (
    ACCOUNT,
    REGION,
    Body,
    Stage,
    ago,
    state_change,
    workbench_event,
)
from tests.waiting import PATIENCE, eventually

from seatpool.mirror.health import InventoryHealth
from seatpool.mirror.mirror import Mirror

SECOND, THIRD = "111122223333", "444455556666"
ACCOUNTS = (ACCOUNT, SECOND, THIRD)
ELSEWHERE = "eu-west-1"
REGIONS = (REGION, ELSEWHERE)
ONE = "i-0123456789abcdef0"


def listed(stage: Stage, *numbers: str, **changes: Any) -> list[Body]:
    """Accounts as the settings list them, each with a role and an external id of its own."""
    return [
        {
            "account": number,
            "regions": list(REGIONS),
            "namespace": stage.namespace,
            "role_arn": f"arn:aws:iam::{number}:role/seatpool-reader",
            "external_id": f"seatpool-{number[:4]}",
        }
        | changes
        for number in numbers
    ]


def everywhere(stage: Stage, **changes: Any) -> Any:
    return stage.mirror(**({"accounts": listed(stage, *ACCOUNTS), "aws_timeout": "1s"} | changes))


def populate(stage: Stage) -> dict[tuple[str, str], str]:
    return {
        (account, region): stage.aws.start_instance(owner=f"user-{account}-{region}", account=account, region=region)
        for account in ACCOUNTS
        for region in REGIONS
    }


def stale(mirror: Mirror) -> dict[tuple[str, str], InventoryHealth]:
    return {(one.account, one.region): one for one in mirror.health.inventories if not one.fresh}


async def states(stage: Stage, instances: dict[tuple[str, str], str]) -> set[str | None]:
    return set(await asyncio.gather(*map(stage.state, instances.values())))


async def test_every_region_of_every_account_is_read_through_its_own_role(stage: Stage) -> None:
    instances = populate(stage)
    async with everywhere(stage) as mirror:
        await asyncio.wait_for(mirror.ready.wait(), PATIENCE)
        assert stale(mirror) == {}
        for (account, region), instance in instances.items():
            found = await stage.get(instance)
            assert found is not None
            spec = found["spec"]
            assert (spec["account"], spec["region"], spec["owner"]) == (account, region, f"user-{account}-{region}")


async def test_trouble_in_a_region_is_shown_there_releases_nobody_and_ends_by_itself(stage: Stage) -> None:
    instances = populate(stage)
    forbidden, throttled, silent = (SECOND, REGION), (THIRD, REGION), (THIRD, ELSEWHERE)
    for account, region in (forbidden, throttled, silent):
        stage.aws.start_instance(owner="stays", account=account, region=region)
    ask = "DescribeInstances"
    async with everywhere(stage) as mirror:
        await mirror.ready.wait()
        with (
            stage.gate.trouble(account=SECOND, region=REGION, operation=ask, code="UnauthorizedOperation"),
            stage.gate.trouble(account=THIRD, region=REGION, operation=ask, code="RequestLimitExceeded"),
            stage.gate.trouble(account=THIRD, region=ELSEWHERE, operation=ask),
        ):
            reasons = {forbidden: "AccessDenied", throttled: "Throttled", silent: "Unreachable"}
            await eventually(lambda: {place: one.reason for place, one in stale(mirror).items()} == reasons)
            for account, region in reasons:
                assert stage.metric("inventory_fresh", account=account, region=region) == 0
                stage.vanish(instances[account, region], account=account, region=region)
            stage.aws.client("ec2", ELSEWHERE, SECOND).stop_instances(InstanceIds=[instances[SECOND, ELSEWHERE]])
            await stage.until_state(instances[SECOND, ELSEWHERE], "stopped")
            assert await states(stage, {place: instances[place] for place in reasons}) == {"running"}
        await eventually(lambda: stale(mirror) == {})
        for place in reasons:
            await stage.until_state(instances[place], None)


async def test_a_region_that_does_not_answer_holds_up_no_message_of_another(stage: Stage) -> None:
    async with everywhere(stage, resync_interval="1h", receivers=1, visibility="30s") as mirror:
        await mirror.ready.wait()
        with stage.gate.trouble(account=SECOND, operation="DescribeInstances"):
            stage.aws.send(*(state_change(f"i-{n:017x}", "running", ago(1), account=SECOND) for n in range(30)))
            await eventually(lambda: stage.metric("handled_total", result="kept") >= 30)
            instance = stage.aws.start_instance(owner="ann")
            stage.aws.send(workbench_event(instance, "running", ago(1)))
            await stage.until_state(instance, "running")  # sooner than the region is asked again
        assert stage.aws.dead_letters() == 0


async def test_only_so_many_inventories_are_taken_at_the_same_time(stage: Stage) -> None:
    with stage.gate.trouble(operation="DescribeInstances", delay=0.2):
        async with everywhere(stage, inventory_concurrency=2) as mirror:
            await asyncio.wait_for(mirror.ready.wait(), PATIENCE)
    assert stage.gate.most_at_once["DescribeInstances"] == 2


async def test_an_account_that_is_added_is_served_at_once_and_nobody_is_released_before_it_was_read(
    stage: Stage,
) -> None:
    instances = populate(stage)
    async with everywhere(stage, accounts=listed(stage, ACCOUNT), resync_interval="1h") as mirror:
        await mirror.ready.wait()
        stage.aws.send(workbench_event(ONE, "running", ago(1), account=SECOND))
        await eventually(lambda: [str(one) for one in mirror.health.events.refused] == [f"{SECOND}/{REGION}"])
        assert stage.metric("refused_sources") == 1
        with stage.gate.trouble(account=SECOND, operation="DescribeInstances", code="UnauthorizedOperation"):
            config = stage.config(accounts=listed(stage, ACCOUNT, SECOND), resync_interval="1h", aws_timeout="1s")
            assert await mirror.reconfigure(config) == ()
            assert set(mirror.unknown_regions()) == {f"{SECOND}/{region}" for region in REGIONS}
        await stage.until_state(instances[SECOND, REGION], "running")
        await eventually(lambda: mirror.unknown_regions() == ())
        assert mirror.health.events.refused == ()
        new = stage.aws.start_instance(owner="eve", account=SECOND)
        stage.aws.send(workbench_event(new, "running", ago(1), account=SECOND))
        await stage.until_state(new, "running")


async def test_an_account_that_is_taken_out_releases_nobody_and_its_objects_are_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.mirror.workbenches.orphans.INTERVAL", 0.1)
    instances = populate(stage)
    async with everywhere(stage) as mirror:
        await mirror.ready.wait()
        await mirror.reconfigure(stage.config(accounts=listed(stage, ACCOUNT, THIRD), aws_timeout="1s"))
        stage.aws.send(workbench_event(instances[SECOND, REGION], "terminated", ago(0), account=SECOND))
        await eventually(lambda: stage.aws.dead_letters() == 1)
        await eventually(lambda: stage.metric("unlisted_objects") == 2)
        assert await states(stage, instances) == {"running"}
        assert not [one for one in mirror.health.inventories if one.account == SECOND]
        assert (
            stage.registry.get_sample_value("seatpool_mirror_inventory_fresh", {"account": SECOND, "region": REGION})
            is None
        )


async def test_an_account_that_gets_another_namespace_moves_its_objects_there(stage: Stage) -> None:
    other = f"{stage.namespace}-moved"
    stage.plane.kubectl("create", "namespace", other)
    runs, ends = (stage.aws.start_instance(owner=name) for name in ("ann", "bob"))
    async with everywhere(stage, accounts=listed(stage, ACCOUNT), resync_interval="200ms") as mirror:
        await mirror.ready.wait()
        stage.aws.client("ec2").terminate_instances(InstanceIds=[ends])
        config = stage.config(
            accounts=listed(stage, ACCOUNT, namespace=other), resync_interval="200ms", aws_timeout="1s"
        )
        await mirror.reconfigure(config)
        await stage.until_state(runs, None)
        await stage.until_state(ends, None)
        found = stage.plane.kubectl("get", "workbenches", "-n", other, "-o", "name")
        assert found.split() == [f"workbench.seatpool.io/{runs}"]
    stage.plane.kubectl("delete", "workbenches", "--all", "-n", other, "--wait=false")


async def test_a_new_alias_reaches_the_workbenches_that_run_already(stage: Stage) -> None:
    instance = stage.aws.start_instance(owner="ann", type="vew-matlab")
    accounts = listed(stage, ACCOUNT)
    async with everywhere(stage, accounts=accounts, resync_interval="1h") as mirror:
        await mirror.ready.wait()
        changes: dict[str, Any] = {"accounts": accounts, "resync_interval": "1h", "aws_timeout": "1s"}
        await mirror.reconfigure(stage.config(**changes, type_aliases={"vew-matlab": "matlab"}))

        async def renamed() -> bool:
            found = await stage.get(instance)
            return found is not None and found["spec"]["type"] == "matlab"

        await eventually(renamed)


async def test_what_cannot_be_changed_while_it_runs_is_named(stage: Stage) -> None:
    async with stage.mirror() as mirror:
        await mirror.ready.wait()
        config = stage.config(receivers=7, tag_owner="owner")
        assert set(await mirror.reconfigure(config)) == {"receivers", "tag_owner"}
