"""The seam between what Seatpool wants of a license server and how one vendor's client is told.

An adapter is pure: it turns a command into parameters of the SSM document, and outputs into a report. Sending and
waiting are the link's.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from seatpool.api.licenseserver import Adapter as AdapterName
from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListCommand
from seatpool.servers.xlc import XlcAdapter

Parameters = Mapping[str, Sequence[str]]


class Adapter(Protocol):
    """How one kind of license server is spoken to."""

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """The same command in pieces that each can be sent; usually one."""

    def parameters(self, command: ListCommand) -> tuple[Parameters, ...]:
        """What to send for it, in order. All but the last bring data ahead and change no list."""

    def more(self, unread: Mapping[str, int]) -> Parameters:
        """What to send to fetch the rest of some lists."""

    def parse(self, outputs: Sequence[str], command: ListCommand | None = None) -> CommandResult:
        """What the first output and those of the fetches after it say. The command, when known, spares fetches."""


def adapter_for(spec: LicenseServerSpec) -> Adapter:
    """The adapter that a LicenseServer asks for."""
    match spec.adapter:
        case AdapterName.XLC:
            return XlcAdapter(spec.xlc)
