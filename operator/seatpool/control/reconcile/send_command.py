"""Speaking with a license server: not more often than it can bear, measured, and with its health as a by-product."""

import asyncio
from collections.abc import Awaitable, Callable

from seatpool.control.reconcile import failures
from seatpool.control.reconcile.server_state import Desk
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListCommand
from seatpool.servers.errors import TransportError

LOOK_AGAIN = 1.0
"""After so many seconds at the latest a `spec.minInterval` that was made shorter meanwhile is known."""


async def keep_distance(desk: Desk) -> None:
    """Wait until the server may be sent another command (`spec.minInterval`)."""
    while (left := _distance_left(desk)) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left, LOOK_AGAIN))


def _distance_left(desk: Desk) -> float:
    server = desk.around.store.servers.get(desk.key, desk.server)
    return server.spec.min_interval.total_seconds() - (desk.around.monotonic() - desk.last_command)


async def exchange(
    desk: Desk, command: ListCommand, talk: Callable[[ListCommand], Awaitable[CommandResult]]
) -> CommandResult:
    """Send a command by `talk`, and note whether the server was reached. A failure is for the caller to note."""
    metrics, began = desk.around.metrics, desk.around.monotonic()
    try:
        report = await talk(command)
    except SeatpoolError as error:
        reason = error.reason.value if isinstance(error, TransportError) else type(error).__name__
        metrics.commands.labels(desk.key, command.action.value, reason).inc()
        raise
    finally:
        desk.last_command = desk.around.monotonic()
    metrics.commands.labels(desk.key, command.action.value, "ok").inc()
    metrics.command_seconds.labels(desk.key, command.action.value).observe(desk.around.monotonic() - began)
    failures.server_answered(desk)
    return report
