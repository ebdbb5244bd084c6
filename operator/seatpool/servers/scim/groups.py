"""Reads a group, and writes the requests that change it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from seatpool.servers.direct.target import MemberChange, TargetList
from seatpool.servers.scim.filters import equals

PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Way(StrEnum):
    """Ways to change the members of a group. Services carry out some, and only say so of others."""

    PUT = "PUT"
    """Replace the group."""
    PATCH_PATH = "PATCH with a path for each member that is removed"
    PATCH_VALUES = "PATCH with the values of the members that are removed"
    PATCH_WHOLE = "PATCH with all members"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupList(TargetList):
    """A list as it was read, with the group that it was read from."""

    group_id: str
    group: Mapping[str, Any]
    """The group as the service gave it."""
    foreign: str | None = None
    """An externalId that is not the operator's. None: there is none, or the attribute is not used."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as a group has it."""

    value: str
    """Id of the member. Empty: it has none."""
    is_group: bool | None
    """None: the group does not say."""


def entries_of(group: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Returns the members of a group. What cannot be read is an entry without a value."""
    members = group.get("members")
    if members is None:
        return ()
    return tuple(_entry(one) for one in (members if isinstance(members, list) else [members]))


def _entry(member: Any) -> Entry:
    if not isinstance(member, Mapping):
        return Entry(member if isinstance(member, str) else "", None)
    value, kind, link = member.get("value"), member.get("type"), member.get("$ref")
    if isinstance(kind, str) and kind:
        is_group: bool | None = kind.lower() != "user"
    elif isinstance(link, str) and link:
        is_group = "/groups/" in link.lower() if "/users/" not in link.lower() else False
    else:
        is_group = None
    return Entry(value if isinstance(value, str) else "", is_group)


def with_members(group: Mapping[str, Any], whole: Sequence[str], external_id: str | None) -> dict[str, Any]:
    """Returns the group with these members. Members that it has stay as they are, and so does everything else.

    `external_id` None: that stays too.
    """
    kept: dict[str, list[Any]] = {}
    members = group.get("members")
    for member in members if isinstance(members, list) else ():
        kept.setdefault(_entry(member).value, []).append(member)
    written = [kept[value].pop(0) if kept.get(value) else {"value": value} for value in whole]
    changed = {**group, "members": written}
    if external_id is not None:
        changed["externalId"] = external_id
    return changed


def patch(way: Way, group: Mapping[str, Any], change: MemberChange, external_id: str | None) -> dict[str, Any]:
    """Returns the body of the PATCH for a change. The mark comes first, so a request that is cut short has fenced."""
    operations: list[dict[str, Any]] = []
    if external_id is not None:
        had = bool(group.get("externalId"))
        operations.append({"op": "replace" if had else "add", "path": "externalId", "value": external_id})
    if way is Way.PATCH_WHOLE:
        operations.append(_whole(change.whole))
    else:
        operations.extend(_difference(way, change))
    return {"schemas": [PATCH_SCHEMA], "Operations": operations}


def _whole(whole: Sequence[str]) -> dict[str, Any]:
    if not whole:
        return {"op": "remove", "path": "members"}
    return {"op": "replace", "path": "members", "value": _values(whole)}


def _difference(way: Way, change: MemberChange) -> list[dict[str, Any]]:
    removed = [value for value in dict.fromkeys(change.remove) if value]
    operations: list[dict[str, Any]] = []
    if way is Way.PATCH_PATH:
        operations += [{"op": "remove", "path": f"members[{equals('value', value)}]"} for value in removed]
    elif removed:
        operations.append({"op": "remove", "path": "members", "value": _values(removed)})
    stay = Counter(change.whole)
    again = [value for value in removed for _ in range(stay[value])]  # a removal takes away all copies of a member
    added = [*again, *(value for value in change.add if value not in removed)]
    if added:
        operations.append({"op": "add", "path": "members", "value": _values(added)})
    return operations


def _values(references: Sequence[str]) -> list[dict[str, str]]:
    return [{"value": one} for one in references]


def parts(change: MemberChange, present: Sequence[str], *, largest: int) -> tuple[MemberChange, ...]:
    """Returns the change in parts of at most so many members. Engines ask for parts themselves, if they know the limit."""
    if len(change.add) + len(change.remove) <= largest:
        return (change,)
    steps = [(False, one) for one in change.remove] + [(True, one) for one in change.add]
    have = Counter(present)
    found = []
    for start in range(0, len(steps), largest):
        part = steps[start : start + largest]
        added = tuple(one for is_added, one in part if is_added)
        removed = tuple(one for is_added, one in part if not is_added)
        have.subtract(removed)
        have.update(added)
        whole = tuple(sorted(have.elements()))
        found.append(MemberChange(add=added, remove=removed, whole=whole, mark=change.mark))
    return tuple(found)
