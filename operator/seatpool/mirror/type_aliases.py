"""Types by another name: sites tag with whatever their images are called, and pools should not have to know.

Each name is replaced once, so that no chain of aliases can run in a circle.
"""

from collections.abc import Mapping


class TypeAliases:
    """From the value of the type tag to the type of the Workbench. May be replaced while the mirror runs."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = dict(aliases)

    def replace(self, aliases: Mapping[str, str]) -> None:
        self._aliases = dict(aliases)

    def of(self, tag_value: str) -> str:
        return self._aliases.get(tag_value, tag_value)
