"""Interface between the reconciler and one way to reach lists. The reconciler knows no other part of `servers`.

A back end carries out commands: it reads whole lists, and makes a list what it should be. Whether it sends the whole list or
only what differs is its own matter.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListCommand, SentCommand

UNFENCED_VERIFY_INTERVAL = timedelta(minutes=1)
"""Longest time between two read-backs of lists that no fence protects."""


class Fence(StrEnum):
    """What refuses the write of an operator that is no longer the leader."""

    SCRIPT = "script"
    """A script on the license server compares revisions before it writes."""
    NATIVE = "native"
    """The server compares a version or a mark in the same request that writes."""
    MARK = "mark"
    """Nothing does. The mark is read before a write, and the list is read back after it and more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a back end can do."""

    fence: Fence
    largest_change: int | None = None
    """Entries that one request can change. None: a request writes the whole list."""
    keeps_results: bool = True
    """Another process can ask for the result of a command. If not, a command of an earlier process leaves doubt."""
    knows_users: bool = False
    """The server's lists cannot have every user: it has accounts, or it cannot express every id."""
    empty_is_placeholder: bool = False
    """A list is empty in one way only: without entries, or with the placeholder if the server refuses that."""
    ignores_case: bool = False
    """The server takes `Ann` and `ann` for one user, and may answer with either."""

    def verify_interval(self, wanted: timedelta) -> timedelta:
        """Returns how often lists are read back. `wanted`: the interval of the LicenseServer."""
        return min(wanted, UNFENCED_VERIFY_INTERVAL) if self.fence is Fence.MARK else wanted


class ListBackend(Protocol):
    """Carries out the commands for one LicenseServer. Every method raises TransportError."""

    @property
    def capabilities(self) -> Capabilities:
        """What this back end can do. More may be known after the first command."""

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """Splits a command into pieces for one `send` each. Usually there is one piece."""

    async def find_unlistable(self, users: Collection[str]) -> Mapping[str, str]:
        """Returns which of these users the server's lists cannot have, each with the reason in a sentence without its end.

        A user whom the server does not know is one, and a user whose id it cannot express.
        """

    async def send(self, command: ListCommand) -> SentCommand:
        """Hands a command over and returns its id, which is stored before `result` is called.

        A back end that keeps no results only checks the command here, and carries it out in `result`.
        """

    async def result(self, sent: SentCommand, *, command: ListCommand | None = None) -> CommandResult:
        """Returns the result of a command, with the lists as they were read back after it.

        `command` None: another process sent it. A back end that keeps no results is never asked so.
        """

    async def cancel(self, sent: SentCommand) -> None:
        """Asks for a command to be stopped. A back end that cannot stop one does nothing."""

    async def close(self) -> None:
        """Closes connections of its own. The back end is not used any more."""
