"""The engine over a server in memory that misbehaves: late, forgetful, refusing, full of entries of others."""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.list_names import LetterCase, ListNames
from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.command_result import Late, ProductResult, Result
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.direct import backend as engine
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.direct.target import (
    ChangedMeanwhile,
    Found,
    ListProblem,
    Mark,
    Member,
    MemberChange,
    MemberKind,
    TargetList,
)
from seatpool.servers.errors import CommandFault, TransportError

OWNER = "here"
USERS = tuple(f"u{number}" for number in range(10))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "READ_BACK_PAUSES", (0.0,) * 4)


@dataclass
class Server:
    """A server with one list. References are `id-NAME`."""

    accounts: set[str] = field(default_factory=lambda: set(USERS))
    entries: list[str] = field(default_factory=list)
    mark: Mark = field(default_factory=Mark)
    largest: int | None = 3
    ignores_case: bool = False
    requests: int = 0
    longest: int = 0
    looked_up: list[str] = field(default_factory=list)
    before_change: Callable[["Server"], None] = lambda server: None
    drops: Callable[[], bool] = lambda: False
    """Whether the server answers with success and does nothing."""
    refuses: Callable[[], bool] = lambda: False
    """Whether the server says that another writer was there."""
    keeps_mark: bool = True
    shows_late: int = 0
    """Reads that still show the list of before."""
    other_way: bool = False
    remembers_list: bool = False
    """A change returns the list for the next one."""
    _shown: list[tuple[list[str], Mark]] = field(default_factory=list)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            fence=Fence.NATIVE,
            largest_change=self.largest,
            keeps_results=False,
            knows_users=True,
            ignores_case=self.ignores_case,
        )

    @property
    def host(self) -> str:
        return "server.example.com"

    async def read(self, product: str) -> TargetList:
        self.requests += 1
        entries, mark = self._shown.pop(0) if self._shown else (self.entries, self.mark)
        return TargetList(members=tuple(map(self.member, entries)), mark=mark)

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        self.requests += 1
        self.looked_up += names
        return {name: Found(f"id-{name}") for name in names if name in self.accounts}

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList | None:
        self.requests += 1
        self.before_change(self)
        if self.refuses() or self.mark not in (before.mark, change.mark):
            raise ChangedMeanwhile("another writer was there")
        if self.drops():
            return None
        return self._write(change, before)

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:
        self.requests += 1
        if not self.other_way:
            return False
        self.entries, self.mark = list(change.whole), change.mark
        return True

    async def close(self) -> None:
        """Nothing is open."""

    def member(self, entry: str) -> Member:
        name = entry.removeprefix("id-")
        if not entry.startswith("id-"):
            return Member(entry, MemberKind.OTHER)
        return Member(entry, MemberKind.USER if name in self.accounts else MemberKind.GHOST, name)

    @property
    def users(self) -> tuple[str, ...]:
        return tuple(sorted({one.removeprefix("id-") for one in self.entries} & self.accounts))

    def _write(self, change: MemberChange, before: TargetList) -> TargetList | None:
        self._shown = [(list(self.entries), self.mark)] * self.shows_late
        entries = list(self.entries)
        for entry in change.remove:
            if entry not in entries:
                raise ChangedMeanwhile("no such entry")
            entries.remove(entry)
        self.entries, self.mark = [*entries, *change.add], change.mark if self.keeps_mark else Mark()
        self.longest = max(self.longest, len(self.entries))
        if not self.remembers_list:
            return None
        return replace(before, members=tuple(map(self.member, change.whole)), mark=self.mark)


def over(server: Server, *, names: ListNames | None = None, seconds: float = 60, **settings: object) -> DirectBackend:
    return DirectBackend(server, names=names or ListNames(), timeout=timedelta(seconds=seconds), **settings)  # type: ignore[arg-type]


def command(revision: int, *users: str, owner: str = OWNER, takeover: str | None = None) -> ListCommand:
    return ListCommand(
        revision=revision, owner=owner, takeover=takeover, changes=(ListChange(product="vew", users=users),)
    )


async def run(backend: DirectBackend, wanted: ListCommand) -> ProductResult:
    return (await backend.result(await backend.send(wanted), command=wanted)).products["vew"]


ENTRIES = st.lists(
    st.sampled_from([*(f"id-{user}" for user in USERS), "id-ghost", "another group", "id-u1"]), max_size=12
)
WANTED = st.lists(st.sampled_from([*USERS, "stranger"]), unique=True, max_size=8)


