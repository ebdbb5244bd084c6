"""The same story on each kind of server: the whole operator, a real API server, and servers that others wrote.

A full pool, a user who waits, a seat that passes on, a list that is changed by hand, users whom the server does not know, a crash
at each step, a restart, and a list of 5,000.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import trustme
from tests.integration.backends.files.site import LinesSite, OptionsSite
from tests.integration.backends.ldap.samba import SambaSite, running_samba
from tests.integration.backends.ldap.slapd import SlapdSite, running_slapd
from tests.integration.backends.scim.scim_service import Lacks, server_context
from tests.integration.backends.scim.scim_site import ScimSite, clear, running_service
from tests.integration.backends.site import LIST, Site
from tests.integration.control.conftest import Body, Stage, aws_process, stage  # noqa: F401
from tests.waiting import PATIENCE, eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import SECTIONS, LicenseServer
from seatpool.control.reconcile.failpoints import Failpoint

KINDS = ("xlc", "slapd", "samba", "scim", "options", "lines")
TOLD = [*KINDS[:-1], pytest.param("lines", marks=pytest.mark.thorough)]
WITH_ACCOUNTS = ("slapd", "samba", "scim")
MOST = 4_999
SHORTER = {"samba": 200, "scim": 200}
"""Both need minutes to make thousands of accounts and members. The suite of all back ends has longer lists of them."""


class XlcSite:
    """The vendor's client on a node, as far as the story needs it."""

    def __init__(self, stage: Stage) -> None:  # noqa: F811
        self._stage = stage

    def server(self) -> tuple[Body, Mapping[str, Mapping[str, str]]]:
        return dict(self._stage.server()["spec"]), {}

    def add_users(self, names: Iterable[str]) -> None:
        pass

    def entries(self, product: str) -> Sequence[str]:
        return self._stage.host.users(product)

    def add_by_hand(self, product: str, names: Sequence[str]) -> None:
        self._write(product, {*self.entries(product), *names})

    def remove_by_hand(self, product: str, names: Sequence[str]) -> None:
        self._write(product, set(self.entries(product)) - set(names))

    def _write(self, product: str, names: Iterable[str]) -> None:
        self._stage.host.edit(product, sorted(names))


