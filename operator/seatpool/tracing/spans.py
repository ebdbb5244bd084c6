"""Spans as the rest of the program sees them. Whoever wants no traces pays for none: OpenTelemetry is not even imported.

The way from a message to a list goes over the Kubernetes API and through a reconciler that answers many messages by one
command, so the present span alone does not join it. A `Mark` is what is carried along instead: where in which trace
something began.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

Mark = object
"""A place in a trace, which can be hashed; only whoever made it can read it."""
Fact = str | int | float | bool | tuple[str, ...]


class Role(Enum):
    """What a span is to the one that it waits for."""

    INTERNAL = auto()
    CONSUMER = auto()
    """It handles a message."""
    CLIENT = auto()
    """It asks another program."""


class Traces(Protocol):
    """Where spans go."""

    def span(
        self,
        name: str,
        *,
        role: Role = Role.INTERNAL,
        parent: Mark | None = None,
        links: Iterable[Mark] = (),
        facts: Mapping[str, Fact] | None = None,
    ) -> AbstractContextManager[Mark | None]:
        """A span around a block, within the present one, or within `parent` when that is given."""

    def link(self, marks: Iterable[Mark]) -> None:
        """Say that the present span has to do with these too."""

    def note(self, facts: Mapping[str, Fact]) -> None:
        """Add facts to the present span."""

    def record(
        self,
        name: str,
        *,
        parent: Mark,
        links: Iterable[Mark],
        began: datetime,
        ended: datetime,
        facts: Mapping[str, Fact],
    ) -> None:
        """A span whose beginning and end are known only now."""

    def trace_id(self, mark: Mark | None) -> str | None:
        """The trace of a mark, as people search for it."""

    def close(self) -> None:
        """Send what has not been sent."""


_NOTHING: AbstractContextManager[None] = nullcontext()


class Untraced:
    """No traces."""

    def span(
        self,
        name: str,
        *,
        role: Role = Role.INTERNAL,
        parent: Mark | None = None,
        links: Iterable[Mark] = (),
        facts: Mapping[str, Fact] | None = None,
    ) -> AbstractContextManager[Mark | None]:
        del name, role, parent, links, facts
        return _NOTHING

    def link(self, marks: Iterable[Mark]) -> None:
        del marks

    def note(self, facts: Mapping[str, Fact]) -> None:
        del facts

    def record(
        self,
        name: str,
        *,
        parent: Mark,
        links: Iterable[Mark],
        began: datetime,
        ended: datetime,
        facts: Mapping[str, Fact],
    ) -> None:
        del name, parent, links, began, ended, facts

    def trace_id(self, mark: Mark | None) -> str | None:
        del mark
        return None

    def close(self) -> None:
        pass


UNTRACED = Untraced()
