"""Keeps the lists of one SCIM service: a group for each product.

A group that has an ETag is replaced by PUT, and the service refuses the request if another writer was faster. Other groups are
changed by PATCH, which leaves the members alone that it does not name. What a service refuses is tried in another way, and
what had an effect is remembered.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from seatpool.api.list_backends import ScimSettings
from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.direct.marks import mark_text, parse_mark
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
from seatpool.servers.scim.attributes import ignores_case
from seatpool.servers.scim.client import Answer, ScimClient
from seatpool.servers.scim.filters import equals
from seatpool.servers.scim.groups import Entry, GroupList, Way, entries_of, parts, patch, with_members
from seatpool.servers.scim.users import PAGE, Identity, Resource, ScimUsers, page_of
from seatpool.text import escape_unprintable, format_names

LARGEST_PATCH = 100
"""Members that one PATCH adds or removes."""
GROUP_KNOWN_FOR = 600.0
"""Seconds after which a group is searched by its name again."""
LONGEST_ID = 1024
PAUSES = (0.0, 0.3, 1.0)
"""Seconds before each look at what another way of writing did."""
KEEP_MARK = "set spec.scim.keepMark: false, so that the operator leaves externalId alone"
_REFUSALS = frozenset({400, 404, 405, 410, 411, 413, 415, 422, 428, 500, 501})
"""Refusals after which another way is tried. 404 and 410 are for services without the method; a group that is gone is told."""
_UNKNOWN_METHOD = frozenset({405, 501})


@dataclass(frozen=True, slots=True)
class _Service:
    """What /ServiceProviderConfig says. None: nothing."""

    etag: bool | None = None
    patch: bool | None = None


class _Refused(Exception):
    """A way of writing is refused. Another one may not be."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.problem)
        self.answer = answer


class _MarkMissing(Exception):
    """The service says that it wrote the group, and the group has no mark."""


