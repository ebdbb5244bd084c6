"""A target is opened by its Secrets, and again when they change or the server refuses them."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.direct.opened import SECRETS_KNOWN_FOR, OpenedTarget
from seatpool.servers.direct.target import Found, MemberChange, TargetList
from seatpool.servers.errors import CommandFault, TransportError


class Server:
    """A server with a password. Its list is empty."""

    def __init__(self) -> None:
        self.password = "old"
        self.opened: list[str] = []
        self.closed = 0

    def open(self, secrets: Mapping[str, str]) -> "Session":
        self.opened.append(secrets["login/password"])
        return Session(self, secrets["login/password"])


class Session:
    def __init__(self, server: Server, password: str) -> None:
        self._server, self._password = server, password

    capabilities = Capabilities(fence=Fence.NATIVE, knows_users=True, keeps_results=False)
    host = "directory.example.com"

    async def read(self, product: str) -> TargetList:
        if self._password != self._server.password:
            raise TransportError(CommandFault.REFUSED, "bind refused", maybe_applied=False)
        return TargetList(members=())

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        return {}

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList | None:
        return None

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:
        return False

    async def close(self) -> None:
        self._server.closed += 1


class World:
    def __init__(self) -> None:
        self.server = Server()
        self.secret: dict[str, str] | None = {"password": "old"}
        self.now = 0.0
        self.target = OpenedTarget(
            self.server.open,
            host="directory.example.com",
            namespace="licenses",
            secrets=[("login", "password")],
            read_secret=self.read_secret,
            monotonic=lambda: self.now,
        )

    async def read_secret(self, namespace: str, name: str) -> Mapping[str, str]:
        assert (namespace, name) == ("licenses", "login")
        if self.secret is None:
            raise TransportError(
                CommandFault.SECRET_MISSING, "Secret licenses/login does not exist", maybe_applied=False
            )
        return dict(self.secret)

    def read(self) -> TargetList:
        return asyncio.run(self.target.read("matlab"))


def test_it_is_opened_once_and_then_known() -> None:
    world = World()
    assert world.target.capabilities.fence is Fence.MARK
    world.read()
    world.read()
    assert world.server.opened == ["old"]
    assert world.target.capabilities.fence is Fence.NATIVE


def test_a_password_that_changed_is_used_after_the_refusal() -> None:
    world = World()
    world.read()
    world.server.password = "new"
    world.secret = {"password": "new"}
    with pytest.raises(TransportError, match="bind refused"):
        world.read()
    world.read()
    assert (world.server.opened, world.server.closed) == (["old", "new"], 1)


def test_secrets_are_read_again_after_a_while_and_the_same_ones_keep_the_connection() -> None:
    world = World()
    world.read()
    world.now = SECRETS_KNOWN_FOR + 1
    world.read()
    assert (world.server.opened, world.server.closed) == (["old"], 0)
    world.now *= 3
    world.secret = None
    with pytest.raises(TransportError, match="does not exist"):
        world.read()


def test_a_key_that_is_missing_is_named() -> None:
    world = World()
    world.secret = {"pasword": "old"}
    with pytest.raises(TransportError, match=r"Secret licenses/login has no key password"):
        world.read()
