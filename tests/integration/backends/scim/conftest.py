"""A SCIM service over HTTPS for each test, and the back end that uses it."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
import trustme
from tests.integration.backends.scim.scim_service import TOKEN, Service, make_service, serve, server_context

from seatpool.api.list_backends import ScimSettings, SecretKey
from seatpool.api.list_names import ListNames
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.scim.factory import make_target
from seatpool.servers.scim.target import ScimTarget

SECRETS = {"scim/token": TOKEN}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The CA of all services."""
    return trustme.CA()


@pytest.fixture(scope="session")
def context(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS side of all services."""
    return server_context(authority)


@pytest.fixture
def service(context: ssl.SSLContext) -> Iterator[Service]:
    """A SCIM service without any content."""
    made = make_service()
    with serve(made, context) as url:
        made.url = url
        yield made


@pytest.fixture
async def connect(service: Service, authority: trustme.CA) -> AsyncIterator[Callable[..., ScimTarget]]:
    """Makes targets of the service."""
    async with AsyncExitStack() as stack:

        def made(*, timeout: float = 30.0, secrets: dict[str, str] | None = None, **settings: Any) -> ScimTarget:
            given = {"token": SecretKey(name="scim", key="token")} if "oauth" not in settings else {}
            given |= {"url": f"{service.url}/v2", "ca": SecretKey(name="scim", key="ca"), **settings}
            target = make_target(
                ScimSettings(**given),
                secrets={**SECRETS, "scim/ca": authority.cert_pem.bytes().decode(), **(secrets or {})},
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
        return DirectBackend(target, names=names or ListNames(), timeout=timedelta(seconds=timeout))

    return made
