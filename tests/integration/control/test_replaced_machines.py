"""A machine that another one replaces costs its user no seat, and the license server no command."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.control.conftest import Stage
from tests.waiting import eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.workbench import Workbench
from seatpool.sim.fleet import Fleet
from seatpool.sim.vew import OWNER_TAG, PRODUCT_TAG, ProductKind, launch_tags

PRODUCT = "AUTOSAR Workbench"


def fleet_of_vew(stage: Stage) -> Fleet:
    return stage.site.fleet(owner_tag=OWNER_TAG, type_tag=PRODUCT_TAG)


def launch(fleet: Fleet, owner: str, version: str) -> str:
    return fleet.start(owner, PRODUCT, tags=launch_tags(owner, PRODUCT, ProductKind.WORKBENCH, version=version))


def new_first(fleet: Fleet, before: str) -> str:
    """CloudFormation replaces an instance: the new one runs, and the old one goes."""
    after = launch(fleet, "T0011AA", "1.1.0")
    fleet.terminate(before)
    return after


def old_first(fleet: Fleet, before: str) -> str:
    """The user stopped the workbench before the update."""
    fleet.stop(before)
    fleet.terminate(before)
    return launch(fleet, "T0011AA", "1.1.0")


def swapped(fleet: Fleet, before: str) -> str:
    """The events of the new machine come before those of the old one, which are late."""
    after = launch(fleet, "T0011AA", "1.1.0")
    fleet.announce(before, "running")
    fleet.terminate(before)
    fleet.announce(before, "terminated", "shutting-down")
    return after


async def given(stage: Stage, workbench: str) -> bool:
    found = await stage.get(Workbench, workbench) or {}
    conditions: list[dict[str, Any]] = found.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


@pytest.mark.parametrize("replace", [new_first, old_first, swapped])
async def test_an_update_of_vew_that_replaces_the_instance_costs_no_seat_and_no_command(
    stage: Stage, replace: Callable[[Fleet, str], str]
) -> None:
    pool = stage.pool(seats=1, linger="15m", workbenchTypes=["AUTOSAR?Workbench"])
    stage.apply(stage.server(verifyInterval="1h"), pool)
    mirror = stage.mirror_settings(inventory=True, profile="vew", sources=["EC2"])
    with fleet_of_vew(stage) as fleet:
        async with stage.operator(mirror=mirror):
            before = launch(fleet, "T0011AA", "1.0.0")
            await stage.until_list(["t0011aa"])
            await eventually(lambda: given(stage, before))
            other = launch(fleet, "T0022BB", "1.0.0")

            async def waits() -> bool:
                return (await stage.pool_status()).get("waiting") == 1

            await eventually(waits, what="another user waits for the only seat")
            commands = stage.commands()
            after = replace(fleet, before)
            await eventually(lambda: given(stage, after))

            async def has_ended() -> bool:
                found = await stage.get(Workbench, before)
                return found is None or found["spec"]["state"] == "terminated"

            await eventually(has_ended)
            await asyncio.sleep(1)  # time for a command that should not come
            assert stage.host.users("matlab") == ("t0011aa",)
            assert stage.commands() == commands
            assert not await given(stage, other)
            assert await stage.get(LicensePool, "matlab") is not None
