"""Groups of a real domain controller of Active Directory."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.integration.backends.conformance import *  # noqa: F403
from tests.integration.backends.conformance import read, run_one, write
from tests.integration.backends.ldap.samba import Samba, SambaSite, running_samba
from tests.integration.backends.site import LIST

from seatpool.servers.command_result import Result


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


@pytest.mark.parametrize("members", [0, 1, 9, 10, 11, 20, 35])
async def test_members_come_in_parts(site: SambaSite, members: int) -> None:
    site.most_values = 10
    users = [f"u{number:02}" for number in range(members)]
    site.add_users(users)
    if users:
        site.add_by_hand(LIST, users)
    assert (await read(site)).users == tuple(users)
    result = await run_one(site.backend(), write(1, *users[:3]))
    assert (result.result, result.users) == (Result.APPLIED, tuple(users[:3]))


async def test_members_that_change_between_two_parts_are_read_again(site: SambaSite) -> None:
    site.most_values = 2
    users = ["ann", "bob", "eve", "zoe"]
    site.add_users(users)
    site.add_by_hand(LIST, users[:3])
    target = site.target()
    search, edits = target._client.search, [("zoe", "ann")]

    async def edited(base: str, wanted: str, attributes: Sequence[str], **how: Any) -> Any:
        if any("range=2-" in one for one in attributes) and edits:
            added, removed = edits.pop()
            site.add_by_hand(LIST, [added])
            site.remove_by_hand(LIST, [removed])
        return await search(base, wanted, attributes, **how)

    monkeyed: Any = target._client
    monkeyed.search = edited
    shown = await target.read(LIST)
    assert sorted(one.name for one in shown.members) == ["bob", "eve", "zoe"]
    assert not edits
