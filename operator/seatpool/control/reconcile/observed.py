"""The observed state of a license server: what an earlier pass or process left open, and what its lists are.

Both come before any decision. Whatever may still change a list, and whatever others changed, has to be known first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seatpool.api.annotations import VERIFY
from seatpool.control.leader.leadership import NotLeading
from seatpool.control.reconcile.advance import advance
from seatpool.control.reconcile.dependencies import Dependencies
from seatpool.control.reconcile.diff import has_commands
from seatpool.control.reconcile.failures import is_unaskable
from seatpool.control.reconcile.pacing import Work, next_batch
from seatpool.control.reconcile.send_command import send_measured, wait_min_interval
from seatpool.control.reconcile.server_state import ServerState, is_decided
from seatpool.control.reconcile.step_results import (
    CommandSettled,
    CommandTried,
    ListsInDoubt,
    ListsRead,
    ListsVerified,
    ServerFailed,
    StepResult,
    UsersChecked,
)
from seatpool.control.reconcile.write_ahead_log import Superseded, WriteAheadLog
from seatpool.control.state.moment import Moment
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.errors import KubeError
from seatpool.servers.backend import ListBackend
from seatpool.servers.command_result import CommandResult, Late
from seatpool.servers.commands import ListCommand, SentCommand
from seatpool.servers.errors import TransportError
from seatpool.tracing.spans import Role

ENDS_PASS = (KubeError, Superseded, NotLeading)
"""Errors that say nothing of the license server: the pass is made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen of the license server."""

    steps: tuple[StepResult, ...] = ()
    """In the order in which they were seen."""
    is_settled: bool = False
    """The command in flight came to its end."""
    is_reached: bool = False
    """The server can be spoken to, so lists may be sent."""
    error: SeatpoolError | None = None
    """Ends the pass."""


class _Observation:
    """Observes one server. Later questions depend on earlier answers, so each step is advanced on a copy of the state."""

    def __init__(self, state: ServerState, wal: WriteAheadLog, deps: Dependencies) -> None:
        self._state = state
        self._wal = wal
        self._deps = deps
        self._log = deps.log.bind(server=state.key)
        self._asked: tuple[str, ...] = ()
        """Products of the reading that is under way."""
        self.steps: list[StepResult] = []
        self.is_settled = False

    def fail(self, error: SeatpoolError) -> None:
        self._add(ServerFailed(error=error, products=self._asked, work=Work.READ, at=self._deps.moment()))

    async def settle_in_flight(self) -> None:
        """Waits for a command whose id is known. An intent without an id is answered by a new and higher revision."""
        left = self._wal.in_flight
        if left is None:
            return
        products = frozenset(state.product for state in left.products)
        backend = self._deps.backend_of(self._state.server)
        if left.command_id is None or left.instance_id is None or not backend.capabilities.keeps_results:
            if products - self._state.in_doubt.keys():
                self._log.info(
                    "an intent without a known command is answered by a new revision", revision=left.revision
                )
                self._add(ListsInDoubt(products=products))
            self.is_settled = left.command_id is not None
            return
        self._log.info("a command that was sent earlier is waited for", revision=left.revision)
        sent = SentCommand(command_id=left.command_id, instance_id=left.instance_id)
        try:
            result = await backend.result(sent)
        except TransportError as error:
            if is_unaskable(error):
                raise
            self._add(ListsInDoubt(products=products))
        else:
            hashes = {state.product: state.hash for state in left.products}
            self._add(CommandSettled(result=result, hashes=hashes, command_id=left.command_id))
        self.is_settled = True

    async def read_lists(self) -> None:
        """Reads the lists that are not known; or all, to see whether others changed them, or whether the server answers.

        A product that was late in company is read again, with fewer others. A command that is killed at its time limit ends
        the reading, and no more: the lists that are known are written before any other product is tried.
        """
        state, deps, at = self._state, self._deps, self._deps.moment()
        everything = is_verification_due(state, at=at)
        left = lists_due(state, at=at)
        if not left:
            return
        while left:
            try:
                done = await self._read_some(left)
            except TransportError as error:
                if not error.is_overrun:
                    raise
                self.fail(error)
                left = () if len(self._asked) == 1 else left
                break
            left = tuple(product for product in left if product not in done)
        is_any_read = any(isinstance(step, ListsRead) for step in self.steps)
        if everything and is_any_read and not state.view.observed.keys() & set(left):
            self._add(ListsVerified(asked=state.server.metadata.annotations.get(VERIFY), at=deps.moment()))

    async def _read_some(self, products: Sequence[str]) -> frozenset[str]:
        """Reads as many of the lists as fit into one command. Returns the products that need not be read again."""
        state, deps = self._state, self._deps
        batch = next_batch(products, lambda product: state.pace(product, Work.READ))
        backend = deps.backend_of(state.server)
        whole = ListCommand(revision=self._wal.revision, owner=state.installation, products=batch)
        command = backend.split(whole)[0]
        await wait_min_interval(state, deps)
        self._asked = command.names
        try:
            node, result = await send_measured(
                state.key, command, lambda command: _send_and_wait(backend, command, deps), deps
            )
        finally:
            self._add(CommandTried(at=deps.moment()))
        self._asked = ()
        self._add(ListsRead(products=command.names, result=result, node=node, at=deps.moment()))
        return lists_done(command.names, result)

    async def check_users(self) -> None:
        """Asks for the users who may come onto a list and are on none: the server may not have them."""
        state, deps = self._state, self._deps
        backend = deps.backend_of(state.server)
        if not backend.capabilities.knows_users:
            if state.view.unlistable is None or state.view.unlistable:
                self._add(UsersChecked(unlistable={}, at=deps.moment()))
            return
        needed = {
            user
            for pool in state.pools
            if is_decided(pool) and pool.key in deps.store.rules
            for user in (*deps.store.demand.needs(pool.key), *deps.store.rules[pool.key].protected)
        }
        listed = {user for observed in state.view.observed.values() for user in observed.users}
        unlistable = await backend.find_unlistable(needed - listed)
        if unlistable != state.view.unlistable:
            self._add(UsersChecked(unlistable=unlistable, at=deps.moment()))

    async def wait_min_interval(self) -> None:
        await wait_min_interval(self._state, self._deps)

    def _add(self, step: StepResult) -> None:
        self.steps.append(step)
        self._state, _ = advance(self._state, step)


async def observe(state: ServerState, wal: WriteAheadLog, deps: Dependencies) -> Observed:
    """Settles the command in flight and reads the lists that have to be read. Nothing is done with a server that is
    suspended, is not allowed, or failed so lately that the pass does without it."""
    if state.held_off or state.is_left_alone:
        return Observed()
    seen = _Observation(state, wal, deps)
    error: SeatpoolError | None = None
    is_reached = False
    try:
        await seen.settle_in_flight()
        await seen.read_lists()
        await seen.check_users()
        await seen.wait_min_interval()
        is_reached = True
    except SeatpoolError as failure:
        if isinstance(failure, ENDS_PASS):
            error = failure
        else:
            seen.fail(failure)
    return Observed(steps=tuple(seen.steps), is_settled=seen.is_settled, is_reached=is_reached, error=error)


def lists_due(state: ServerState, *, at: Moment) -> tuple[str, ...]:
    """Returns the products whose lists are read now, those that are known first."""
    everything = is_verification_due(state, at=at)
    due = [
        product
        for product in state.products
        if (everything or product not in state.view.observed) and not state.product_pause(product, at)
    ]
    return tuple(sorted(due, key=lambda product: product not in state.view.observed))


def lists_done(asked: tuple[str, ...], result: CommandResult) -> frozenset[str]:
    """Returns the products that need not be asked for again: a product that was late is, unless it was alone."""
    if len(asked) == 1:
        return frozenset(asked)
    return frozenset(asked) - {product for product, one in result.products.items() if one.late is not Late.NO}


def is_verification_due(state: ServerState, *, at: Moment) -> bool:
    """Whether all lists are read back: every `verifyInterval`, when an admin asks, and when a server that failed has
    nothing to be sent, because only that shows that it is well again."""
    if state.verification_asked is not None:
        return True
    if state.last_verified is None or (state.server_retry.failures and not has_commands(state, at=at)):
        return True
    return at.monotonic - state.last_verified >= state.verify_interval


async def _send_and_wait(backend: ListBackend, command: ListCommand, deps: Dependencies) -> tuple[str, CommandResult]:
    """Returns the node that answered, and its answer."""
    with deps.traces.span("read lists", role=Role.CLIENT):
        sent = await backend.send(command)
        deps.traces.note({"seatpool.command": sent.command_id})
        return sent.instance_id, await backend.result(sent, command=command)
