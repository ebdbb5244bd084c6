"""Keeps a list as the members of a group in a directory.

A group says who wrote it by a value of the mark attribute. A Modify removes the value that was read and adds the new one,
together with the members, so the directory refuses it if another operator has written meanwhile. The first mark of a group has
no value to remove. It is fenced by the assertion control where the directory has it. Elsewhere the group is read after it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import ldap3

from seatpool.api.list_backends import LdapSettings
from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.direct.marks import BEGINNING, mark_text, marks_of
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
from seatpool.servers.ldap.client import LdapClient
from seatpool.servers.ldap.distinguished_names import compared, escape_value
from seatpool.servers.ldap.filters import has_no_mark_filter
from seatpool.servers.ldap.members import MemberLookup
from seatpool.servers.ldap.results import (
    ATTRIBUTE_OR_VALUE_EXISTS,
    CONSTRAINT_VIOLATION,
    MAYBE_CHANGED,
    SUCCESS,
    change_error,
    read_error,
)
from seatpool.servers.ldap.session import ASSERTION, Entry, ValueChange
from seatpool.text import escape_unprintable

LARGEST_CHANGE = 500
"""Members that one Modify changes. Active Directory takes 5,000 values, and a smaller change keeps other writers waiting less."""
MOST_RANGES = 10_000
READ_ATTEMPTS = 3
"""Attempts to read a group that is changed between two parts of its members."""
_VERSION = "uSNChanged"
"""Attribute of Active Directory that changes with the entry."""
_NEVER_EMPTY = frozenset({"groupofnames", "groupofuniquenames"})
"""Classes of groups that always have a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A group as it was read."""

    members: tuple[str, ...]
    notes: tuple[str, ...]
    """Values of the mark attribute."""


class LdapTarget:
    """The groups of one directory."""

    def __init__(self, settings: LdapSettings, client: LdapClient, lookup: MemberLookup) -> None:
        self._settings = settings
        self._client = client
        self._lookup = lookup

    @property
    def capabilities(self) -> Capabilities:
        """The mark is compared by the directory, and names of users have no case."""
        return Capabilities(
            fence=Fence.NATIVE,
            largest_change=LARGEST_CHANGE,
            keeps_results=False,
            knows_users=True,
            empty_is_placeholder=True,
            ignores_case=True,
        )

    @property
    def host(self) -> str:
        """Name of the server."""
        return self._client.host

    async def read(self, product: str) -> TargetList:
        """Returns the members of a product's group, and its mark. Raises ListProblem and TransportError."""
        group = await self._read(product)
        members = await self._lookup.members(group.members, placeholder=self._settings.placeholder_member)
        marks = marks_of(group.notes)
        return TargetList(
            members=members, mark=marks[0][1] if marks else Mark(), version="\n".join(one[0] for one in marks)
        )

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns the entries of users. Raises TransportError."""
        return await self._lookup.find(names)

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList:
        """Changes a group by one Modify. Returns the list as it is for the next one."""
        group = self._dn(product)
        old, new = tuple((before.version or "").splitlines()), mark_text(change.mark)
        members = self._members(before, change)
        changes = (
            ValueChange(self._settings.mark_attribute, remove=old, add=(new,)),
            *((members,) if members.add or members.remove else ()),
        )
        is_first = not old
        only_if = await self._first_mark_filter(product) if is_first else None
        result = await self._client.modify(group, changes, only_if=only_if)
        if result.code != SUCCESS:
            if is_first and result.code in (ATTRIBUTE_OR_VALUE_EXISTS, CONSTRAINT_VIOLATION):
                await self._check_room_for_mark(product)
            if result.code in MAYBE_CHANGED and await self._is_changed(product, before):
                raise ChangedMeanwhile(f"{product}: another writer changed the group at the same time ({result})")
            raise change_error(self._client.host, product, group, result)
        if is_first and only_if is None:
            await self._check_only_mark(product, new)
        return self._after(before, change, members, new)

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:  # noqa: ARG002
        """Returns False: a directory does what it answers, or another program undoes it."""
        return False

    async def close(self) -> None:
        """Closes the connection."""
        await self._client.close()

    def _dn(self, product: str) -> str:
        return self._settings.group.replace("{product}", escape_value(product))

    def _members(self, before: TargetList, change: MemberChange) -> ValueChange:
        """Returns the members that a Modify changes, with the placeholder of an empty list."""
        placeholder = self._settings.placeholder_member
        present = tuple(one.reference for one in before.members if one.kind is MemberKind.PLACEHOLDER)
        remove, add = change.remove, change.add
        if placeholder is not None:
            if change.whole:
                remove = (*remove, *present)
            elif not present:
                add = (*add, placeholder)
        return ValueChange(self._settings.member_attribute, remove=remove, add=add)

    def _after(self, before: TargetList, change: MemberChange, members: ValueChange, mark: str) -> TargetList:
        removed = set(members.remove)
        special = self._settings.placeholder_member
        kept = tuple(one for one in before.members if one.reference not in removed)
        added = tuple(
            Member(reference, MemberKind.PLACEHOLDER if reference == special else MemberKind.USER)
            for reference in members.add
        )
        return replace(before, members=(*kept, *added), mark=change.mark, version=mark)

    async def _first_mark_filter(self, product: str) -> str | None:
        """Returns the filter that a group without a mark matches. None: the directory cannot be asked to compare so.

        A value of others that begins as a mark does would not match either.
        """
        attribute = self._settings.mark_attribute
        if ASSERTION not in await self._client.controls():
            return None
        notes = (await self._entry(product, (attribute,))).values(attribute)
        if marks_of(notes):
            raise ChangedMeanwhile(f"{product}: another operator wrote the group at the same time")
        return None if any(note.startswith(BEGINNING) for note in notes) else has_no_mark_filter(attribute, BEGINNING)

    async def _check_room_for_mark(self, product: str) -> None:
        """Raises ListProblem if the mark attribute has another use and takes one value only."""
        notes = (await self._read(product)).notes
        if notes and not marks_of(notes):
            raise ListProblem(
                f"{product}: group {escape_unprintable(self._dn(product))} has another {self._settings.mark_attribute}, and "
                "takes no second one for the operator's mark; name an attribute that is free in spec.ldap.markAttribute"
            )

    async def _is_changed(self, product: str, before: TargetList) -> bool:
        """Tells whether a group is no longer as it was read. No code of a result says so for sure."""
        group = await self._read(product)
        present = sorted(compared(member) for member in group.members)
        marks = "\n".join(value for value, _ in marks_of(group.notes))
        return marks != before.version or present != sorted(compared(member.reference) for member in before.members)

    async def _check_only_mark(self, product: str, mark: str) -> None:
        """Raises ChangedMeanwhile if another operator wrote its first mark at the same time and is not older."""
        marks = marks_of((await self._read(product)).notes)
        if not marks or marks[0][0] != mark:
            raise ChangedMeanwhile(f"{product}: another operator wrote the group at the same time")

    async def _read(self, product: str) -> _Group:
        for _ in range(READ_ATTEMPTS):
            group = await self._read_once(product)
            if group is not None:
                return group
        raise ChangedMeanwhile(f"{product}: group {escape_unprintable(self._dn(product))} changes while it is read")

    async def _read_once(self, product: str) -> _Group | None:
        """Returns a group. None: it changed between two parts of its members."""
        member, note = self._settings.member_attribute, self._settings.mark_attribute
        first = await self._entry(product, ("objectClass", member, note, _VERSION))
        members, following = _part(first, member)
        found = list(members)
        for _ in range(MOST_RANGES):
            if following is None:
                break
            more = await self._entry(product, (f"{member};range={following}-*", _VERSION))
            if more.values(_VERSION) != first.values(_VERSION):
                return None
            members, following = _part(more, member)
            found += members
        classes = {value.lower() for value in first.values("objectClass")}
        if not found and not classes.isdisjoint(_NEVER_EMPTY):
            raise ListProblem(
                f"{product}: the operator's account cannot read {member} of group {escape_unprintable(self._dn(product))}; "
                "give it the right"
            )
        return _Group(members=tuple(found), notes=first.values(note))

    async def _entry(self, product: str, attributes: Sequence[str]) -> Entry:
        group = self._dn(product)
        result, entries = await self._client.search(group, "(objectClass=*)", attributes, scope=ldap3.BASE)
        if result.code != SUCCESS:
            raise read_error(self._client.host, product, group, result)
        if len(entries) != 1:
            raise ListProblem(
                f"{product}: group {escape_unprintable(group)} cannot be seen by the operator's account; "
                "give it the right to read it"
            )
        return entries[0]


def _part(entry: Entry, attribute: str) -> tuple[tuple[str, ...], int | None]:
    """Returns the members in an answer, and where the next part begins. None: these are the last ones."""
    beginning = f"{attribute.lower()};range="
    for name in entry.attributes:
        if name.startswith(beginning):
            last = name.removeprefix(beginning).partition("-")[2]
            return entry.values(name), int(last) + 1 if last.isdecimal() else None
    return entry.values(attribute), None
