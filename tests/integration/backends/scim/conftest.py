"""A SCIM service over HTTPS for each test, and the back end that uses it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from seatpool.api.list_backends import ScimSettings, SecretKey
from seatpool.api.list_names import ListNames
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.names import NameRendering
from seatpool.servers.scim.factory import make_target
from seatpool.servers.scim.target import ScimTarget
from tests.integration.backends.scim.certificates import Authority, make_authority
from tests.integration.backends.scim.scim_service import TOKEN, Service, make_service, serve

SECRETS = {"scim/token": TOKEN}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of all services."""
    return make_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def service(authority: Authority) -> Iterator[Service]:
    """A SCIM service without any content."""
    made = make_service()
    with serve(made, authority) as url:
        made.url = url
        yield made


@pytest.fixture
async def connect(service: Service, authority: Authority) -> AsyncIterator[Callable[..., ScimTarget]]:
    """Makes targets of the service."""
    async with AsyncExitStack() as stack:

        def made(*, timeout: float = 30.0, secrets: dict[str, str] | None = None, **settings: Any) -> ScimTarget:
            given = {"token": SecretKey(name="scim", key="token")} if "oauth" not in settings else {}
            given |= {"url": f"{service.url}/v2", "ca": SecretKey(name="scim", key="ca"), **settings}
            target = make_target(
                ScimSettings(**given),
                secrets={**SECRETS, "scim/ca": authority.ca, **(secrets or {})},
                timeout=timedelta(seconds=timeout),
            )
            stack.push_async_callback(target.close)
            return target

        yield made


@pytest.fixture
def backend(connect: Callable[..., ScimTarget]) -> Callable[..., DirectBackend]:
    """Makes back ends of the service."""

    def made(*, timeout: float = 30.0, names: ListNames | None = None, **settings: Any) -> DirectBackend:
        target = connect(timeout=timeout, **settings)
        rendering = NameRendering.of(names or ListNames(), ignores_case=target.capabilities.ignores_case)
        return DirectBackend(target, names=rendering, timeout=timedelta(seconds=timeout))

    return made
