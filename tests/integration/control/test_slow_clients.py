"""A vendor's client that hangs for one product, or is slow for all, keeps no other user from a seat for long."""

from datetime import UTC, datetime

from tests.integration.control.conftest import Stage
from tests.waiting import eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer


async def test_a_client_that_hangs_for_one_product_stops_no_other_is_named_and_is_tried_less_and_less(
    stage: Stage,
) -> None:
    stage.host.faults(sleep_apply=300, fail_product="ansys")
    stage.apply(stage.server(timeout="6s"), *(stage.pool(name) for name in ("ansys", "matlab", "vew")))
    stage.apply(stage.workbench(1, "ann", type="vew-ansys"), stage.workbench(2, "bob"))
    async with stage.operator():
        await stage.until_list(["bob"], seconds=60)
        message = await stage.until_condition(
            LicensePool, "ansys", "InSync", status="False", reason="ApplyFailed", seconds=60
        )
        assert "product 'ansys'" in message
        assert "stopped after" in message
        await stage.until_condition(LicenseServer, "licenses", "Reachable", status="True")
        for number, user in enumerate(("cem", "dora"), start=3):
            began = stage.commands()
            stage.apply(stage.workbench(number, user, type="vew-vew"))
            await stage.until_list(["cem", "dora"][: number - 2], product="vew", seconds=60)
            assert stage.commands() - began <= 4, "one command of its own, and the ones that were under way"
        stage.host.faults()
        stage.plane.kubectl(
            "annotate", "licenseserver/licenses", "-n", stage.namespace,
            f"seatpool.io/verify={datetime.now(UTC).isoformat()}",
        )  # fmt: skip
        await stage.until_list(["ann"], product="ansys", seconds=30)
        await stage.until_ready("ansys", seconds=60)
        await eventually(lambda: bool(stage.events("ListRecovered")), seconds=60)


async def test_slow_products_whose_sum_is_beyond_the_time_limit_all_have_their_list_in_the_end(stage: Stage) -> None:
    products = [f"p{number:02}" for number in range(12)]
    stage.host.faults(sleep_apply=0.6, sleep_list=0.6)
    stage.apply(stage.server(timeout="5s"), *(stage.pool(name) for name in products))
    stage.apply(*(stage.workbench(number, "ann", type=f"vew-{name}") for number, name in enumerate(products, start=1)))
    async with stage.operator():
        for name in products:
            await stage.until_list(["ann"], product=name, seconds=120)
        for name in products:
            await stage.until_ready(name, seconds=120)
        assert not stage.events("ApplyFailed"), "a product that was late in company has not failed"
