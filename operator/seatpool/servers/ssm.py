"""SSM Run Command over boto3: send a command to one node, and wait for its end.

SendCommand is not idempotent, so boto3 must not repeat it by itself: only a throttled call is repeated, because SSM
has then not begun. The invocation appears some seconds after its command, and is asked for with growing pauses, the
first of which is short because most commands end within a second.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from seatpool.aws.sessions import SessionFactory, Sessions
from seatpool.servers.errors import CommandFault, TransportError, ended_badly, fault_of, may_have_been_sent
from seatpool.servers.nodes import DELIVERY_TIMEOUT, CommandOutput, Node, SentCommand

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient
    from types_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef, SendCommandResultTypeDef

THREADS = 16
ROLE_SESSION_NAME = "seatpool-servers"
COMMENT_LIMIT = 100
NODE_KNOWN_FOR = timedelta(seconds=60)
APPEARS_WITHIN = timedelta(seconds=10)
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 2.0, 1.6
THROTTLED_FOR = timedelta(seconds=20)
_FAILURES = (ClientError, BotoCoreError)
_WAITING = {"Pending", "InProgress", "Delayed", "Cancelling"}
_ENDED = {"Success", "Failed"}
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1}, max_pool_connections=THREADS)
T = TypeVar("T")


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class SsmTransport:
    """Commands to nodes in any account and region."""

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        session_factory: SessionFactory = boto3.Session,
        clock: Callable[[], datetime] = now,
        permit: Callable[[], None] = lambda: None,
    ) -> None:
        """`permit` is called at the last moment before each try to send a command, and raises when it may not be sent."""
        self._endpoint_url = endpoint_url
        self._clock = clock
        self._permit = permit
        self._sessions = Sessions(
            factory=session_factory, endpoint_url=endpoint_url, config=_CONFIG, role_session_name=ROLE_SESSION_NAME
        )
        self._making = threading.Lock()
        self._clients: dict[tuple[str, str | None, str | None], SSMClient] = {}
        self._nodes: dict[Node, tuple[str, datetime]] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="servers-ssm")

    def prepare(self) -> None:
        """Read what boto3 needs for any client: hundreds of small files, which takes seconds once the event loop is busy."""
        with self._making, contextlib.suppress(BotoCoreError):
            self._sessions.home().client("ssm", region_name="us-east-1", config=_CONFIG)

    async def send(
        self,
        place: Node,
        parameters: Mapping[str, Sequence[str]],
        *,
        document: str,
        document_hash: str | None,
        comment: str,
        timeout: timedelta = DELIVERY_TIMEOUT,  # noqa: ASYNC109
    ) -> SentCommand:
        """Send one command. `timeout` is for its delivery; how long it may run is a parameter of the document."""
        instance_id = await self.node(place)
        request: dict[str, Any] = {
            "InstanceIds": [instance_id],
            "DocumentName": document,
            "Parameters": {name: list(values) for name, values in parameters.items()},
            "TimeoutSeconds": max(round(timeout.total_seconds()), round(DELIVERY_TIMEOUT.total_seconds())),
            "Comment": comment[:COMMENT_LIMIT],
        }
        if document_hash is not None:
            request |= {"DocumentHash": document_hash, "DocumentHashType": "Sha256"}
        what = f"sending document {document} to {place}"

        def send() -> "SendCommandResultTypeDef":
            client = self._client(place)
            self._permit()
            return client.send_command(**request)

        try:
            answer = await self._call(send, what=what, changes=True)
        except TransportError as error:
            if error.reason is CommandFault.INVALID_INSTANCE:
                self._nodes.pop(place, None)
            raise
        return SentCommand(command_id=answer["Command"]["CommandId"], instance_id=instance_id)

    async def result(self, place: Node, sent: SentCommand, *, deadline: datetime) -> CommandOutput:
        """Wait for a command's end; any end but that of the script itself is a `TransportError`."""
        pause, appears_by = FIRST_PAUSE, self._clock() + APPEARS_WITHIN
        what = f"command {sent.command_id} on {place}"
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * GROWTH, LONGEST_PAUSE)
            invocation = await self._invocation(place, sent, patient=self._clock() < appears_by)
            if invocation is not None and invocation["Status"] not in _WAITING:
                return _finished(invocation, what=what)
            if self._clock() >= deadline:
                raise _overdue(invocation, what=what)

    async def cancel(self, place: Node, sent: SentCommand) -> None:
        """Ask SSM to stop a command. What it has done by then stays done."""

        def call() -> None:
            self._client(place).cancel_command(CommandId=sent.command_id, InstanceIds=[sent.instance_id])

        await self._call(call, what=f"cancelling command {sent.command_id} on {place}", changes=True)

    async def node(self, place: Node) -> str:
        """The node that a place names: exactly one, or a `TransportError` that says how many there are."""
        if place.target.instance_id is not None:
            return place.target.instance_id
        known = self._nodes.get(place)
        if known is not None and self._clock() - known[1] < NODE_KNOWN_FOR:
            return known[0]
        found = await self._call(lambda: self._find(place), what=f"looking for {place}", changes=False)
        if len(found) != 1:
            names = f": {', '.join(found[:5])}" if found else ""
            raise TransportError(
                CommandFault.INVALID_INSTANCE,
                f"{len(found)} managed nodes have tag {place.target.tag}={place.target.value} in {place.region}, "
                f"but it must be exactly one{names}",
                maybe_applied=False,
            )
        self._nodes[place] = (found[0], self._clock())
        return found[0]

    def close(self) -> None:
        """Let go of the threads; calls under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _find(self, place: Node) -> list[str]:
        """Not by boto3's paginator: each thread that is the first to make one reads hundreds of folders for it."""
        client, found = self._client(place), list[str]()
        request: dict[str, Any] = {
            "Filters": [{"Key": f"tag:{place.target.tag}", "Values": [place.target.value or ""]}]
        }
        while True:
            page = client.describe_instance_information(**request)
            found += [node["InstanceId"] for node in page["InstanceInformationList"]]
            if not page.get("NextToken"):
                return found
            request["NextToken"] = page["NextToken"]

    async def _invocation(
        self, place: Node, sent: SentCommand, *, patient: bool
    ) -> "GetCommandInvocationResultTypeDef | None":
        try:
            return await self._call(
                lambda: self._client(place).get_command_invocation(
                    CommandId=sent.command_id, InstanceId=sent.instance_id
                ),
                what=f"asking for command {sent.command_id} on {place}",
                changes=False,
                sent=True,
            )
        except TransportError as error:
            if error.reason is CommandFault.INVOCATION_MISSING and patient:
                return None
            raise

    async def _call(self, call: Callable[[], T], *, what: str, changes: bool, sent: bool = False) -> T:
        """Run a call in a thread. A throttled one is repeated; one that only asks is so when there was no answer."""
        pause, until = 4 * FIRST_PAUSE, self._clock() + THROTTLED_FOR
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
            except _FAILURES as error:
                reason = fault_of(error)
                again = reason is CommandFault.THROTTLED or (not changes and reason is CommandFault.UNREACHABLE)
                if not again or self._clock() >= until:
                    raise TransportError(
                        reason, f"{what}: {error}", maybe_applied=sent or (changes and may_have_been_sent(error))
                    ) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _client(self, place: Node) -> "SSMClient":
        with self._making:
            if place.account not in self._clients:
                self._clients[place.account] = self._sessions.of(place.role).client(
                    "ssm", region_name=place.region, endpoint_url=self._endpoint_url, config=_CONFIG
                )
            return self._clients[place.account]


def _finished(invocation: "GetCommandInvocationResultTypeDef", *, what: str) -> CommandOutput:
    status = str(invocation["Status"])
    details = invocation.get("StatusDetails", "").replace(" ", "") or status
    if status not in _ENDED or details not in _ENDED:
        raise ended_badly(details, f"{what}: {details}{_said(invocation.get('StandardErrorContent', ''))}")
    return CommandOutput(
        status=status,
        exit_code=invocation.get("ResponseCode", -1),
        stdout=invocation.get("StandardOutputContent", ""),
        stderr=invocation.get("StandardErrorContent", ""),
    )


def _overdue(invocation: "GetCommandInvocationResultTypeDef | None", *, what: str) -> TransportError:
    started = invocation is not None and invocation["Status"] in {"InProgress", "Cancelling"}
    reason = CommandFault.EXECUTION_TIMED_OUT if started else CommandFault.DELIVERY_TIMED_OUT
    status = "missing" if invocation is None else invocation["Status"]
    return TransportError(reason, f"{what} is still {status} at its deadline", maybe_applied=True)


def _said(text: str) -> str:
    return f": {text.strip()[-300:]}" if text.strip() else ""
