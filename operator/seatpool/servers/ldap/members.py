"""Tells which users the members of a group are, by asking the directory.

A member is a user if it is an entry that `spec.ldap.users` can find. Its name is the value of the name attribute, whatever its
distinguished name looks like. A member whose entry does not exist is a ghost. Everything else, such as a nested group, is
something other. Many members are looked up by one search: an entry has the values of its own name as attributes.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import ldap3

from seatpool.api.list_backends import LdapScope, LdapUsers
from seatpool.servers.direct.target import Found, Member, MemberKind
from seatpool.servers.ldap.client import LdapClient
from seatpool.servers.ldap.distinguished_names import BadName, Name, compared, is_below, parse
from seatpool.servers.ldap.filters import any_of, any_user_filter, both, entry_filter, user_filter
from seatpool.servers.ldap.results import (
    NO_SUCH_OBJECT,
    SIZE_LIMIT_EXCEEDED,
    SUCCESS,
    LdapResult,
    server_error,
)
from seatpool.servers.ldap.session import Entry
from seatpool.text import escape_unprintable, format_names

BATCH = 100
"""Users that are looked up by one search."""
KNOWN_FOR = 300.0
"""Seconds for which a member is taken for the user that it was."""
UNKNOWN_FOR = 60.0
"""The same for a member that was no user."""
MOST_KNOWN = 100_000
GROUP_CLASSES = frozenset(
    {"group", "groupofnames", "groupofuniquenames", "groupofmembers", "posixgroup", "groupofurls", "organizationalrole"}
)
"""Object classes of entries that are no users, though they may have a name attribute."""


@dataclass(frozen=True, slots=True)
class _Known:
    kind: MemberKind
    name: str
    until: float


class MemberLookup:
    """Looks up members and users. It remembers members for a while."""

    def __init__(
        self, client: LdapClient, users: LdapUsers, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._users = users
        self._monotonic = monotonic
        self._known: dict[str, _Known] = {}
        self._attributes = ("objectClass", users.name_attribute)
        self._scope = ldap3.LEVEL if users.scope is LdapScope.ONE_LEVEL else ldap3.SUBTREE

    async def members(self, references: Sequence[str], *, placeholder: str | None) -> tuple[Member, ...]:
        """Returns what the members of a group are, in order. `placeholder`: the member that stands for an empty list."""
        now = self._monotonic()
        keys = {reference: compared(reference) for reference in references}
        special = compared(placeholder) if placeholder is not None else None
        known = {key: one for key in keys.values() if (one := self._known.get(key)) is not None and one.until > now}
        unknown = {key: reference for reference, key in keys.items() if key != special and key not in known}
        known |= await self._look_up(unknown)
        return tuple(
            Member(reference, MemberKind.PLACEHOLDER)
            if keys[reference] == special
            else Member(reference, known[keys[reference]].kind, known[keys[reference]].name)
            for reference in references
        )

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns the entries of users by their names."""
        found: dict[str, Found] = {}
        wanted = sorted(names)
        for start in range(0, len(wanted), BATCH):
            await self._find(wanted[start : start + BATCH], found)
        return found

    async def _find(self, names: Sequence[str], found: dict[str, Found]) -> None:
        """Looks up users together, and each one alone of whom that leaves a doubt."""
        filters = [user_filter(self._users.filter, name) for name in names]
        result, entries = await self._search(any_of(filters))
        if result.code == SIZE_LIMIT_EXCEEDED and len(names) > 1:
            middle = len(names) // 2
            await self._find(names[:middle], found)
            await self._find(names[middle:], found)
            return
        if len(names) == 1:
            if entries:
                found[names[0]] = self._found(names[0], entries, is_cut=result.code == SIZE_LIMIT_EXCEEDED)
            return
        by_name: dict[str, list[Entry]] = {}
        for entry in entries:
            for value in entry.values(self._users.name_attribute):
                by_name.setdefault(value.casefold(), []).append(entry)
        explained = set()
        for name in names:
            matching = by_name.get(name.casefold(), [])
            if len(matching) == 1:
                found[name] = self._found(name, matching)
                explained.add(matching[0].dn)
        rest = [name for name in names if name not in found]
        if any(entry.dn not in explained for entry in entries):
            for name in rest:
                await self._find((name,), found)

    def _found(self, name: str, entries: Sequence[Entry], *, is_cut: bool = False) -> Found:
        if len(entries) > 1 or is_cut:
            dns = format_names((escape_unprintable(entry.dn) for entry in entries), most=2)
            count = f"more than {len(entries)}" if is_cut else len(entries)
            return Found(None, f"{count} entries of the directory are found by this name: {dns}")
        entry = entries[0]
        dn = escape_unprintable(entry.dn)
        if _is_group(entry):
            return Found(None, f"the entry of this name is a group: {dn}")
        own = self._name(entry)
        if own is None:
            return Found(None, f"entry {dn} has no attribute {self._users.name_attribute}")
        if own.casefold() != name.casefold():
            return Found(None, f"entry {dn} has the name {escape_unprintable(own)}")
        self._remember(compared(entry.dn), MemberKind.USER, own)
        return Found(entry.dn)

    async def _look_up(self, references: Mapping[str, str]) -> Mapping[str, _Known]:
        """Finds out what members are. `references`: by the form in which they are compared."""
        base = _parsed(self._users.base)
        one_level = self._users.scope is LdapScope.ONE_LEVEL
        by_filter: dict[str, str] = {}
        below = set()
        for key, reference in references.items():
            name = _parsed(reference)
            if name and (base is None or is_below(name, base, one_level=one_level)):
                below.add(key)
                own = entry_filter(name[0])
                if own is not None:
                    by_filter[key] = own
        found: dict[str, _Known] = {}
        keys = sorted(by_filter)
        for start in range(0, len(keys), BATCH):
            await self._look_up_together([by_filter[key] for key in keys[start : start + BATCH]], found)
        for key, reference in references.items():
            if key not in found:
                kind, own_name = await self._look_up_alone(key, reference, may_be_user=key in below)
                found[key] = self._remember(key, kind, own_name)
        return found

    async def _look_up_together(self, filters: Sequence[str], found: dict[str, _Known]) -> None:
        """Takes down the users among the entries that these filters find. It finds more than it is asked for."""
        wanted = both(any_user_filter(self._users.filter), any_of(filters))
        result, entries = await self._search(wanted)
        if result.code == SIZE_LIMIT_EXCEEDED and len(filters) > 1:
            middle = len(filters) // 2
            await self._look_up_together(filters[:middle], found)
            await self._look_up_together(filters[middle:], found)
            return
        for entry in entries:
            name = self._name(entry)
            if name is not None and not _is_group(entry):
                key = compared(entry.dn)
                found[key] = self._remember(key, MemberKind.USER, name)

    async def _look_up_alone(self, key: str, reference: str, *, may_be_user: bool) -> tuple[MemberKind, str]:
        """Returns what a member is that no search of many found, and a user's name.

        A member that cannot be asked for is something other.
        """
        if key.startswith("!"):
            return MemberKind.OTHER, ""
        if may_be_user:
            _, entries = await self._entry(reference, any_user_filter(self._users.filter))
            name = self._name(entries[0]) if entries else None
            if name is not None and not _is_group(entries[0]):
                return MemberKind.USER, name
        result, entries = await self._entry(reference, "(objectClass=*)")
        is_missing = result.code == NO_SUCH_OBJECT or (result.code == SUCCESS and not entries)
        return (MemberKind.GHOST if is_missing else MemberKind.OTHER), ""

    async def _entry(self, reference: str, search_filter: str) -> tuple[LdapResult, tuple[Entry, ...]]:
        result, entries = await self._client.search(reference, search_filter, self._attributes, scope=ldap3.BASE)
        if result.is_momentary:
            raise server_error(self._client.host, f"member {escape_unprintable(reference)}", result)
        return result, entries

    async def _search(self, search_filter: str) -> tuple[LdapResult, tuple[Entry, ...]]:
        """Searches below the base of the users. Returns SUCCESS, or SIZE_LIMIT_EXCEEDED with a part of the entries."""
        result, entries = await self._client.search(
            self._users.base,
            search_filter,
            self._attributes,
            scope=self._scope,
            paged=True,
        )
        if result.code not in (SUCCESS, SIZE_LIMIT_EXCEEDED):
            place = f"users below spec.ldap.users.base {escape_unprintable(self._users.base)}"
            raise server_error(self._client.host, place, result)
        return result, entries

    def _name(self, entry: Entry) -> str | None:
        """Returns the one name of a user: that in the entry's own name if it is there, else the first by order."""
        values = entry.values(self._users.name_attribute)
        if len(values) <= 1:
            return values[0] if values else None
        levels = _parsed(entry.dn)
        own = {
            (part.value or "").casefold()
            for part in (levels[0] if levels else ())
            if part.type == self._users.name_attribute.lower()
        }
        return min(values, key=lambda value: (value.casefold() not in own, value))

    def _remember(self, key: str, kind: MemberKind, name: str) -> _Known:
        kept = KNOWN_FOR if kind is MemberKind.USER else UNKNOWN_FOR
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key] = known = _Known(kind, name, self._monotonic() + kept)
        return known


def _is_group(entry: Entry) -> bool:
    return not GROUP_CLASSES.isdisjoint(value.lower() for value in entry.values("objectClass"))


def _parsed(text: str) -> Name | None:
    try:
        return parse(text)
    except BadName:
        return None
