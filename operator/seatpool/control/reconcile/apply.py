"""Sending changed lists: the intent first, then the command, then its id, and only then the wait for its result."""

import asyncio

from structlog.contextvars import bind_contextvars

from seatpool.control.leader.leadership import NotLeading
from seatpool.control.reconcile import failures
from seatpool.control.reconcile.desired import save
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.reconcile.results import take_result
from seatpool.control.reconcile.send_command import exchange
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.reconcile.write_ahead_log import Superseded
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.errors import KubeError
from seatpool.policy.plan import Plan
from seatpool.servers.client import LicenseServerClient
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.errors import TransportError
from seatpool.servers.nodes import SentCommand
from seatpool.tracing.spans import Role


async def apply(desk: Desk, planned: Plan, changes: tuple[ListChange, ...]) -> None:
    """Store the answers and write the lists, as many as fit into one command; the others are left for the next pass."""
    link = desk.around.link_to(desk.server)
    whole = ListCommand(
        revision=desk.book.next_revision, owner=desk.around.installation, takeover=desk.takeover, changes=changes
    )
    command = link.split(whole)[0]
    bind_contextvars(revision=command.revision)
    desk.around.traces.note({"seatpool.revision": command.revision})
    await _store(desk, planned, command)
    try:
        report = await exchange(desk, command, lambda command: _send(desk, link, command))
    except SeatpoolError as error:
        if isinstance(error, KubeError | Superseded | NotLeading):
            raise
        _note_failure(desk, command, error)
        return
    sent, desk.book.in_flight = desk.book.in_flight, None
    desk.around.on_failpoint(desk.key, Failpoint.AFTER_APPLY)
    command_id = sent.command_id if sent is not None else None
    for change in command.changes:
        take_result(desk, change, report.products.get(change.product), command_id=command_id)


async def _store(desk: Desk, planned: Plan, command: ListCommand) -> None:
    """The answers' memory and the intent: two kinds of objects, so that neither waits for the other."""
    desk.around.on_failpoint(desk.key, Failpoint.BEFORE_INTENT)
    with desk.around.traces.span("store answers and intent", role=Role.CLIENT):
        saved, intended = await asyncio.gather(
            save(desk, planned),
            desk.book.intend(command, desk.view, doubted=desk.forced),
            return_exceptions=True,
        )
    for outcome in (saved, intended):
        if isinstance(outcome, BaseException):
            raise outcome
    desk.around.on_failpoint(desk.key, Failpoint.AFTER_INTENT)


async def _send(desk: Desk, link: LicenseServerClient, command: ListCommand) -> CommandResult:
    traces = desk.around.traces
    sent = await desk.around.unbroken.run(_send_and_note(desk, link, command))
    bind_contextvars(command=sent.command_id)
    with traces.span("wait for command and read back", role=Role.CLIENT, facts={"seatpool.command": sent.command_id}):
        return await link.result(sent, command=command)


async def _send_and_note(desk: Desk, link: LicenseServerClient, command: ListCommand) -> SentCommand:
    traces = desk.around.traces
    with traces.span("send command", role=Role.CLIENT, facts={"seatpool.action": command.action.value}):
        sent = await link.send(command)
        traces.note({"seatpool.command": sent.command_id})
    bind_contextvars(command=sent.command_id)
    desk.around.on_failpoint(desk.key, Failpoint.AFTER_SEND)
    desk.log.info("command sent", node=sent.instance_id, products=list(command.names))
    await desk.book.sent(sent.command_id, sent.instance_id, desk.view)
    return sent


def _note_failure(desk: Desk, command: ListCommand, error: SeatpoolError) -> None:
    """A command that is under way and could not be asked for stays in flight; of any other the lists may be doubted."""
    flying = desk.book.in_flight
    if flying is None or flying.command_id is None or not failures.is_unaskable(error):
        desk.book.in_flight = None
        if not isinstance(error, TransportError) or error.maybe_applied:
            desk.doubt(command.names)
    failures.server_failed(desk, error)
