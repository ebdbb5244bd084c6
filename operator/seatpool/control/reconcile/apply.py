"""Writes lists, in this order: ledger and intent are stored, the command is sent, its id is noted, its result is awaited."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from structlog.contextvars import bind_contextvars

from seatpool.control.reconcile.commit import store_answers
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.diff import Write
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.reconcile.failures import is_unaskable
from seatpool.control.reconcile.observed import ENDS_PASS
from seatpool.control.reconcile.pacing import Work, next_batch
from seatpool.control.reconcile.send_command import send_measured
from seatpool.control.reconcile.server_state import ServerState
from seatpool.control.reconcile.step_results import (
    AnswersStored,
    CommandApplied,
    CommandTried,
    Desired,
    ListsInDoubt,
    ServerFailed,
    StepResult,
)
from seatpool.control.reconcile.write_ahead_log import WriteAheadLog
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.backend import ListBackend
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListCommand, SentCommand
from seatpool.servers.errors import TransportError
from seatpool.tracing.spans import Role


@dataclass(frozen=True, slots=True)
class PreparedCommand:
    """A command and the writes that it carries, as many as fit; the others are left for the next pass."""

    command: ListCommand
    writes: tuple[Write, ...]
    backend: ListBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of a command."""

    steps: tuple[StepResult, ...]
    is_settled: bool
    """The command came to its end, or never began; else its result is asked for again."""
    error: SeatpoolError | None = None
    """Ends the pass."""


def prepare(
    state: ServerState, writes: tuple[Write, ...], wal: WriteAheadLog, deps: Dependencies
) -> PreparedCommand | None:
    """Returns the command that carries the writes, as many as their paces allow; None: there are none."""
    if not writes:
        return None
    writes = next_batch(writes, lambda write: state.pace(write.change.product, Work.WRITE))
    backend = deps.backend_of(state.server)
    whole = ListCommand(
        revision=wal.next_revision(state.fence_floor),
        owner=state.installation,
        takeover=state.takeover.owner if state.takeover is not None else None,
        changes=tuple(write.change for write in writes),
    )
    command = backend.split(whole)[0]
    carried = frozenset(command.names)
    return PreparedCommand(command, tuple(write for write in writes if write.change.product in carried), backend)


async def store(
    state: ServerState, desired: Desired, prepared: PreparedCommand | None, wal: WriteAheadLog, deps: Dependencies
) -> tuple[AnswersStored, BaseException | None]:
    """Stores the answers' memory and the intent of the command. These are two kinds of objects, so neither waits for the other.

    Returns what was stored, and the first error: without it the command may be sent.
    """
    if prepared is None:
        return await store_answers(state, desired, deps)
    command = prepared.command
    bind_contextvars(revision=command.revision)
    deps.traces.note({"seatpool.revision": command.revision})
    deps.on_failpoint(state.key, Failpoint.BEFORE_INTENT)
    with deps.traces.span("store answers and intent", role=Role.CLIENT):
        saved, begun = await asyncio.gather(
            store_answers(state, desired, deps),
            wal.begin(command, state.view, in_doubt=state.in_doubt.keys()),
            return_exceptions=True,
        )
    if isinstance(saved, BaseException):
        raise saved
    step, error = saved
    error = error or (begun if isinstance(begun, BaseException) else None)
    if error is None:
        deps.on_failpoint(state.key, Failpoint.AFTER_INTENT)
    return step, error


async def apply(state: ServerState, prepared: PreparedCommand, wal: WriteAheadLog, deps: Dependencies) -> Applied:
    """Sends a command whose intent is stored, and reads its lists back."""
    command, sender = prepared.command, _Sender(state, prepared, wal, deps)
    try:
        node, result = await send_measured(state.key, command, sender.send_and_wait, deps)
    except SeatpoolError as error:
        at = deps.moment()
        tried = CommandTried(at=at)
        failed = ServerFailed(error=error, products=command.names, work=Work.WRITE, at=at)
        if isinstance(error, ENDS_PASS):
            return Applied(steps=(tried,), is_settled=False, error=error)
        if wal.has_command and is_unaskable(error):
            return Applied(steps=(tried, failed), is_settled=False)
        doubts: tuple[StepResult, ...] = ()
        if not isinstance(error, TransportError) or error.maybe_applied:
            doubts = (ListsInDoubt(products=frozenset(command.names)),)
        return Applied(steps=(tried, *doubts, failed), is_settled=True)
    deps.on_failpoint(state.key, Failpoint.AFTER_APPLY)
    at = deps.moment()
    applied = CommandApplied(writes=prepared.writes, result=result, command_id=wal.command_id, node=node, at=at)
    return Applied(steps=(CommandTried(at=at), applied), is_settled=True)


@dataclass(frozen=True, slots=True)
class _Sender:
    state: ServerState
    prepared: PreparedCommand
    wal: WriteAheadLog
    deps: Dependencies

    async def send_and_wait(self, command: ListCommand) -> tuple[str, CommandResult]:
        sent = await self.deps.shielded.run_to_end(self._send_and_record(command))
        bind_contextvars(command=sent.command_id)
        facts = {"seatpool.command": sent.command_id}
        with self.deps.traces.span("wait for command and read back", role=Role.CLIENT, facts=facts):
            return sent.instance_id, await self.prepared.backend.result(sent, command=command)

    async def _send_and_record(self, command: ListCommand) -> SentCommand:
        """Is not cut by a stop: an id that is not noted costs the next process a new revision."""
        deps, key = self.deps, self.state.key
        reasons = {write.change.product: write.reason.value for write in self.prepared.writes}
        told = tuple(f"{product}={reason}" for product, reason in reasons.items())
        facts = {"seatpool.action": command.action.value, "seatpool.reasons": told}
        with deps.traces.span("send command", role=Role.CLIENT, facts=facts):
            sent = await self.prepared.backend.send(command)
            deps.traces.note({"seatpool.command": sent.command_id})
        bind_contextvars(command=sent.command_id)
        for reason, count in Counter(reasons.values()).items():
            deps.metrics.list_writes.labels(key, reason).inc(count)
        deps.on_failpoint(key, Failpoint.AFTER_SEND)
        deps.log.info("command sent", server=key, node=sent.instance_id, products=list(command.names), reasons=reasons)
        await self.wal.record_command(sent.command_id, sent.instance_id, self.state.view)
        return sent