@given(ENTRIES, WANTED, st.none() | st.integers(1, 4), st.integers(0, 3), st.booleans(), st.booleans())
def test_a_list_becomes_what_is_wanted_whatever_was_there(
    entries: list[str], wanted: list[str], largest: int | None, late: int, remembers: bool, keeps_mark: bool
) -> None:
    server = Server(
        entries=list(entries), largest=largest, shows_late=late, remembers_list=remembers, keeps_mark=keeps_mark
    )
    result = asyncio.run(run(over(server), command(1, *wanted)))
    known = tuple(sorted(set(wanted) & set(USERS)))
    assert (result.result, result.users, result.detail) == (Result.APPLIED, known, "")
    assert sorted(server.entries) == sorted(f"id-{user}" for user in known)
    assert set(result.unlistable) == set(wanted) - set(USERS)
    assert server.longest <= max(len(entries), len(known))
    assert server.mark == (Mark(owner=OWNER, revision=1) if keeps_mark else Mark())


@given(ENTRIES, WANTED, st.randoms(use_true_random=False))
def test_the_result_is_what_the_server_has_even_if_it_lies(
    entries: list[str], wanted: list[str], chosen: random.Random
) -> None:
    def interfere(server: Server) -> None:
        if chosen.random() < 0.3:
            server.entries = [*chosen.sample(server.entries, len(server.entries) // 2), f"id-{chosen.choice(USERS)}"]

    server = Server(
        entries=list(entries),
        drops=lambda: chosen.random() < 0.3,
        refuses=lambda: chosen.random() < 0.2,
        before_change=interfere,
        remembers_list=chosen.random() < 0.5,
    )
    backend = over(server)
    result = asyncio.run(run(backend, command(5, *wanted)))
    if result.users is not None:
        assert result.users == server.users
    else:
        assert result.result is Result.FAILED
        assert result.detail
    is_as_wanted = result.users == tuple(sorted(set(wanted) & set(USERS))) and not result.odd and not result.surplus
    assert is_as_wanted or result.detail or result.result is Result.STALE, "what is not as wanted is told"
    server.drops = server.refuses = lambda: False
    server.before_change = lambda server: None
    mended = asyncio.run(run(backend, command(6, *wanted)))
    assert (mended.result, mended.users) == (Result.APPLIED, tuple(sorted(set(wanted) & set(USERS))))
    assert sorted(server.entries) == sorted(f"id-{user}" for user in mended.users or ())


@given(
    st.integers(0, 6), st.integers(0, 6), st.sampled_from(["", OWNER, "there", "third"]), st.none() | st.just("there")
)
def test_a_mark_decides_who_may_write(revision: int, marked: int, owner: str, takeover: str | None) -> None:
    server = Server(entries=["id-u1"], mark=Mark(owner=owner, revision=marked if owner else 0))
    result = asyncio.run(run(over(server), command(revision, "u2", takeover=takeover)))
    if owner not in ("", OWNER, takeover):
        expected = Result.OWNER
    elif owner == OWNER and revision <= marked:
        expected = Result.STALE
    else:
        expected = Result.APPLIED
    assert result.result is expected
    assert server.users == (("u2",) if expected is Result.APPLIED else ("u1",))


async def test_a_command_that_has_begun_goes_on_after_another_writer_of_entries() -> None:
    server = Server(entries=["id-u1", "id-u2", "id-u3"], largest=1, remembers_list=True)
    changes = 0

    def edit(server: Server) -> None:
        nonlocal changes
        changes += 1
        if changes == 3:
            server.entries.remove("id-u2")

    server.before_change = edit
    result = await run(over(server), command(1, "u7", "u8", "u9"))
    assert (result.result, result.users) == (Result.APPLIED, ("u7", "u8", "u9")), result


async def test_a_command_that_has_begun_gives_way_to_a_newer_operator() -> None:
    server = Server(entries=["id-u1", "id-u2", "id-u3"], largest=1)
    changes = 0

    def newer(server: Server) -> None:
        nonlocal changes
        changes += 1
        if changes == 3:
            server.entries, server.mark = ["id-u5"], Mark(owner=OWNER, revision=9)

    server.before_change = newer
    result = await run(over(server), command(1, "u7", "u8", "u9"))
    assert (result.result, result.fence, result.users) == (Result.STALE, 9, ("u5",))
    assert server.entries == ["id-u5"]


async def test_another_writer_again_and_again_ends_with_the_reason() -> None:
    server = Server(refuses=lambda: True)
    result = await run(over(server), command(1, "u1"))
    assert (result.result, result.users, result.detail) == (Result.FAILED, None, "another writer was there")


async def test_a_list_that_stays_wrong_is_written_in_another_way() -> None:
    server = Server(entries=["id-u1", "id-u1"], drops=lambda: True, other_way=True)
    result = await run(over(server), command(1, "u2"))
    assert (result.result, result.users) == (Result.APPLIED, ("u2",))
    assert "another way of writing it was tried" in result.detail
    without = Server(entries=["id-u1", "id-u1", "group"], drops=lambda: True)
    result = await run(over(without), command(1, "u2"))
    assert result.users == ("u1",)
    assert result.detail == (
        "the server answered that the list is written, but 1 of the users is not on it and 1 user who was removed is "
        "still on it and 2 entries that are no users or repeated are still on it"
    )


async def test_time_that_ends_between_two_requests_is_told_with_the_list_as_it_is() -> None:
    now = 0.0
    server = Server(entries=["id-u1", "id-u2"], largest=1)

    def pass_time(server: Server) -> None:
        nonlocal now
        now += 20

    server.before_change = pass_time
    result = await run(over(server, monotonic=lambda: now), command(1, "u7", "u8"))
    assert (result.result, result.detail) == (Result.PARTIAL, "3 of 4 requests were made before the time limit")
    assert result.users == server.users


async def test_a_server_that_does_not_answer_ends_with_the_time_limit() -> None:
    class Hanging(Server):
        async def read(self, product: str) -> TargetList:
            await asyncio.sleep(3600)
            raise AssertionError

    command_of_two = ListCommand(
        revision=1, owner=OWNER, changes=(ListChange(product="a", users=()), ListChange(product="b", users=()))
    )
    backend = over(Hanging(), seconds=0.05)
    result = await backend.result(await backend.send(command_of_two), command=command_of_two)
    assert [one.late for one in result.products.values()] == [Late.STOPPED, Late.UNBEGUN]
    assert all(one.result is Result.FAILED and one.users is None for one in result.products.values())


async def test_an_error_of_one_list_is_no_error_of_the_next_and_one_of_the_server_is() -> None:
    class Broken(Server):
        error: Exception = ListProblem("a: no \x1bsuch list")

        async def read(self, product: str) -> TargetList:
            if product == "a":
                raise self.error
            return await super().read(product)

    server = Broken()
    both = ListCommand(
        revision=1,
        owner=OWNER,
        changes=(ListChange(product="a", users=("u1",)), ListChange(product="vew", users=("u1",))),
    )
    result = await over(server).result(await over(server).send(both), command=both)
    assert [one.result for one in result.products.values()] == [Result.FAILED, Result.APPLIED]
    assert "\x1b" not in result.products["a"].detail
    server.error = TransportError(CommandFault.UNREACHABLE, "away", maybe_applied=False)
    with pytest.raises(TransportError) as error:
        await over(server).result(await over(server).send(both), command=both)
    assert (error.value.maybe_applied, error.value.is_known_to_have_ended) == (True, True)


async def test_users_are_asked_for_once_and_again_when_the_answer_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    server = Server()
    backend = over(server, monotonic=lambda: now)
    assert set(await backend.find_unlistable(("u1", "stranger"))) == {"stranger"}
    assert set(await backend.find_unlistable(("u1", "stranger", "u2"))) == {"stranger"}
    assert sorted(server.looked_up) == ["stranger", "u1", "u2"]
    now = engine.UNKNOWN_FOR
    server.accounts.add("stranger")
    assert await backend.find_unlistable(("u1", "stranger")) == {}
    assert sorted(server.looked_up) == ["stranger", "stranger", "u1", "u2"]
    monkeypatch.setattr(engine, "MOST_KNOWN", 3)
    assert await backend.find_unlistable(("u1", "u2", "u3", "u4", "u5")) == {}, "a full memory makes nobody unknown"


async def test_another_case_or_domain_on_the_server_is_the_same_user() -> None:
    server = Server(accounts={"ANN@x.org", "bob@x.org"}, entries=["id-ANN@x.org"], ignores_case=True)
    backend = over(server, names=ListNames(template="{user}@X.ORG", case=LetterCase.LOWER))
    assert await backend.find_unlistable(("ann",)) == {"ann": engine.UNKNOWN}, (
        "the server finds it in its own case only"
    )
    result = await run(backend, command(1, "ann"))
    assert (result.users, server.entries) == (("ann",), ["id-ANN@x.org"])


async def test_no_request_is_made_without_permission() -> None:
    class NoLeader(Exception):
        pass

    def permit() -> None:
        raise NoLeader

    server = Server(entries=["id-u1"])
    with pytest.raises(NoLeader):
        await run(over(server, permit=permit), command(1, "u2"))
    assert server.entries == ["id-u1"]


async def test_a_command_of_another_process_has_no_result() -> None:
    backend = over(Server())
    with pytest.raises(TransportError, match="keeps no results") as error:
        await backend.result(await backend.send(command(1)))
    assert error.value.maybe_applied