@dataclass
class Story:
    """One kind of server, and the operator's world around it."""

    kind: str
    stage: Stage
    site: Site | XlcSite

    def begin(self, *, seats: int, verify: str = "1h", names: Body | None = None, **pool: Any) -> None:
        """Makes the LicenseServer, its Secrets, and the pool."""
        spec, texts = self.site.server()
        for name, data in texts.items():
            body = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
            self.stage.apply(self._object("v1", "Secret", name, data=body))
        spec = (
            {"debounce": "50ms", "verifyInterval": verify, "guard": {"minUsers": 100}}
            | spec
            | ({"names": names} if names else {})
        )
        self.stage.apply(
            self._object("seatpool.io/v1alpha1", "LicenseServer", "licenses", spec=spec),
            self.stage.pool(LIST, seats=seats, workbenchTypes=["vew"], **pool),
        )

    def start(self, number: int, owner: str, *, state: str = "running") -> None:
        self.stage.apply(self.stage.workbench(number, owner, type="vew", state=state))

    async def until_list(self, *users: str) -> None:
        await eventually(lambda: sorted(self.site.entries(LIST)) == sorted(users), what=f"the list is {users}")
        await self.stage.until_ready(LIST)

    def _object(self, version: str, kind: str, name: str, **content: Any) -> Body:
        metadata = {"name": name, "namespace": self.stage.namespace}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Starts each kind of server when it is first asked for."""
    with ExitStack() as stack:
        made: dict[str, Any] = {}

        def get(kind: str) -> Any:
            if kind not in made:
                if kind == "slapd":
                    made[kind] = stack.enter_context(running_slapd())
                elif kind == "samba":
                    made[kind] = stack.enter_context(running_samba())
                elif kind == "scim":
                    ca = trustme.CA()
                    made[kind] = (*stack.enter_context(running_service(server_context(ca))), ca)
            return made[kind]

        yield get


@pytest.fixture
async def story(
    request: pytest.FixtureRequest,
    stage: Stage,  # noqa: F811
    servers: Callable[[str], Any],
) -> AsyncIterator[Story]:
    kind: str = request.param
    async with AsyncExitStack() as stack:
        site: Any
        match kind:
            case "xlc":
                site = XlcSite(stage)
            case "slapd":
                site = await asyncio.to_thread(lambda: SlapdSite(servers(kind), member_attribute="member"))
            case "samba":
                site = await asyncio.to_thread(lambda: SambaSite(servers(kind)))
            case "scim":
                service, url, ca = servers(kind)
                site = ScimSite(service, url, ca, Lacks())
                stack.callback(clear, service)
            case "options":
                site = OptionsSite(stage.site, stage.node)
            case "lines":
                site = LinesSite(stage.site, stage.node)
        if kind in ("slapd", "samba"):
            stack.push_async_callback(asyncio.to_thread, site.clear)
        if kind in WITH_ACCOUNTS:
            stack.push_async_callback(_closed, site)
        yield Story(kind, stage, site)


async def _closed(site: Any) -> None:
    closing = await asyncio.to_thread(site.close)
    if closing is not None:
        await closing


@pytest.mark.parametrize("story", TOLD, indirect=True)
async def test_a_seat_passes_on_a_list_is_mended_and_a_restart_changes_nothing(story: Story) -> None:
    site, stage = story.site, story.stage  # noqa: F811
    await asyncio.to_thread(site.add_users, ["ann", "bob", "cem", "zoe"])
    story.begin(seats=2, verify="2s")
    async with stage.operator():
        story.start(1, "ann")
        story.start(2, "bob")
        await story.until_list("ann", "bob")
        story.start(3, "cem")

        async def waits() -> bool:
            return [one["user"] for one in (await stage.pool_status(LIST)).get("queue", [])] == ["cem"]

        await eventually(waits, what="cem waits")
        story.start(1, "ann", state="stopped")
        await story.until_list("bob", "cem")
        await asyncio.to_thread(site.add_by_hand, LIST, ["zoe"])
        await asyncio.to_thread(site.remove_by_hand, LIST, ["cem"])
        await story.until_list("bob", "cem")

        async def is_settled() -> bool:
            server, pool = await stage.server_status(), await stage.pool_status(LIST)
            return "inFlight" not in server and server["revision"] == pool.get("revision")

        await eventually(is_settled, what="the last command is known and its list was read back")
    revision = (await stage.server_status())["revision"]
    async with stage.operator() as operator:

        async def has_worked() -> bool:
            return (await stage.server_status())["operator"]["holder"] == operator.holder

        await eventually(has_worked, what="the restarted operator wrote a status")
        await story.until_list("bob", "cem")
        assert (await stage.server_status())["revision"] == revision, "a restart wrote a list that was right"


@pytest.mark.parametrize("story", WITH_ACCOUNTS, indirect=True)
async def test_a_user_whom_the_server_does_not_know_is_told_and_the_next_one_gets_the_seat(story: Story) -> None:
    site, stage = story.site, story.stage  # noqa: F811
    await asyncio.to_thread(site.add_users, ["ann", "bob"])
    story.begin(seats=2)
    async with stage.operator():
        story.start(1, "ghost")
        story.start(2, "ann")
        story.start(3, "bob")
        await story.until_list("ann", "bob")

        async def is_told() -> bool:
            return [(seat["phase"], seat["reason"]) for seat in await stage.workbench_seats(1)] == [
                ("Denied", "NotListable")
            ]

        await eventually(is_told, what="the workbench says that its owner cannot be on the list")
        message = await stage.until_condition(LicensePool, LIST, "UsersListable", status="False")
        assert message.startswith(
            "1 of the users who need a seat cannot be on the list, and the seats go to the others: ghost"
        )
        assert [one["user"] for one in (await stage.pool_status(LIST))["unlistable"]] == ["ghost"]


@pytest.mark.parametrize("story", ["xlc", "options", pytest.param("lines", marks=pytest.mark.thorough)], indirect=True)
async def test_names_of_the_server_come_back_as_users_and_one_that_would_not_gets_no_seat(story: Story) -> None:
    stage = story.stage  # noqa: F811
    story.begin(seats=2, names={"template": "{user}@lab", "case": "Upper"})
    async with stage.operator(identity={"fold_case": False}):
        story.start(1, "Eve")
        story.start(2, "ann")
        story.start(3, "bob")
        await story.until_list("ANN@lab", "BOB@lab")
        message = await stage.until_condition(LicensePool, LIST, "UsersListable", status="False")
        assert "Eve has capital letters" in message


@pytest.mark.parametrize("story", TOLD, indirect=True)
async def test_a_crash_at_each_step_is_mended_by_the_next_process(story: Story) -> None:
    site, stage = story.site, story.stage  # noqa: F811
    people = [f"user{number}" for number in range(len(Failpoint))]
    await asyncio.to_thread(site.add_users, people)
    story.begin(seats=len(people))
    for number, step in enumerate(Failpoint):
        story.start(number, people[number])
        dying = stage.start_process(die_at=step.value)
        try:
            await asyncio.to_thread(dying.wait, PATIENCE)
        finally:
            dying.kill()
        assert dying.returncode == -9, step
        assert set(site.entries(LIST)) <= set(people[: number + 1]), step
    async with stage.operator():
        await story.until_list(*people)
        await stage.until_condition(LicenseServer, "licenses", "InSync", status="True", reason="InSync")

        async def is_known() -> bool:
            return "inFlight" not in await stage.server_status()

        await eventually(is_known, what="no command is in doubt")


@pytest.mark.parametrize("story", TOLD, indirect=True)
async def test_a_long_list_is_taken_over_and_grows_by_one(story: Story) -> None:
    site, stage = story.site, story.stage  # noqa: F811
    people = [f"user{number:04}" for number in range(SHORTER.get(story.kind, MOST))]
    await asyncio.to_thread(site.add_users, [*people, "ann"])
    await asyncio.to_thread(site.add_by_hand, LIST, people)
    story.begin(seats=len(people) + 1, linger="1h")
    async with stage.operator():
        story.start(1, "ann")
        await eventually(lambda: "ann" in site.entries(LIST), seconds=3 * PATIENCE, what="ann is on the list")
        await stage.until_condition(LicensePool, LIST, "InSync", status="True", seconds=3 * PATIENCE)
        assert (await stage.pool_status(LIST))["used"] == len(people) + 1
    assert sorted(site.entries(LIST)) == sorted([*people, "ann"])


def test_every_kind_is_in_the_story() -> None:
    sections = {
        "xlc": "xlc",
        "slapd": "ldap",
        "samba": "ldap",
        "scim": "scim",
        "options": "flexnet",
        "lines": "listFile",
    }
    assert {sections[kind] for kind in KINDS} | {"custom"} == set(SECTIONS), "custom is a way of a site's own"
