"""Keeps the lists of one server that takes requests itself, whatever kind it is.

A list is read, compared with what it should be, changed by as few requests as the server allows, and read back. What the
server answers to a change proves nothing. Only the list that is read afterwards counts.

A change may need many requests. If the time limit of the LicenseServer ends before they do, the result says how far they
came, and the next command finishes them.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from seatpool.api.list_names import ListNames
from seatpool.servers.backend import Capabilities
from seatpool.servers.command_result import CommandResult, Late, ProductResult, Result
from seatpool.servers.commands import Action, ListChange, ListCommand, SentCommand, is_user
from seatpool.servers.direct.difference import changes
from seatpool.servers.direct.target import (
    ChangedMeanwhile,
    Found,
    ListProblem,
    ListTarget,
    Mark,
    MemberKind,
    TargetList,
)
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.names import NameRendering, Unlistable
from seatpool.text import escape_unprintable, format_count

KNOWN_FOR = 600.0
"""Seconds for which a user is taken for known."""
UNKNOWN_FOR = 60.0
"""Seconds for which a user is taken for unknown."""
MOST_KNOWN = 50_000
ATTEMPTS = 3
"""Attempts to change a list that another writer changes at the same time."""
READ_BACK_PAUSES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each look at a list that was written: some servers show a change late."""
UNKNOWN = "the license server knows no such user"


@dataclass(frozen=True, slots=True)
class _Lookup:
    found: Found | None
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a list should be, in the server's own terms."""

    references: tuple[str, ...]
    users: tuple[str, ...]
    unlistable: Mapping[str, str] = field(default_factory=dict)


