"""Groups of a SCIM service: one that has everything, one without ETags, and one with the least."""

import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import trustme
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.scim.scim_service import Lacks, Service
from tests.integration.backends.scim.scim_site import ScimSite, clear, running_service
from tests.integration.backends.site import LIST

LEAST = Lacks(etag=True, put=True, config=True, pages=True, or_filters=True, members_unasked=True, answers=True)
KINDS = {"ETag": Lacks(), "no ETag": Lacks(etag=True), "least": LEAST}


@pytest.fixture(scope="module")
def running(context: ssl.SSLContext) -> Iterator[tuple[Service, str]]:
    with running_service(context) as one:
        yield one


@pytest.fixture(params=["ETag", *(pytest.param(kind, marks=pytest.mark.thorough) for kind in ("no ETag", "least"))])
async def site(
    request: pytest.FixtureRequest, running: tuple[Service, str], authority: trustme.CA
) -> AsyncIterator[ScimSite]:
    service, url = running
    site = ScimSite(service, url, authority, replace(KINDS[request.param]))
    if request.param != "ETag":
        site.most_users = 500  # this server needs a second for each 100 removals from a group of thousands
    first = site.target()
    await first.read(LIST)
    site.learned = first
    yield site
    await site.close()
    clear(service)
