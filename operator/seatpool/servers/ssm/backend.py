"""Sends commands to one license server and reads their results. The adapter says what to send, the transport sends it.

Sending and waiting are two calls, so that the caller can store the command's id in between. After a restart another
process can wait for the same command.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from seatpool.api.licenseserver import TIMEOUT, LicenseServerSpec
from seatpool.servers.backend import Capabilities
from seatpool.servers.command_result import BadOutput, CommandResult, ScriptRefused
from seatpool.servers.commands import ListCommand, SentCommand, is_user
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.names import NameRendering, Unlistable
from seatpool.servers.ssm.adapter import Adapter, adapter_for
from seatpool.servers.ssm.document import EXECUTION_TIMEOUT, document_hash
from seatpool.servers.ssm.nodes import DELIVERY_TIMEOUT, CommandOutput, Node
from seatpool.servers.ssm.transport import SsmTransport

GRACE = timedelta(seconds=30)
"""Time to wait beyond SSM's own timeouts, because SSM reports them late."""
MAX_FETCHES = 100


class SsmBackend:
    """Client of one LicenseServer. Raises TransportError.

    The SSM document is pinned to this version's content, or to `pinned_hash`. An empty hash pins nothing.
    """

    def __init__(
        self,
        spec: LicenseServerSpec,
        transport: SsmTransport,
        *,
        name: str,
        adapter: Adapter | None = None,
        pinned_hash: str | None = None,
    ) -> None:
        self._spec = spec
        self._transport = transport
        self._name = name
        self._adapter = adapter or adapter_for(spec)
        self._pinned_hash = document_hash() if pinned_hash is None else (pinned_hash or None)
        self._names = NameRendering.of(spec.names)
        self._node = Node.of(spec)

    @property
    def capabilities(self) -> Capabilities:
        """What the node can do. With names of its own a list cannot have every user."""
        own = self._adapter.capabilities
        return own if self._names.is_plain else replace(own, knows_users=True)

    async def find_unlistable(self, users: Collection[str]) -> Mapping[str, str]:
        """Returns the users whose names the server cannot have. It has no accounts to look for."""
        if self._names.is_plain:
            return {}
        return dict(self._unlistable(users))

    def _unlistable(self, users: Collection[str]) -> Iterator[tuple[str, str]]:
        for user in users:
            try:
                name = self._names.name(user)
            except Unlistable as error:
                yield user, str(error)
            else:
                if not is_user(name):
                    yield user, f"the name {name} is longer than 128 characters"

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """Splits a command into pieces for one `send` each. Usually there is one piece."""
        return self._adapter.split(command)

    async def send(self, command: ListCommand) -> SentCommand:
        """Sends a command. If its list is a part of a file, the file is read first. If it is too long for one send, parts
        are sent and awaited first."""
        *ahead, last = self._adapter.parameters(command, await self._read_first(command))
        comment = f"seatpool {self._name} revision {command.revision} {command.action}"
        for number, parameters in enumerate(ahead, start=1):
            await self._run(parameters, comment=f"{comment} part {number}")
        return await self._send(last, comment=comment)

    async def result(self, sent: SentCommand, *, command: ListCommand | None = None) -> CommandResult:
        """Waits for a command and returns its result. If `command` is given, a list equal to it is not fetched.

        If the rest of a list cannot be fetched, the command itself has run: what it did is in doubt.
        """
        result, _ = await self._collect(sent, command)
        return result

    async def cancel(self, sent: SentCommand) -> None:
        """Asks SSM to stop a command."""
        await self._transport.cancel(self._node, sent)

    async def close(self) -> None:
        """Does nothing: all back ends share one transport."""

    async def _read_first(self, command: ListCommand) -> Sequence[str]:
        """Returns the outputs that the adapter needs before it can say what to send."""
        reading = self._adapter.reading(command)
        if reading is None:
            return ()
        try:
            sent = await self._send(reading, comment=f"seatpool {self._name} revision {command.revision} read")
            _, outputs = await self._collect(sent, None)
        except TransportError as error:
            error.maybe_applied = False
            raise
        return outputs

    async def _collect(self, sent: SentCommand, command: ListCommand | None) -> tuple[CommandResult, Sequence[str]]:
        """Waits for a command and fetches the rest of its lists. Returns the result, and the outputs that it was read from."""
        outputs = [await self._wait(sent)]
        result = self._parse(outputs, sent, command)
        before: Mapping[str, int] = {}
        while result.unread and result.unread != before and len(outputs) <= MAX_FETCHES:
            before = result.unread
            outputs.append(await self._fetch(result.unread))
            result = self._parse(outputs, sent, command)
        return result, outputs

    async def _fetch(self, unread: Mapping[str, int]) -> str:
        try:
            return await self._run(self._adapter.more(unread), comment=f"seatpool {self._name} read")
        except TransportError as error:
            error.maybe_applied = True
            raise

    async def _run(self, parameters: Mapping[str, Sequence[str]], *, comment: str) -> str:
        """Runs a command that changes no list, and returns its output."""
        try:
            return await self._wait(await self._send(parameters, comment=comment))
        except TransportError as error:
            error.maybe_applied = False
            raise

    async def _send(self, parameters: Mapping[str, Sequence[str]], *, comment: str) -> SentCommand:
        seconds = round(self._timeout.total_seconds())
        return await self._transport.send(
            self._node,
            {**parameters, EXECUTION_TIMEOUT: [str(seconds)]},
            document=self._spec.document,
            document_hash=self._pinned_hash,
            comment=comment,
        )

    def _parse(self, outputs: Sequence[str], sent: SentCommand, command: ListCommand | None) -> CommandResult:
        try:
            return self._adapter.parse(outputs, command)
        except ScriptRefused as error:
            raise TransportError(CommandFault.FAILED, f"{self._node}: {error}", maybe_applied=False) from error
        except BadOutput as error:
            message = f"command {sent.command_id} on {self._node}: {error}"
            raise TransportError(CommandFault.BAD_OUTPUT, message, maybe_applied=True) from error

    async def _wait(self, sent: SentCommand) -> str:
        timeout = self._timeout
        ended = await self._transport.result(
            self._node, sent, within=DELIVERY_TIMEOUT + timeout + GRACE, time_limit=timeout
        )
        return _stdout(ended, sent)

    @property
    def _timeout(self) -> timedelta:
        """The time limit that agents take as it is."""
        return TIMEOUT.within(self._spec.timeout)


def _stdout(ended: CommandOutput, sent: SentCommand) -> str:
    """Returns the output of the script. Raises TransportError if the script broke off before its summary.

    A script that did not begin still prints a summary that says why.
    """
    if ended.status != "Success" and not ended.stdout.startswith('{"v":1'):
        stderr = f": {ended.stderr.strip()[-300:]}" if ended.stderr.strip() else ""
        raise TransportError(
            CommandFault.FAILED,
            f"command {sent.command_id} on {sent.instance_id} ended with {ended.exit_code}{stderr}",
            maybe_applied=True,
            is_known_to_have_ended=True,
        )
    return ended.stdout
