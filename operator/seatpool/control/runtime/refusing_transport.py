"""Refuses every command to a LicenseServer that the operator's settings do not allow.

A transport is the one way to a license server. So nothing can be sent by another path, whichever step of a pass asks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.nodes import DELIVERY_TIMEOUT, CommandOutput, Node, SentCommand
from seatpool.servers.ssm import SsmTransport


class RefusingTransport(SsmTransport):
    """Sends nothing. Raises TransportError with the reason. It has no AWS client."""

    def __init__(self, refusal: str) -> None:
        self._refusal = refusal

    async def send(
        self,
        node: Node,
        parameters: Mapping[str, Sequence[str]],
        *,
        document: str,
        document_hash: str | None,
        comment: str,
        timeout: timedelta = DELIVERY_TIMEOUT,  # noqa: ASYNC109
    ) -> SentCommand:
        """Raises TransportError: nothing was sent."""
        del node, parameters, document, document_hash, comment, timeout
        raise self._error(maybe_applied=False)

    async def result(self, node: Node, sent: SentCommand, *, deadline: datetime) -> CommandOutput:
        """Raises TransportError: a command that was sent while it was allowed is not known to have ended."""
        del node, sent, deadline
        raise self._error(maybe_applied=True)

    async def cancel(self, node: Node, sent: SentCommand) -> None:
        """Raises TransportError."""
        del node, sent
        raise self._error(maybe_applied=True)

    async def find_instance(self, node: Node) -> str:
        """Raises TransportError."""
        del node
        raise self._error(maybe_applied=False)

    def _error(self, *, maybe_applied: bool) -> TransportError:
        return TransportError(CommandFault.NOT_ALLOWED, self._refusal, maybe_applied=maybe_applied)
