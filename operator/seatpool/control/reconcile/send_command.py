"""One command to a license server: not before `spec.minInterval` has passed, and measured."""

import asyncio
from collections.abc import Awaitable, Callable

from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.server_state import ServerState
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListCommand
from seatpool.servers.errors import TransportError

LOOK_AGAIN = 1.0
"""A `spec.minInterval` that was made shorter meanwhile is known after so many seconds."""


async def wait_min_interval(state: ServerState, deps: Dependencies) -> None:
    """Waits until the server may be sent another command."""
    while (left := _left(state, deps)) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left, LOOK_AGAIN))


def _left(state: ServerState, deps: Dependencies) -> float:
    server = deps.store.servers.get(state.key, state.server)
    return server.spec.min_interval.total_seconds() - (deps.monotonic() - state.last_command)


async def send_measured(
    key: str, command: ListCommand, send: Callable[[ListCommand], Awaitable[CommandResult]], deps: Dependencies
) -> CommandResult:
    """Sends a command by `send` and counts what came of it.

    Raises what `send` raises.
    """
    metrics, began = deps.metrics, deps.monotonic()
    try:
        result = await send(command)
    except SeatpoolError as error:
        reason = error.reason.value if isinstance(error, TransportError) else type(error).__name__
        metrics.commands.labels(key, command.action.value, reason).inc()
        raise
    metrics.commands.labels(key, command.action.value, "ok").inc()
    metrics.command_seconds.labels(key, command.action.value).observe(deps.monotonic() - began)
    return result
