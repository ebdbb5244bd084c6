"""Tells by its tags whether a machine is a workbench, whose it is, and of which type.

A profile names the tags of a platform, so that a site of that platform sets nothing else. Every key stays a setting of
its own. A type is the value of one tag, or is composed of several: `{vew:product:name}-{vew:product:versionName}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seatpool.api.workbench import SourceKind
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.text import format_names

_FIELD = re.compile(r"\{([^{}]{1,128})\}")
_FILTER_WILDCARDS = re.compile(r"[*?\\]")


class Profile(StrEnum):
    """Platforms whose tags are known."""

    TAGS = "tags"
    """The tags of the published pipeline."""
    VEW = "vew"
    """The tags that the Virtual Engineering Workbench puts on what it launches."""


PRESETS: Mapping[Profile, Mapping[str, Any]] = {
    Profile.TAGS: {"tag_owner": "vew:workbench:ownerId", "tag_type": "vew:workbench:type"},
    Profile.VEW: {
        "tag_owner": "vew:provisionedProduct:ownerId",
        "tag_type": "vew:product:name",
        "require": {"vew:product:type": ["WORKBENCH", "CONTAINER"]},
        "sources": [SourceKind.EC2, SourceKind.ECS],
    },
}
"""Settings of each profile, by name."""


def with_preset(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns settings with those of the profile where none are given."""
    profile = data.get("profile", Profile.TAGS)
    preset = PRESETS.get(Profile(profile)) if profile in set(Profile) else None
    return data if preset is None else {**preset, **data}


def keys_of_type(tag_type: str) -> tuple[str, ...]:
    """Returns the keys of the tags that a type is made of. Raises ValueError."""
    if "{" not in tag_type and "}" not in tag_type:
        return (tag_type,)
    keys = tuple(_FIELD.findall(tag_type))
    if not keys or re.search(r"[{}]", _FIELD.sub("", tag_type)):
        raise ValueError(
            f"tag_type {tag_type}: put each tag's key into braces, for example "
            "{vew:product:name}-{vew:product:versionName}, or name one tag without braces"
        )
    return keys


@dataclass(frozen=True, slots=True)
class TagReading:
    """What the tags of a machine say."""

    owner: str | None
    type: str | None
    excluded: bool = False
    """True: a tag of `require` has a value that is not listed. It is no workbench, whatever the others say."""
    incomplete: bool = False
    """True: a tag of `require` is missing."""

    @property
    def is_workbench(self) -> bool:
        """True: the machine has an owner, a type and every required tag."""
        return self.owner is not None and self.type is not None and not self.excluded and not self.incomplete


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchTags:
    """The tags that make a machine a workbench."""

    owner: str
    type: str
    require: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    profile: Profile = Profile.TAGS

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all tags that are read, each once."""
        return tuple(dict.fromkeys((self.owner, *keys_of_type(self.type), *self.require)))

    def read(self, tags: Mapping[str, str], aliases: TypeAliases) -> TagReading:
        """Returns what the tags say. An empty value is none."""
        return TagReading(
            owner=tags.get(self.owner) or None,
            type=self._type(tags, aliases),
            excluded=any(tags[key] not in values for key, values in self.require.items() if tags.get(key)),
            incomplete=not all(tags.get(key) for key in self.require),
        )

    def ec2_filters(self) -> list[dict[str, Any]]:
        """Returns filters for DescribeInstances that show every workbench, and as few others as they can."""
        filters: list[dict[str, Any]] = [
            {"Name": "tag-key", "Values": [key]} for key in (self.owner, *keys_of_type(self.type))
        ]
        for key, values in self.require.items():
            # EC2 takes * and ? in a filter's values as wildcards.
            exact = not any(_FILTER_WILDCARDS.search(value) for value in values)
            filters.append(
                {"Name": f"tag:{key}", "Values": list(values)} if exact else {"Name": "tag-key", "Values": [key]}
            )
        return filters

    def __str__(self) -> str:
        """Names the tags, for messages."""
        keys = [self.owner, *keys_of_type(self.type)]
        required = [f"{key} ({' or '.join(values)})" for key, values in self.require.items()]
        if len(keys) == 2 and not required:
            return f"both tags {keys[0]} and {keys[1]}"
        named = [*keys, *required]
        return f"all the tags {', '.join(named[:-1])} and {named[-1]}"

    def hint(self, seen: frozenset[str]) -> str:
        """Returns which other profile fits the keys of tags that were seen. Empty: none does."""
        fitting = [
            profile.value
            for profile, preset in PRESETS.items()
            if profile is not self.profile and {preset["tag_owner"], *keys_of_type(preset["tag_type"])} <= seen
        ]
        return f"mirror.profile: {format_names(fitting)} has such tags" if fitting else ""

    def _type(self, tags: Mapping[str, str], aliases: TypeAliases) -> str | None:
        keys = keys_of_type(self.type)
        if not all(tags.get(key) for key in keys):
            return None
        value = tags[self.type] if keys == (self.type,) else _FIELD.sub(lambda found: tags[found[1]], self.type)
        return aliases.resolve(value)
