"""Event in, named-user list out."""

from tests.integration.control.conftest import Stage, event

from seatpool.api.licensepool import LicensePool


async def test_an_event_puts_its_owner_on_the_list_and_a_stop_takes_the_owner_off(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_ready()
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await stage.until_condition(LicensePool, "matlab", "InSync", status="True", reason="InSync")
        stage.send(event(1, "stopped", "ann"))
        await stage.until_list([])
