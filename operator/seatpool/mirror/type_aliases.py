"""Translates values of the type tag, so that pools need not know how a site names its images.

A value is translated once, so aliases cannot form a circle.
"""

from collections.abc import Mapping


class TypeAliases:
    """Types of Workbenches by the value of the type tag. They may be replaced while the mirror runs."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = dict(aliases)

    def replace(self, aliases: Mapping[str, str]) -> None:
        """Takes over other aliases."""
        self._aliases = dict(aliases)

    def resolve(self, tag_value: str) -> str:
        """Returns the type for a tag value. Without an alias it is the value itself."""
        return self._aliases.get(tag_value, tag_value)
