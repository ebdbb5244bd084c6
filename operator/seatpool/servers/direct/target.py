"""Interface of one kind of server that takes requests. It is all that a new kind of server has to implement."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from seatpool.domain.errors import SeatpoolError
from seatpool.servers.backend import Capabilities


class ListProblem(SeatpoolError):
    """One list cannot be read or changed. The message says why and what to do. Other lists are not concerned."""


class ChangedMeanwhile(ListProblem):
    """The server refused a change, because the list is no longer the one that was read."""


class MemberKind(StrEnum):
    """What an entry of a list refers to."""

    USER = "user"
    """A user. `name` is the server's name for it."""
    GHOST = "ghost"
    """Nothing: what it refers to does not exist any more."""
    PLACEHOLDER = "placeholder"
    """The entry that stands for an empty list."""
    OTHER = "other"
    """Something that is no user, or cannot be read. It may be important to others."""


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of a list."""

    reference: str
    """The entry as the server has it: a distinguished name, an id."""
    kind: MemberKind
    name: str = ""
    """Of a user: the name on the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who wrote a list, and by which command."""

    owner: str = ""
    """Installation. Empty: no operator wrote the list, or the server has no place for a mark."""
    revision: int = 0
    """Revision of the command. 0: no operator wrote the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetList:
    """A list as it was read."""

    members: tuple[Member, ...]
    """The entries. An entry that the server has twice is here twice."""
    mark: Mark = Mark()
    version: str | None = None
    """What the server compares before it changes the list, such as an ETag. None: it compares nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """The change that one request makes."""

    add: tuple[str, ...] = ()
    """References of the entries that are added."""
    remove: tuple[str, ...] = ()
    """References of the entries that are removed."""
    whole: tuple[str, ...]
    """References of all entries after the change. A target that replaces whole lists uses this alone."""
    mark: Mark
    """The mark after the change."""
    placeholder: bool = False
    """The list is empty after the change, and the placeholder is wanted."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a server knows of a name."""

    reference: str | None
    """The entry that a list would have. None: see `problem`."""
    problem: str = ""
    """Why the user cannot be on a list, in a sentence without its end."""


class ListTarget(Protocol):
    """A server with lists. Every method raises TransportError if the server cannot be asked at all.

    A success answer of the server proves nothing: callers read the list back.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the server can do."""

    @property
    def host(self) -> str:
        """Name of the server, for messages. It has no credentials."""

    async def read(self, product: str) -> TargetList:
        """Returns the whole list of a product. Raises ListProblem."""

    async def find(self, names: Collection[str]) -> Mapping[str, Found]:
        """Returns what the server knows of each name. It knows nothing of a name that is left out."""

    async def change(self, product: str, before: TargetList, change: MemberChange) -> TargetList | None:
        """Changes a list by one request. Raises ListProblem, and ChangedMeanwhile if the list is not `before` any more.

        Returns the list as it has to be for the next change, with its mark and version. None: it has to be read first.
        """

    async def change_otherwise(self, product: str, before: TargetList, change: MemberChange) -> bool:
        """Changes a list in another way, after `change` had no effect. Returns False if there is no other way."""

    async def close(self) -> None:
        """Closes connections. The target is not used any more."""
