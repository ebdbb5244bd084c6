"""Groups of a real domain controller of Active Directory."""

from collections.abc import Iterator

import pytest
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.ldap.samba import Samba, SambaSite, running_samba


@pytest.fixture(scope="module")
def samba() -> Iterator[Samba]:
    with running_samba() as one:
        yield one


@pytest.fixture
def site(samba: Samba) -> Iterator[SambaSite]:
    site = SambaSite(samba)
    yield site
    site.close()
    site.clear()
