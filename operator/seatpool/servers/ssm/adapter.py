"""Interface between commands and one vendor's license client.

An adapter is pure. It turns a command into parameters of the SSM document, and outputs into a result. Sending and
waiting are in `backend` and `transport`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.api.list_backends import FlexnetSettings, ListFileSettings, XlcSettings
from seatpool.servers.backend import Capabilities
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListCommand
from seatpool.servers.names import NameRendering
from seatpool.servers.ssm.file_adapter import FlexnetAdapter, ListFileAdapter
from seatpool.servers.ssm.xlc import XlcAdapter

Parameters = Mapping[str, Sequence[str]]


class Adapter(Protocol):
    """Translates commands and outputs for one kind of license server."""

    @property
    def capabilities(self) -> Capabilities:
        """What the license server can do."""

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """Splits a command into pieces that can be sent. Usually there is one piece."""

    def reading(self, command: ListCommand) -> Parameters | None:
        """Returns what to send first, if `parameters` needs to know what is on the server. None: it does not."""

    def parameters(self, command: ListCommand, read: Sequence[str] = ()) -> tuple[Parameters, ...]:
        """Returns what to send, in order. All but the last carry data ahead and change no list.

        `read`: the outputs of `reading` and of the fetches after it.
        """

    def more(self, unread: Mapping[str, int]) -> Parameters:
        """Returns what to send to fetch the rest of some lists. `unread` has the offset of each product."""

    def parse(self, outputs: Sequence[str], command: ListCommand | None = None) -> CommandResult:
        """Reads the output of a command and of the fetches after it. If the command is given, fewer fetches are needed."""


def adapter_for(spec: LicenseServerSpec) -> Adapter:
    """Returns the adapter of a LicenseServer."""
    names = NameRendering.of(spec.names)
    match spec.settings:
        case XlcSettings() as xlc:
            return XlcAdapter(xlc, names)
        case FlexnetSettings() as flexnet:
            return FlexnetAdapter(names, settings=flexnet)
        case ListFileSettings() as file:
            return ListFileAdapter(names, settings=file)
        case other:
            raise NotImplementedError(type(other).__name__)
