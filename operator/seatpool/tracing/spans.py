"""Defines the interface to traces. Without traces nothing of OpenTelemetry is imported.

A message becomes a list over the Kubernetes API and through a reconciler that serves many messages by one command. So
the current span alone does not connect the two. A `Mark` is carried along instead. It says where in which trace
something began.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

Mark = object
"""A place in a trace. It is hashable, and only the `Traces` that made it can read it."""
Fact = str | int | float | bool | tuple[str, ...]


class Role(Enum):
    """Relation of a span to the program on the other side."""

    INTERNAL = auto()
    CONSUMER = auto()
    """The span handles a message."""
    CLIENT = auto()
    """The span waits for another program."""


class Traces(Protocol):
    """Destination of spans."""

    def span(
        self,
        name: str,
        *,
        role: Role = Role.INTERNAL,
        parent: Mark | None = None,
        links: Iterable[Mark] = (),
        facts: Mapping[str, Fact] | None = None,
    ) -> AbstractContextManager[Mark | None]:
        """Opens a span around a block, inside the current span, or inside `parent` if it is given."""

    def link(self, marks: Iterable[Mark]) -> None:
        """Links the current span to these marks."""

    def note(self, facts: Mapping[str, Fact]) -> None:
        """Adds attributes to the current span."""

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
        """Records a span whose begin and end are both in the past."""

    def trace_id(self, mark: Mark | None) -> str | None:
        """Returns the id of the trace of a mark, as trace viewers show it. None: there is no trace."""

    def close(self) -> None:
        """Sends the spans that were not sent yet."""


_NOTHING: AbstractContextManager[None] = nullcontext()


class Untraced:
    """Implements `Traces` and does nothing."""

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
