"""Finds users by their names, and names by the ids of members.

A filter with several values joined by `or` is one request for many users. Some services refuse it, some answer it wrongly, and
some need longer for it than for single requests. So such requests are measured, and given up for good if they are no gain.
Users whom one did not find are asked for singly, until the service has shown that it can do it. Without such filters, many
users are found in the pages of all users, if the service has not many more.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from seatpool.servers.direct.target import Found, ListProblem, MemberKind
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.scim.attributes import ignores_case, top_level, values_of
from seatpool.servers.scim.client import MOST_CONNECTIONS, Answer, ScimClient, together
from seatpool.servers.scim.filters import any_of, batches, equals
from seatpool.text import escape_unprintable

PAGE = 200
MOST_PAGES = 100
KNOWN_FOR = 600.0
"""Seconds for which the name of an id is taken for known."""
GONE_FOR = 60.0
"""Seconds for which an id is taken for that of nothing."""
MOST_KNOWN = 50_000
FEWEST_TO_MEASURE = 8
FEWEST_TO_LIST = 100
BATCHES_AT_ONCE = 4
SINGLES_TO_MEASURE = 3
"""The fastest of so many single requests counts: the first one may have to connect, or the service to build an index."""
_REFUSALS = frozenset({400, 403, 413, 414, 500, 501})

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """What an id is."""

    kind: MemberKind
    name: str = ""


class Batching(StrEnum):
    """What is known of filters with `or`."""

    UNKNOWN = "unknown"
    GOOD = "good"
    """They find all users, and are no slower."""
    BAD = "bad"


class ScimUsers:
    """The users of one service."""

    def __init__(self, client: ScimClient, attribute: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._attribute = attribute
        self._monotonic = monotonic
        self._known: dict[str, tuple[Identity, float]] = {}
        self._batching: dict[str, Batching] = {}
        self._single_took: dict[str, float] = {}

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns what the service knows of each name. Names that it does not know are left out."""
        fold = str.lower if ignores_case(self._attribute) else str
        asked = {fold(name): name for name in names}
        resources = await self._search(self._attribute, list(asked), fold)
        return {asked[key]: self._found(asked[key], found) for key, found in resources.items() if key in asked}

    async def identify(self, ids: Collection[str]) -> Mapping[str, Identity]:
        """Returns what each id is: a user and its name, a ghost, or something else."""
        now = self._monotonic()
        asked = [one for one in dict.fromkeys(ids) if one not in self._known or self._known[one][1] <= now]
        if asked:
            resources = await self._search("id", asked, str)
            missing = [one for one in asked if one not in resources]
            for found in resources.values():
                self._learn(found[0])
            for one, identity in zip(missing, await together(map(self._other, missing)), strict=True):
                self._remember(one, identity, GONE_FOR)
        return {one: self._known[one][0] for one in ids}

    def _found(self, name: str, resources: Sequence[Resource]) -> Found:
        attribute = self._attribute
        ids = {one["id"] for one in resources}
        if len(ids) > 1:
            return Found(None, f"{len(ids)} users of the service have {attribute} {name}")
        resource = resources[0]
        if len(values_of(resource, attribute)) > 1:
            return Found(None, f"the user with {attribute} {name} has several values of it")
        self._learn(resource)
        return Found(resource["id"])

    def _learn(self, resource: Resource) -> None:
        values = values_of(resource, self._attribute)
        identity = Identity(MemberKind.USER, values[0]) if len(values) == 1 else Identity(MemberKind.OTHER)
        self._remember(resource["id"], identity, KNOWN_FOR)

    def _remember(self, one: str, identity: Identity, seconds: float) -> None:
        if len(self._known) >= MOST_KNOWN:
            now = self._monotonic()
            self._known = {key: value for key, value in self._known.items() if value[1] > now}
            while len(self._known) >= MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
        self._known[one] = (identity, self._monotonic() + seconds)

    async def _other(self, one: str) -> Identity:
        """Returns what an id is that is no user's."""
        answer = await self._client.get("Groups", one, excludedAttributes="members")
        if answer.is_ok:
            return Identity(MemberKind.OTHER)
        if answer.status in (400, 404, 410):
            return Identity(MemberKind.GHOST)
        raise self._unreadable(one, answer)

    async def _search(
        self, attribute: str, values: Sequence[str], fold: Callable[[str], str]
    ) -> dict[str, list[Resource]]:
        """Returns the users by each of these values of an attribute."""
        found: dict[str, list[Resource]] = {}
        left = list(values)
        if len(left) >= FEWEST_TO_MEASURE and self._batching.get(attribute, Batching.UNKNOWN) is Batching.UNKNOWN:
            left = await self._measure(attribute, left, fold, found)
        while len(left) > 1 and self._batching.get(attribute) is Batching.GOOD:
            left = await self._by_batches(attribute, left, fold, found)
        if len(left) >= FEWEST_TO_LIST:
            left = await self._by_listing(attribute, left, fold, found)
        for resources in await together(self._single(attribute, value) for value in left):
            _collect(found, resources, attribute, fold)
        return {value: found[value] for value in values if value in found}

    async def _by_batches(
        self, attribute: str, values: list[str], fold: Callable[[str], str], found: dict[str, list[Resource]]
    ) -> list[str]:
        """Asks for some of the values by a few requests. Returns the values that are left."""
        parts = list(islice(batches(attribute, values), BATCHES_AT_ONCE))
        asked = sum(map(len, parts))
        began = self._monotonic()
        answers = await together(self._batch(attribute, part) for part in parts)
        refused: list[str] = []
        for part, resources in zip(parts, answers, strict=True):
            if resources is None:
                refused.extend(part)
            else:
                _collect(found, resources, attribute, fold)
        if refused or self._is_no_gain(attribute, self._monotonic() - began, asked):
            self._batching[attribute] = Batching.BAD
        return [*refused, *values[asked:]]

    async def _by_listing(
        self, attribute: str, values: list[str], fold: Callable[[str], str], found: dict[str, list[Resource]]
    ) -> list[str]:
        """Reads all users of the service page by page, if that needs fewer requests. Returns the values that are left."""
        answer = await self._page(None, 1)
        page, total = page_of(answer) if answer.is_ok else ([], 0)
        if not page or total / len(page) > min(MOST_PAGES, len(values) / MOST_CONNECTIONS):
            return values
        _collect(found, await self._rest(answer, None), attribute, fold)
        return [one for one in values if one not in found]

    async def _measure(
        self, attribute: str, values: list[str], fold: Callable[[str], str], found: dict[str, list[Resource]]
    ) -> list[str]:
        """Asks for some values singly and for others by one request, and learns from both. Returns the values that are left."""
        singles, rest = values[:SINGLES_TO_MEASURE], values[SINGLES_TO_MEASURE:]
        times: list[float] = []
        for value in singles:
            began = self._monotonic()
            _collect(found, await self._single(attribute, value), attribute, fold)
            times.append(self._monotonic() - began)
        self._single_took[attribute] = min(times)
        part = next(batches(attribute, rest))
        began = self._monotonic()
        resources = await self._batch(attribute, part)
        took = self._monotonic() - began
        if resources is None:
            self._batching[attribute] = Batching.BAD
            return rest
        _collect(found, resources, attribute, fold)
        missing = [one for one in part if one not in found]
        is_filtered = all(any(key in part for key in _keys(one, attribute, fold)) for one in resources)
        if not is_filtered or self._is_no_gain(attribute, took, len(part)):
            self._batching[attribute] = Batching.BAD
        elif len(part) - len(missing) > 1:
            self._batching[attribute] = Batching.GOOD
            missing = []
        return [*missing, *rest[len(part) :]]

    def _is_no_gain(self, attribute: str, took: float, asked: int) -> bool:
        """Tells whether so many values would have been found in less time singly, some at once."""
        return took / asked > self._single_took[attribute] / MOST_CONNECTIONS

    async def _batch(self, attribute: str, values: Sequence[str]) -> list[Resource] | None:
        """Returns the users with one of these values. None: the service refuses the filter."""
        answer = await self._page(any_of(attribute, values), 1)
        if answer.status in _REFUSALS:
            return None
        return await self._rest(answer, any_of(attribute, values))

    async def _single(self, attribute: str, value: str) -> list[Resource]:
        if attribute == "id":
            answer = await self._client.get("Users", value, attributes=top_level(self._attribute))
            if answer.is_ok and answer.body is not None:
                return [{**answer.body, "id": value}] if isinstance(answer.body.get("id"), str) else []
            if answer.status in (400, 404, 410):
                return []
            raise self._unreadable(value, answer)
        query = equals(attribute, value)
        return await self._rest(await self._page(query, 1), query)

    async def _page(self, query: str | None, start: int) -> Answer:
        wanted = {} if query is None else {"filter": query}
        return await self._client.get(
            "Users", **wanted, attributes=top_level(self._attribute), startIndex=start, count=PAGE
        )

    async def _rest(self, answer: Answer, query: str | None) -> list[Resource]:
        """Returns the resources of an answer and of the pages after it."""
        resources: dict[str, Resource] = {}
        for _ in range(MOST_PAGES):
            if not answer.is_ok:
                raise self._bad("a page of users" if query is None else f"the filter {_shown(query)}", answer)
            page, total = page_of(answer)
            before = len(resources)
            resources.update((one["id"], one) for one in page)
            if len(resources) >= total or len(resources) == before:
                break
            answer = await self._page(query, len(resources) + 1)
        return list(resources.values())

    def _unreadable(self, one: str, answer: Answer) -> ListProblem | TransportError:
        """Returns the error for a member that cannot be looked up. It may be the only one, so other lists are not concerned."""
        if answer.status == 403:
            return self._bad(f"GET of the member {_shown(one)}", answer)
        return ListProblem(
            f"{self._client.host} answered {answer.problem} to GET of the member {_shown(one)}; see its log"
        )

    def _bad(self, what: str, answer: Answer) -> TransportError:
        fault = CommandFault.REFUSED if answer.status == 403 else CommandFault.BAD_ANSWER
        return TransportError(fault, f"{self._client.host} answered {answer.problem} to {what}", maybe_applied=False)


def page_of(answer: Answer) -> tuple[list[Resource], int]:
    """Returns the resources with an id in a list answer, and how many there are on all pages."""
    body = answer.body or {}
    listed = body.get("Resources")
    total = body.get("totalResults")
    resources: list[Resource] = [
        one
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]
    ]
    return resources, total if isinstance(total, int) else len(resources)


def _collect(
    found: dict[str, list[Resource]], resources: Sequence[Resource], attribute: str, fold: Callable[[str], str]
) -> None:
    """Adds users under their values. A service that ignores a filter answers with others, which no caller asks for."""
    for resource in resources:
        for value in _keys(resource, attribute, fold):
            same = found.setdefault(value, [])
            if all(one["id"] != resource["id"] for one in same):
                same.append(resource)


def _keys(resource: Resource, attribute: str, fold: Callable[[str], str]) -> Iterator[str]:
    if attribute == "id":
        yield resource["id"]
        return
    for value in values_of(resource, attribute):
        yield fold(value) if value.isascii() else value


def _shown(text: str) -> str:
    shown = escape_unprintable(text)
    return shown if len(shown) <= 80 else f"{shown[:80]}…"