class DirectBackend:
    """The `ListBackend` of a server that takes requests."""

    def __init__(
        self,
        target: ListTarget,
        *,
        names: ListNames,
        timeout: timedelta,
        permit: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._target = target
        self._names_wanted = names
        self._timeout = timeout
        self._permit = permit
        self._monotonic = monotonic
        self._known: dict[str, _Lookup] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the server can do."""
        return self._target.capabilities

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """Returns the command as it is: its products share the time limit."""
        return (command,)

    async def find_unlistable(self, users: Collection[str]) -> Mapping[str, str]:
        """Returns which users the server does not know or cannot express, each with the reason."""
        unlistable, named = self._named(users)
        if not self.capabilities.knows_users:
            return unlistable
        found = await self._find(named)
        return unlistable | {
            user: problem for name, user in named.items() if (problem := _problem_of(found.get(name))) is not None
        }

    async def send(self, command: ListCommand) -> SentCommand:  # noqa: ARG002
        """Returns an id. `result` carries the command out."""
        return SentCommand(command_id=str(uuid.uuid4()), instance_id=self._target.host)

    async def result(self, sent: SentCommand, *, command: ListCommand | None = None) -> CommandResult:
        """Carries a command out, product by product. Raises TransportError if the server cannot be asked at all."""
        if command is None:
            raise TransportError(
                CommandFault.INVOCATION_MISSING,
                f"command {sent.command_id} on {self._target.host}: this server keeps no results",
                maybe_applied=True,
                is_known_to_have_ended=True,
            )
        end = self._monotonic() + self._timeout.total_seconds()
        done: dict[str, ProductResult] = {}
        for product in command.names:
            left = end - self._monotonic()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    done[product] = await self._carry_out(product, command, end)
            except TimeoutError:
                late = Late.STOPPED if left > 0 else Late.UNBEGUN
                done[product] = ProductResult(result=Result.FAILED, detail="no time was left", late=late)
            except ListProblem as problem:
                done[product] = ProductResult(result=Result.FAILED, detail=escape_unprintable(str(problem)))
            except TransportError as error:
                error.is_known_to_have_ended = True
                error.maybe_applied = error.maybe_applied or command.action is Action.APPLY
                raise
        return CommandResult(revision=command.revision, products=done)

    async def cancel(self, sent: SentCommand) -> None:
        """Does nothing: a command ends with its request."""

    async def close(self) -> None:
        """Closes connections."""
        await self._target.close()

    @property
    def _names(self) -> NameRendering:
        return NameRendering.of(self._names_wanted, ignores_case=self.capabilities.ignores_case)

    async def _carry_out(self, product: str, command: ListCommand, end: float) -> ProductResult:
        change = next((one for one in command.changes if one.product == product), None)
        if change is None:
            return self._shown(Result.LISTED, await self._target.read(product))
        for attempt in range(1, ATTEMPTS + 1):
            before = await self._target.read(product)
            refused = self._refused(before, command, has_begun=attempt > 1)
            if refused is not None:
                return refused
            try:
                return await self._apply(change, before, command, end)
            except ChangedMeanwhile:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError  # pragma: no cover

    def _refused(self, before: TargetList, command: ListCommand, *, has_begun: bool) -> ProductResult | None:
        """Returns the result if the mark of a list forbids to write it. None: it does not.

        `has_begun`: the mark of this revision may be by an earlier attempt of the same command.
        """
        mark = before.mark
        if mark.owner not in ("", command.owner, command.takeover):
            return self._shown(Result.OWNER, before, detail=f"the list belongs to {escape_unprintable(mark.owner)}")
        lowest = mark.revision if has_begun else mark.revision + 1
        if mark.owner == command.owner and command.revision < lowest:
            return self._shown(Result.STALE, before, detail=f"the list has revision {mark.revision}")
        return None

    async def _apply(self, change: ListChange, before: TargetList, command: ListCommand, end: float) -> ProductResult:
        product, mark = change.product, Mark(owner=command.owner, revision=command.revision)
        wanted = await self._wanted(change, before)
        present = [member.reference for member in before.members if member.kind is not MemberKind.PLACEHOLDER]
        steps = changes(
            present,
            wanted.references,
            mark=mark,
            largest=self.capabilities.largest_change,
            placeholder=change.keep_placeholder,
        )
        last = before
        at: TargetList | None = before
        for number, step in enumerate(steps):
            if number and self._monotonic() >= end - self._time_to_read():
                shown = await self._target.read(product)
                detail = f"{number} of {len(steps)} requests were made before the time limit"
                return replace(self._shown(Result.PARTIAL, shown, detail=detail), unlistable=wanted.unlistable)
            if at is None:
                at = await self._after_request(product, last, mark)
                if at is None:
                    break
            self._permit()
            last, at = at, await self._target.change(product, at, step)
        after = await self._read_back(product, wanted)
        detail = ""
        if not self._is_as_wanted(after, wanted):
            detail = _difference(self._shown(Result.APPLIED, after), wanted)
            again = changes(
                [member.reference for member in after.members if member.kind is not MemberKind.PLACEHOLDER],
                wanted.references,
                mark=mark,
                largest=None,
                placeholder=change.keep_placeholder,
            )[0]
            self._permit()
            if await self._target.change_otherwise(product, after, again):
                after = await self._read_back(product, wanted)
                detail = f"{detail}; another way of writing it was tried"
        return replace(self._shown(Result.APPLIED, after, detail=detail), unlistable=wanted.unlistable)

    async def _after_request(self, product: str, before: TargetList, mark: Mark) -> TargetList | None:
        """Returns a list that a request changed. None: the request had no effect, whatever was answered.

        Raises ChangedMeanwhile if the mark is that of another command. A server without marks shows the effect by its entries.
        """
        for pause in READ_BACK_PAUSES:
            await asyncio.sleep(pause)
            shown = await self._target.read(product)
            if shown.mark == mark:
                return shown
            if shown.mark != before.mark:
                raise ChangedMeanwhile(f"{product}: another writer changed the list between two requests")
            if Counter(one.reference for one in shown.members) != Counter(one.reference for one in before.members):
                return shown
        return None

    def _time_to_read(self) -> float:
        """Returns the seconds that are kept for the last read-back."""
        return min(5.0, self._timeout.total_seconds() / 4)

    async def _wanted(self, change: ListChange, before: TargetList) -> _Wanted:
        """Returns the list in the server's terms. Users that it does not know are left out."""
        unlistable, named = self._named(change.users)
        names = self._names
        on_list = {
            names.user(member.name): member.reference for member in before.members if member.kind is MemberKind.USER
        }
        missing = {name: user for name, user in named.items() if user not in on_list}
        found = await self._find(missing) if missing else {}
        references: list[str] = []
        users: list[str] = []
        for name, user in named.items():
            reference = on_list.get(user)
            if reference is None:
                known = found.get(name)
                problem = _problem_of(known)
                if known is None or known.reference is None or problem is not None:
                    unlistable[user] = problem or UNKNOWN
                    continue
                reference = known.reference
            references.append(reference)
            users.append(user)
        return _Wanted(references=tuple(references), users=tuple(sorted(users)), unlistable=unlistable)

    def _named(self, users: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Returns why users have no name on this server, and the users of the names that there are."""
        unlistable: dict[str, str] = {}
        named: dict[str, str] = {}
        names = self._names
        for user in users:
            try:
                named[names.name(user)] = user
            except Unlistable as error:
                unlistable[user] = str(error)
        return unlistable, named

    async def _find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns what the server knows of names. Answers are remembered for a while."""
        now = self._monotonic()
        found = {name: lookup for name in names if (lookup := self._known.get(name)) is not None and lookup.until > now}
        asked = [name for name in names if name not in found]
        if asked:
            answer = await self._target.find(asked)
            for name in asked:
                kept = UNKNOWN_FOR if _problem_of(answer.get(name)) is not None else KNOWN_FOR
                found[name] = _Lookup(answer.get(name), now + kept)
            if len(self._known) + len(asked) > MOST_KNOWN:
                self._known.clear()
            self._known |= {name: found[name] for name in asked}
        return {name: lookup.found for name, lookup in found.items() if lookup.found is not None}

    async def _read_back(self, product: str, wanted: _Wanted) -> TargetList:
        """Reads a list that was written, again and again for some seconds if it does not show the change yet."""
        for pause in READ_BACK_PAUSES:
            await asyncio.sleep(pause)
            shown = await self._target.read(product)
            if self._is_as_wanted(shown, wanted):
                break
        else:
            self._forget(wanted)
        return shown

    def _forget(self, wanted: _Wanted) -> None:
        """Forgets what is known of users who do not come onto a list: their accounts may have changed."""
        names = self._names
        for user in wanted.users:
            self._known.pop(names.name(user), None)

    def _is_as_wanted(self, shown: TargetList, wanted: _Wanted) -> bool:
        result = self._shown(Result.LISTED, shown)
        return result.users == wanted.users and not result.odd and not result.surplus

    def _shown(self, result: Result, listed: TargetList, *, detail: str = "") -> ProductResult:
        """Returns a result with the list as it was read."""
        users: set[str] = set()
        odd: list[str] = []
        surplus: list[str] = []
        is_placeholder = False
        names = self._names
        for member in listed.members:
            user = names.user(member.name) if member.kind is MemberKind.USER else None
            if member.kind is MemberKind.PLACEHOLDER:
                is_placeholder = True
            elif member.kind is MemberKind.GHOST:
                surplus.append(escape_unprintable(member.reference))
            elif user is None or not is_user(user):
                odd.append(escape_unprintable(member.name or member.reference))
            elif user in users:
                surplus.append(escape_unprintable(member.reference))
            else:
                users.add(user)
        return ProductResult(
            result=result,
            fence=listed.mark.revision,
            owner=listed.mark.owner,
            detail=detail,
            users=tuple(sorted(users)),
            odd=tuple(sorted(odd)),
            surplus=tuple(sorted(surplus)),
            placeholder=None if self.capabilities.empty_is_placeholder else is_placeholder and not users,
        )


def _problem_of(found: Found | None) -> str | None:
    """Returns why a user cannot be on a list. None: nothing speaks against it."""
    if found is None:
        return UNKNOWN
    return None if found.reference is not None else (found.problem or UNKNOWN)


def _difference(shown: ProductResult, wanted: _Wanted) -> str:
    """Returns what a server did not do although it answered that it did."""
    have, want = set(shown.users or ()), set(wanted.users)
    parts = list(_counts(len(want - have), len(have - want), len(shown.odd) + len(shown.surplus)))
    return f"the server answered that the list is written, but {' and '.join(parts)}"


def _counts(missing: int, extra: int, others: int) -> Iterator[str]:
    if missing:
        yield f"{missing} of the users {'is' if missing == 1 else 'are'} not on it"
    if extra:
        yield f"{format_count(extra, 'user who was removed is', 'users who were removed are')} still on it"
    if others:
        entries = format_count(
            others, "entry that is no user or repeated is", "entries that are no users or repeated are"
        )
        yield f"{entries} still on it"
