"""Sends one command to a license server, measures it, and waits for `spec.minInterval` before the next."""

import asyncio
from collections.abc import Awaitable, Callable

from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.server_state import ServerState
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListCommand
from seatpool.servers.errors import TransportError

CHECK_INTERVAL = 1.0
"""Seconds after which a shorter `spec.minInterval` takes effect."""


async def wait_min_interval(state: ServerState, deps: Dependencies) -> None:
    """Waits until another command may be sent to the server."""
    while (left := _left(state, deps)) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left, CHECK_INTERVAL))


def _left(state: ServerState, deps: Dependencies) -> float:
    server = deps.store.servers.get(state.key, state.server)
    return server.spec.min_interval.total_seconds() - (deps.monotonic() - state.last_command)


async def send_measured(
    key: str,
    command: ListCommand,
    send: Callable[[ListCommand], Awaitable[tuple[str, CommandResult]]],
    deps: Dependencies,
) -> tuple[str, CommandResult]:
    """Sends a command by `send` and counts its result.

    Raises the errors of `send`.
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
