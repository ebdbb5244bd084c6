"""The example of docs/backends/scim.md, on a real service."""

from collections.abc import Callable
from pathlib import Path

import yaml
from tests.integration.backends.scim.lists import PRODUCT, write
from tests.integration.backends.scim.scim_service import Service

from seatpool.api.licenseserver import LicenseServer
from seatpool.servers.command_result import Result
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.factory import secret_keys

PAGE = Path(__file__).resolve().parents[4] / "docs" / "backends" / "scim.md"


async def test_the_example_of_the_page_writes_the_list_that_it_says(
    service: Service, backend: Callable[..., DirectBackend]
) -> None:
    manifest = yaml.safe_load(PAGE.read_text().partition("<<'END'\n")[2].partition("\nEND\n")[0])
    manifest["metadata"]["namespace"] = "seatpool"
    server = LicenseServer.model_validate(manifest)
    settings = server.spec.scim
    assert settings is not None
    assert secret_keys(server.spec) == {("scim", "token")}
    service.add_users("ann@example.com", "bob@example.com")
    group = service.add_group(f"licensed-{PRODUCT}")
    made = backend(group=settings.group, token=settings.token, names=server.spec.names)
    result = await write(made, "ann", "carl")
    assert (result.result, result.users, set(result.unlistable)) == (Result.APPLIED, ("ann",), {"carl"})
    assert service.names(group) == ["ann@example.com"]
