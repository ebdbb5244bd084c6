"""Lists as groups of Keycloak, by way of its SCIM service."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.conformance import has, run_one, write
from tests.integration.backends.site import LIST, TIMEOUT
from tests.peers.keycloak import Keycloak, KeycloakSite

from seatpool.api.list_names import ListNames
from seatpool.servers.command_result import Result
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.scim.groups import Way


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    server = Keycloak(Path(os.environ["SEATPOOL_KEYCLOAK"]), tmp_path_factory.mktemp("keycloak"))
    yield server
    server.close()


@pytest.fixture
async def site(keycloak: Keycloak) -> AsyncIterator[KeycloakSite]:
    site = KeycloakSite(keycloak)
    yield site
    await site.close()


@pytest.mark.parametrize("way", [Way.PUT, Way.PATCH_VALUES, Way.PATCH_WHOLE])
async def test_success_that_removes_nobody_is_found_and_the_list_is_written_in_another_way(
    site: KeycloakSite, way: Way
) -> None:
    site.add_users(("ann", "bob"))
    site.add_by_hand(LIST, ("ann", "bob"))
    target = site.target()
    target._proven = way  # the operator itself begins with the way that has an effect here
    backend = DirectBackend(target, names=ListNames(), timeout=TIMEOUT)
    result = await run_one(backend, write(1))
    assert (result.result, result.users) == (Result.APPLIED, ()), result
    assert result.detail == (
        "the server answered that the list is written, but 2 users who were removed are still on it; "
        "another way of writing it was tried"
    )
    has(site)
    assert target._proven is Way.PATCH_PATH
    assert (await run_one(backend, write(2, "ann"))).detail == ""
    has(site, "ann")
