"""One license server, ready to be spoken to: the adapter says what to send, the transport sends it.

Sending and waiting are two steps, so that the caller can write down in between what was sent; after a restart another
process can wait for the same command.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.servers.adapter import Adapter, adapter_for
from seatpool.servers.command_result import BadOutput, CommandResult, ScriptRefused
from seatpool.servers.commands import ListCommand
from seatpool.servers.document import EXECUTION_TIMEOUT, document_hash
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.nodes import DELIVERY_TIMEOUT, CommandOutput, Node, SentCommand
from seatpool.servers.ssm import SsmTransport, now

GRACE = timedelta(seconds=30)
"""How much longer than SSM's own timeouts to wait: SSM tells of them late."""
MOST_FETCHES = 100
LONGEST_TIMEOUT = 86_400


class LicenseServerClient:
    """Commands to the server of one LicenseServer. The document is pinned to this version's own content, or to
    `pinned_hash`; an empty one pins nothing."""

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
        self._place = Node.of(spec)

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """The command in pieces, each for one `send`; usually one."""
        return self._adapter.split(command)

    async def send(self, command: ListCommand) -> SentCommand:
        """Send a command. A list that is too long for one send is first brought over in parts, and waited for."""
        *ahead, last = self._adapter.parameters(command)
        comment = f"seatpool {self._name} revision {command.revision} {command.action}"
        for number, parameters in enumerate(ahead, start=1):
            await self._run(parameters, comment=f"{comment} part {number}")
        return await self._send(last, comment=comment)

    async def result(
        self, sent: SentCommand, *, deadline: datetime | None = None, command: ListCommand | None = None
    ) -> CommandResult:
        """Wait for what was sent. With the command at hand a list that is as commanded is not fetched byte by byte."""
        finished = await self._transport.result(self._place, sent, deadline=deadline or self._deadline())
        outputs = [_output(finished, sent)]
        report = self._parse(outputs, sent, command)
        before: Mapping[str, int] = {}
        while report.unread and report.unread != before and len(outputs) <= MOST_FETCHES:
            before = report.unread
            outputs.append(await self._run(self._adapter.more(report.unread), comment=f"seatpool {self._name} read"))
            report = self._parse(outputs, sent, command)
        return report

    async def cancel(self, sent: SentCommand) -> None:
        """Ask for a command to be stopped."""
        await self._transport.cancel(self._place, sent)

    async def _run(self, parameters: Mapping[str, Sequence[str]], *, comment: str) -> str:
        """A command that changes no list, to its end."""
        try:
            sent = await self._send(parameters, comment=comment)
            finished = await self._transport.result(self._place, sent, deadline=self._deadline())
            return _output(finished, sent)
        except TransportError as error:
            error.maybe_applied = False
            raise

    async def _send(self, parameters: Mapping[str, Sequence[str]], *, comment: str) -> SentCommand:
        seconds = min(max(1, round(self._spec.timeout.total_seconds())), LONGEST_TIMEOUT)
        return await self._transport.send(
            self._place,
            {**parameters, EXECUTION_TIMEOUT: [str(seconds)]},
            document=self._spec.document,
            document_hash=self._pinned_hash,
            comment=comment,
        )

    def _parse(self, outputs: Sequence[str], sent: SentCommand, command: ListCommand | None) -> CommandResult:
        try:
            return self._adapter.parse(outputs, command)
        except ScriptRefused as error:
            raise TransportError(CommandFault.FAILED, f"{self._place}: {error}", maybe_applied=False) from error
        except BadOutput as error:
            message = f"command {sent.command_id} on {self._place}: {error}"
            raise TransportError(CommandFault.BAD_OUTPUT, message, maybe_applied=True) from error

    def _deadline(self) -> datetime:
        return now() + DELIVERY_TIMEOUT + self._spec.timeout + GRACE


def _output(finished: CommandOutput, sent: SentCommand) -> str:
    """A script that did not begin says why in its output; one that broke off has nothing to say but its errors."""
    if finished.status != "Success" and not finished.stdout.startswith('{"v":1'):
        said = f": {finished.stderr.strip()[-300:]}" if finished.stderr.strip() else ""
        raise TransportError(
            CommandFault.FAILED,
            f"command {sent.command_id} on {sent.instance_id} ended with {finished.exit_code}{said}",
            maybe_applied=True,
        )
    return finished.stdout
