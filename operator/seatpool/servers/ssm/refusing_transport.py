"""Refuses every command to a LicenseServer that the operator's settings do not allow.

A transport is the one way to a license server. So nothing can be sent by another path, whichever step of a pass asks.
"""

from typing import Any, NoReturn

from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ssm.transport import SsmTransport


class RefusingTransport(SsmTransport):
    """Sends nothing. Raises TransportError with the reason. It has no AWS client."""

    def __init__(self, refusal: str) -> None:
        self._refusal = refusal

    async def send(self, *_: Any, **__: Any) -> NoReturn:
        """Raises TransportError: nothing was sent."""
        raise self._error(maybe_applied=False)

    async def result(self, *_: Any, **__: Any) -> NoReturn:
        """Raises TransportError: a command that was sent while it was allowed is not known to have ended."""
        raise self._error(maybe_applied=True)

    async def cancel(self, *_: Any, **__: Any) -> NoReturn:
        """Raises TransportError: the command may still run."""
        raise self._error(maybe_applied=True)

    async def find_instance(self, *_: Any, **__: Any) -> NoReturn:
        """Raises TransportError: nothing was asked."""
        raise self._error(maybe_applied=False)

    async def agents(self, *_: Any, **__: Any) -> NoReturn:
        """Raises TransportError: nothing was asked."""
        raise self._error(maybe_applied=False)

    async def document_hash(self, *_: Any, **__: Any) -> NoReturn:
        """Raises TransportError: nothing was asked."""
        raise self._error(maybe_applied=False)

    def _error(self, *, maybe_applied: bool) -> TransportError:
        return TransportError(CommandFault.NOT_ALLOWED, self._refusal, maybe_applied=maybe_applied)