class ScimTarget:
    """The `ListTarget` of a SCIM service."""

    def __init__(
        self,
        settings: ScimSettings,
        client: ScimClient,
        *,
        timeout: timedelta,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._client = client
        self._timeout = timeout
        self._monotonic = monotonic
        self._users = ScimUsers(client, settings.user_attribute, monotonic=monotonic)
        self._groups: dict[str, tuple[str, float]] = {}
        self._service: _Service | None = None
        self._has_versions = False
        self._proven: Way | None = None
        self._unknown: set[Way] = set()

    @property
    def capabilities(self) -> Capabilities:
        """What the service is known to do. Until a group was read, the least is taken for true."""
        service = self._service or _Service()
        is_fenced = self._has_versions and service.etag is True
        return Capabilities(
            fence=Fence.NATIVE if is_fenced else Fence.MARK,
            largest_change=None if self._ways(has_version=self._has_versions)[0] is Way.PUT else LARGEST_PATCH,
            keeps_results=False,
            knows_users=True,
            empty_is_placeholder=True,  # a group is empty in one way only
            ignores_case=ignores_case(self._settings.user_attribute),
        )

    @property
    def host(self) -> str:
        """Host and port of the service."""
        return self._client.host

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns what the service knows of each name."""
        async with self._limited():
            return await self._users.find(names)

    async def read(self, product: str) -> GroupList:
        """Returns the members of a product's group."""
        async with self._limited():
            if self._service is None:
                self._service = await self._ask_service()
            return await self._read(product)

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList | None:
        """Changes a group. What the service refuses is tried in another way."""
        assert isinstance(before, GroupList)  # noqa: S101
        self._refuse_foreign(product, before)
        refusals: list[str] = []
        is_marked = True
        async with self._limited():
            for way in self._ways(has_version=before.version is not None):
                try:
                    return await self._write(way, product, before, change)
                except _Refused as refused:
                    refusals.append(f"{way.split()[0]}: {refused.answer.problem}")
                    if refused.answer.status in _UNKNOWN_METHOD:
                        self._unknown.add(way)
                    if _is_about_the_mark(refused.answer) and self._settings.keep_mark:
                        is_marked = False
                except _MarkMissing:
                    is_marked = False
                    refusals.append(f"{way.split()[0]}: externalId did not stay")
        advice = KEEP_MARK if not is_marked else "check the operator's rights on this group"
        ways = format_names(dict.fromkeys(refusals))
        raise ListProblem(f"{self._group(product)} cannot be changed by {self.host} ({ways}); {advice}")

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:
        """Changes a group in the other ways, one after the other, until one has an effect."""
        assert isinstance(before, GroupList)  # noqa: S101
        used, *others = self._ways(has_version=before.version is not None)
        tried = False
        at = before
        async with self._limited():
            for way in others:
                try:
                    await self._write(way, product, at, change)
                except (_Refused, _MarkMissing):
                    continue
                tried = True
                for pause in PAUSES:
                    await asyncio.sleep(pause)
                    at = await self._read(product)
                    if Counter(one.reference for one in at.members) == Counter(change.whole):
                        self._proven = way
                        return True
        if self._proven is used:
            self._proven = None
        return tried

    def _ways(self, *, has_version: bool) -> tuple[Way, ...]:
        """Returns the ways to change a group, the best one first."""
        service = self._service or _Service()
        patches = () if service.patch is False else (Way.PATCH_PATH, Way.PATCH_VALUES, Way.PATCH_WHOLE)
        ordered = (Way.PUT, *patches) if has_version else (*patches, Way.PUT)
        known = [way for way in ordered if way not in self._unknown] or [Way.PUT]
        if self._proven in known:
            known.remove(self._proven)
            known.insert(0, self._proven)
        return tuple(known)

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        seconds = self._timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            message = f"{self.host} needed more than {seconds:.0f} s for what was asked of it"
            raise TransportError(CommandFault.TIMED_OUT, message, maybe_applied=True) from None

    async def _ask_service(self) -> _Service:
        answer = await self._client.get("ServiceProviderConfig")
        body = answer.body if answer.is_ok and answer.body is not None else {}
        return _Service(etag=_is_supported(body, "etag"), patch=_is_supported(body, "patch"))

    def _group(self, product: str) -> str:
        return f"the group {escape_unprintable(self._name(product))}"

    def _name(self, product: str) -> str:
        return self._settings.group.replace("{product}", product)

    async def _read(self, product: str) -> GroupList:
        group_id, group, version = await self._current(product)
        if "members" not in group:  # some services tell the members only if they are asked for
            asked = await self._client.get("Groups", group_id, attributes="displayName,externalId,members")
            if asked.is_ok and asked.body is not None and "members" in asked.body:
                group = {**group, "members": asked.body["members"]}
                version = asked.version or version
        entries = entries_of(group)
        unclear = [one.value for one in entries if _is_asked_for(one)]
        known = await self._users.identify(unclear)
        mark, foreign = self._mark(group)
        self._has_versions = version is not None
        return GroupList(
            members=tuple(_member(one, known.get(one.value)) for one in entries),
            mark=mark,
            version=version,
            group_id=group_id,
            group=group,
            foreign=foreign,
        )

    def _mark(self, group: Resource) -> tuple[Mark, str | None]:
        """Returns the mark of a group, and the externalId that is not the operator's."""
        text = group.get("externalId")
        if not self._settings.keep_mark or text is None or text == "":
            return Mark(), None
        mark = parse_mark(text) if isinstance(text, str) else None
        return (mark, None) if mark is not None else (Mark(), str(text))

    async def _current(self, product: str) -> tuple[str, Resource, str | None]:
        """Returns a product's group with its id and version. Raises ListProblem."""
        group_id, until = self._groups.get(product, ("", 0.0))
        if until > self._monotonic():
            answer = await self._client.get("Groups", group_id)
            if answer.is_ok and answer.body is not None and answer.body.get("displayName") == self._name(product):
                return group_id, answer.body, answer.version
        self._groups.pop(product, None)
        group_id = await self._search(product)
        answer = await self._client.get("Groups", group_id)
        if not answer.is_ok or answer.body is None:
            raise ListProblem(
                f"{self._group(product)} cannot be read: {self.host} answered {answer.problem}; check the operator's rights"
            )
        self._groups[product] = (group_id, self._monotonic() + GROUP_KNOWN_FOR)
        return group_id, answer.body, answer.version

    async def _search(self, product: str) -> str:
        """Returns the id of the one group with a product's name. Raises ListProblem."""
        name = self._name(product)
        found: dict[str, Resource] = {}
        while True:
            answer = await self._client.get(
                "Groups",
                filter=equals("displayName", name),
                excludedAttributes="members",
                startIndex=len(found) + 1,
                count=PAGE,
            )
            if not answer.is_ok:
                fault = CommandFault.REFUSED if answer.status == 403 else CommandFault.BAD_ANSWER
                message = f"{self.host} answered {answer.problem} to the search for {self._group(product)}"
                raise TransportError(fault, message, maybe_applied=False)
            page, total = page_of(answer)
            before = len(found)
            found.update((one["id"], one) for one in page)
            if len(found) >= total or len(found) == before:
                break
        same = [one for one, group in found.items() if group.get("displayName") == name]
        if len(same) == 1:
            return same[0]
        if len(same) > 1:
            raise ListProblem(
                f"{self._group(product)} is there {len(same)} times on {self.host}; give each group a displayName of its own"
            )
        near = [text for group in found.values() if isinstance(text := group.get("displayName"), str)]
        other = next((one for one in near if one.lower() == name.lower()), None)
        hint = f"; there is {escape_unprintable(other)}, which differs in the case of letters" if other else ""
        raise ListProblem(
            f"{self._group(product)} is not on {self.host}{hint}; create the group, or correct spec.scim.group"
        )

    def _refuse_foreign(self, product: str, before: GroupList) -> None:
        if before.foreign is not None:
            shown = escape_unprintable(before.foreign)[:80]
            raise ListProblem(
                f"{self._group(product)} has the externalId {shown}, which the operator did not write and does not overwrite; "
                f"{KEEP_MARK}"
            )

    async def _write(self, way: Way, product: str, before: GroupList, change: MemberChange) -> GroupList:
        """Changes a group in one way. Raises _Refused, _MarkMissing, ListProblem or ChangedMeanwhile."""
        external_id = mark_text(change.mark) if self._settings.keep_mark else None
        pieces: tuple[MemberChange, ...] = (change,)
        if way in (Way.PATCH_PATH, Way.PATCH_VALUES):
            pieces = parts(change, [one.reference for one in before.members], largest=LARGEST_PATCH)
        at = before
        for piece in pieces:
            if at.version is None:
                await self._check_mark(product, at)
            if way is Way.PUT:
                body = with_members(at.group, piece.whole, external_id)
                answer = await self._client.put("Groups", at.group_id, body=body, version=at.version)
            else:
                body = patch(way, at.group, piece, external_id)
                answer = await self._client.patch("Groups", at.group_id, body=body, version=at.version)
            self._check(product, answer)
            at = await self._after(product, at, piece, answer, external_id)
        return at

    def _check(self, product: str, answer: Answer) -> None:
        if answer.is_ok:
            return
        if answer.status in (409, 412):
            raise ChangedMeanwhile(f"{self._group(product)} was changed by another writer at the same time")
        if answer.status in _REFUSALS:
            raise _Refused(answer)
        raise ListProblem(
            f"{self._group(product)} cannot be changed: {self.host} answered {answer.problem}; check the operator's rights on it"
        )

    async def _check_mark(self, product: str, at: GroupList) -> None:
        """Raises ChangedMeanwhile if a group that has no version has not the mark that was read."""
        if self._settings.keep_mark and self._mark((await self._light(product, at))[0]) != (at.mark, None):
            raise ChangedMeanwhile(f"{self._group(product)} got the mark of another writer at the same time")

    async def _light(self, product: str, at: GroupList) -> tuple[Resource, str | None]:
        """Returns a group without its members, if the service can leave them out, and its version."""
        answer = await self._client.get("Groups", at.group_id, excludedAttributes="members")
        if not answer.is_ok or answer.body is None:
            raise ListProblem(f"{self._group(product)} cannot be read: {self.host} answered {answer.problem}")
        return answer.body, answer.version

    async def _after(
        self, product: str, at: GroupList, change: MemberChange, answer: Answer, external_id: str | None
    ) -> GroupList:
        """Returns a group as it has to be for the next change. The first mark of a group is looked for."""
        version = answer.version
        is_first = external_id is not None and at.mark == Mark()
        if is_first or (at.version is not None and version is None):
            shown, version = await self._light(product, at)
            if external_id is not None and shown.get("externalId") != external_id:
                if shown.get("externalId"):
                    raise ChangedMeanwhile(f"{self._group(product)} got another externalId at the same time")
                raise _MarkMissing
        kinds = {one.reference: one for one in at.members}
        return replace(
            at,
            members=tuple(kinds.get(one, Member(one, MemberKind.USER)) for one in change.whole),
            mark=change.mark if external_id is not None else at.mark,
            version=version if at.version is not None else None,
            group=with_members(at.group, change.whole, external_id),
        )


def _is_supported(body: Mapping[str, Any], feature: str) -> bool | None:
    section = body.get(feature)
    supported = section.get("supported") if isinstance(section, Mapping) else None
    return supported if isinstance(supported, bool) else None


def _is_about_the_mark(answer: Answer) -> bool:
    return answer.kind == "mutability" or "externalid" in answer.problem.lower()


def _is_asked_for(entry: Entry) -> bool:
    """Tells whether the service has to be asked what a member is."""
    return bool(entry.value) and entry.is_group is not True and _is_path_safe(entry.value)


def _is_path_safe(value: str) -> bool:
    """Tells whether an id can be in a URL without harm. A service may fail at a control character, and `..` is another path."""
    return value not in (".", "..") and value.isprintable() and len(value) <= LONGEST_ID


def _member(entry: Entry, identity: Identity | None) -> Member:
    if identity is None:
        return Member(entry.value, MemberKind.OTHER)
    return Member(entry.value, identity.kind, identity.name)
