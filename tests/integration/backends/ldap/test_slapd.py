"""Groups of a real OpenLDAP server, of both classes that it has."""

from collections.abc import Iterator

import pytest
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.ldap.slapd import Slapd, SlapdSite, running_slapd


@pytest.fixture(scope="module")
def slapd() -> Iterator[Slapd]:
    with running_slapd() as one:
        yield one


@pytest.fixture(params=["member", pytest.param("uniqueMember", marks=pytest.mark.thorough)])
def site(slapd: Slapd, request: pytest.FixtureRequest) -> Iterator[SlapdSite]:
    site = SlapdSite(slapd, member_attribute=request.param)
    yield site
    site.close()
    site.clear()
