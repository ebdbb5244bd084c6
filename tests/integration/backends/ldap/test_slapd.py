"""Groups of a real OpenLDAP server, of both classes that it has."""

from collections.abc import Iterator

import pytest
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.ldap.slapd import Slapd, SlapdSite, running_slapd


@pytest.fixture(scope="module", params=["member", "uniqueMember"])
def slapd(request: pytest.FixtureRequest) -> Iterator[tuple[Slapd, str]]:
    with running_slapd(request.param) as one:
        yield one, request.param


@pytest.fixture
def site(slapd: tuple[Slapd, str]) -> Iterator[SlapdSite]:
    site = SlapdSite(slapd[0], member_attribute=slapd[1])
    yield site
    site.close()
    site.clear()
