"""Sends commands to one node by SSM Run Command, and waits for their end.

SendCommand is not idempotent, so boto3 must not repeat it. Only a throttled call is repeated, because SSM has not begun
it. The invocation appears some seconds after its command. It is polled with growing pauses, and the first pause is
short because most commands end within a second.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from seatpool.aws.clients import ClientCache
from seatpool.aws.errors import AWS_ERRORS, error_text
from seatpool.aws.sessions import SessionFactory
from seatpool.backoff import Backoff, pause_after
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.commands import SentCommand
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ssm.errors import ended_with, error_of_status, fault_of, may_have_been_sent
from seatpool.servers.ssm.nodes import DELIVERY_TIMEOUT, CommandOutput, Node

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient
    from types_boto3_ssm.type_defs import GetCommandInvocationResultTypeDef, SendCommandResultTypeDef

THREADS = 16
ROLE_SESSION_NAME = "seatpool-servers"
COMMENT_LIMIT = 100
NODE_KNOWN_FOR = timedelta(seconds=60)
APPEARS_WITHIN = timedelta(seconds=10)
FIRST_POLL, FIRST_RETRY, LONGEST_PAUSE, POLL_GROWTH = 0.05, 0.2, 2.0, 1.6
THROTTLED_FOR = timedelta(seconds=20)
CANCELS_WITHIN = 10.0
KILLED_EARLY_BY = timedelta(seconds=2)
"""A script that ended so long before its time limit was not stopped by the limit."""
_ELAPSED = re.compile(r"PT(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9.]+)S)?")
_UNFINISHED = {"Pending", "InProgress", "Delayed", "Cancelling"}
_ENDED = {"Success", "Failed"}
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1}, max_pool_connections=THREADS)
T = TypeVar("T")


class SsmTransport:
    """Sends commands to nodes in any account and region. Raises TransportError."""

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        session_factory: SessionFactory = boto3.Session,
        monotonic: Callable[[], float] = time.monotonic,
        permit: Callable[[], None] = lambda: None,
    ) -> None:
        """`permit` is called right before each attempt to send or cancel a command. It raises if nothing may be sent.

        All deadlines are of `monotonic`, in seconds: a step of the wall clock changes none.
        """
        self._monotonic = monotonic
        self._permit = permit
        self._aws = ClientCache(
            session_factory=session_factory,
            endpoint_url=endpoint_url,
            role_session_name=ROLE_SESSION_NAME,
            sts_config=_CONFIG,
            threads=THREADS,
            thread_name="servers-ssm",
        )
        self._instance_ids: dict[Node, tuple[str, float]] = {}

    def prepare(self) -> None:
        """Reads the files of boto3 ahead of the first call. Blocks for seconds."""
        self._aws.warm_up("ssm", region="us-east-1", config=_CONFIG)

    async def send(
        self,
        node: Node,
        parameters: Mapping[str, Sequence[str]],
        *,
        document: str,
        document_hash: str | None,
        comment: str,
        timeout: timedelta = DELIVERY_TIMEOUT,  # noqa: ASYNC109
    ) -> SentCommand:
        """Sends one command.

        `timeout` is for its delivery. The time that the script may run is a parameter of the document.
        """
        instance_id = await self.find_instance(node)
        request: dict[str, Any] = {
            "InstanceIds": [instance_id],
            "DocumentName": document,
            "Parameters": {name: list(values) for name, values in parameters.items()},
            "TimeoutSeconds": max(round(timeout.total_seconds()), round(DELIVERY_TIMEOUT.total_seconds())),
            "Comment": comment[:COMMENT_LIMIT],
        }
        if document_hash is not None:
            request |= {"DocumentHash": document_hash, "DocumentHashType": "Sha256"}

        def send() -> "SendCommandResultTypeDef":
            client = self._client(node)
            self._permit()
            return client.send_command(**request)

        try:
            answer = await self._call(send, what=f"sending document {document} to {node}", changes=True)
        except TransportError as error:
            if error.reason is CommandFault.INVALID_INSTANCE:
                self._instance_ids.pop(node, None)
            raise
        return SentCommand(command_id=answer["Command"]["CommandId"], instance_id=instance_id)

    async def result(
        self, node: Node, sent: SentCommand, *, within: timedelta, time_limit: timedelta | None = None
    ) -> CommandOutput:
        """Waits for a command's end. Any end but that of the script itself is a TransportError.

        A command whose end will not be waited for any more is cancelled. `time_limit` is that of the script. It tells a
        script that was killed from one that took too long.
        """
        try:
            return await self._wait(node, sent, within=within, time_limit=time_limit)
        except TransportError as error:
            if not error.is_known_to_have_ended and not error.is_unanswered:
                await self._give_up(node, sent)
            raise

    async def cancel(self, node: Node, sent: SentCommand) -> None:
        """Asks SSM to stop a command. What the command has done by then is not undone."""

        def call() -> None:
            self._permit()
            self._client(node).cancel_command(CommandId=sent.command_id, InstanceIds=[sent.instance_id])

        await self._call(call, what=f"cancelling command {sent.command_id} on {node}", changes=True)

    async def _wait(
        self, node: Node, sent: SentCommand, *, within: timedelta, time_limit: timedelta | None
    ) -> CommandOutput:
        began = self._monotonic()
        what = f"command {sent.command_id} on {node}"
        poll = 0
        while True:
            poll += 1
            await asyncio.sleep(pause_after(poll, first=FIRST_POLL, longest=LONGEST_PAUSE, growth=POLL_GROWTH))
            may_be_missing = self._monotonic() - began < APPEARS_WITHIN.total_seconds()
            invocation = await self._invocation(node, sent, may_be_missing=may_be_missing)
            if invocation is not None and invocation["Status"] not in _UNFINISHED:
                return _output(invocation, what=what, time_limit=time_limit)
            if self._monotonic() - began >= within.total_seconds():
                raise _overdue(invocation, what=what)

    async def _give_up(self, node: Node, sent: SentCommand) -> None:
        """Cancels a command, so that it does not hold the license server's lock and a worker of the agent.

        The error that is under way says what went wrong. A failed cancellation adds nothing to it.
        """
        with contextlib.suppress(SeatpoolError, TimeoutError):
            async with asyncio.timeout(CANCELS_WITHIN):
                await self.cancel(node, sent)

    async def find_instance(self, node: Node) -> str:
        """Returns the id of the managed node. Raises TransportError unless exactly one matches.

        The answer is kept for 60 seconds.
        """
        if node.target.instance_id is not None:
            return node.target.instance_id
        known = self._instance_ids.get(node)
        if known is not None and self._monotonic() - known[1] < NODE_KNOWN_FOR.total_seconds():
            return known[0]
        found = await self._call(lambda: self._list_instances(node), what=f"looking for {node}", changes=False)
        if len(found) != 1:
            names = f": {', '.join(found[:5])}" if found else ""
            raise TransportError(
                CommandFault.INVALID_INSTANCE,
                f"{len(found)} managed nodes have tag {node.target.tag}={node.target.value} in {node.region}, "
                f"but it must be exactly one{names}",
                maybe_applied=False,
            )
        self._instance_ids[node] = (found[0], self._monotonic())
        return found[0]

    async def agents(self, node: Node) -> dict[str, tuple[str, str]]:
        """Returns ping status and version of the agents that a node's target names, by instance id. Raises AWS errors."""
        target = node.target
        by_tag = {"Key": f"tag:{target.tag}", "Values": [target.value or ""]}
        wanted: Any = by_tag if target.instance_id is None else {"Key": "InstanceIds", "Values": [target.instance_id]}
        page = await self._aws.run_in_pool(lambda: self._client(node).describe_instance_information(Filters=[wanted]))
        return {
            one["InstanceId"]: (one["PingStatus"], one.get("AgentVersion", ""))
            for one in page["InstanceInformationList"]
        }

    async def document_hash(self, node: Node, name: str) -> str:
        """Returns the SHA-256 of a document where the node is. Raises AWS errors."""
        found = await self._aws.run_in_pool(lambda: self._client(node).describe_document(Name=name))
        return found["Document"]["Hash"]

    def close(self) -> None:
        """Ends the threads. Calls in flight end by themselves."""
        self._aws.close()

    def _list_instances(self, node: Node) -> list[str]:
        # Not by boto3's paginator: the first one in each thread reads hundreds of folders.
        client, found = self._client(node), list[str]()
        request: dict[str, Any] = {"Filters": [{"Key": f"tag:{node.target.tag}", "Values": [node.target.value or ""]}]}
        while True:
            page = client.describe_instance_information(**request)
            found += [instance["InstanceId"] for instance in page["InstanceInformationList"]]
            if not page.get("NextToken"):
                return found
            request["NextToken"] = page["NextToken"]

    async def _invocation(
        self, node: Node, sent: SentCommand, *, may_be_missing: bool
    ) -> "GetCommandInvocationResultTypeDef | None":
        try:
            return await self._call(
                lambda: self._client(node).get_command_invocation(
                    CommandId=sent.command_id, InstanceId=sent.instance_id
                ),
                what=f"asking for command {sent.command_id} on {node}",
                changes=False,
                sent=True,
            )
        except TransportError as error:
            if error.reason is CommandFault.INVOCATION_MISSING and may_be_missing:
                return None
            raise

    async def _call(self, call: Callable[[], T], *, what: str, changes: bool, sent: bool = False) -> T:
        """Runs a call in a thread, and repeats it for up to 20 seconds.

        A throttled call is repeated. An unanswered call is repeated only if it changes nothing.
        """
        backoff = Backoff(None, first=FIRST_RETRY, longest=LONGEST_PAUSE)
        until = self._monotonic() + THROTTLED_FOR.total_seconds()
        while True:
            try:
                return await self._aws.run_in_pool(call)
            except AWS_ERRORS as error:
                reason = fault_of(error)
                again = reason is CommandFault.THROTTLED or (not changes and reason is CommandFault.UNREACHABLE)
                if not again or self._monotonic() >= until:
                    raise TransportError(
                        reason,
                        f"{what}: {error_text(error)}",
                        maybe_applied=sent or (changes and may_have_been_sent(error)),
                    ) from error
            await asyncio.sleep(backoff.failed())

    def _client(self, node: Node) -> "SSMClient":
        client: SSMClient = self._aws.client("ssm", region=node.region, config=_CONFIG, role=node.role)
        return client


def _output(
    invocation: "GetCommandInvocationResultTypeDef", *, what: str, time_limit: timedelta | None
) -> CommandOutput:
    status = str(invocation["Status"])
    details = invocation.get("StatusDetails", "").replace(" ", "") or status
    if status not in _ENDED or details not in _ENDED:
        stderr = invocation.get("StandardErrorContent", "").strip()
        suffix = f": {stderr[-300:]}" if stderr else ""
        elapsed = _elapsed(invocation)
        is_timeout = details in {"ExecutionTimedOut", "TimedOut"}
        if is_timeout and elapsed is not None and time_limit is not None and elapsed + KILLED_EARLY_BY < time_limit:
            raise ended_with(
                CommandFault.FAILED,
                f"{what}: the script was killed after {elapsed.total_seconds():.0f} s, before its time limit of "
                f"{time_limit.total_seconds():.0f} s, though not by the agent; was memory short?{suffix}",
            )
        raise error_of_status(details, f"{what}: {details}{suffix}")
    return CommandOutput(
        status=status,
        exit_code=invocation.get("ResponseCode", -1),
        stdout=invocation.get("StandardOutputContent", ""),
        stderr=invocation.get("StandardErrorContent", ""),
    )


def _elapsed(invocation: "GetCommandInvocationResultTypeDef") -> timedelta | None:
    """Returns how long the script ran. None: SSM does not say."""
    found = _ELAPSED.fullmatch(invocation.get("ExecutionElapsedTime", ""))
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = found.groups()
    return timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0))


def _overdue(invocation: "GetCommandInvocationResultTypeDef | None", *, what: str) -> TransportError:
    started = invocation is not None and invocation["Status"] in {"InProgress", "Cancelling"}
    reason = CommandFault.NO_REPLY if started else CommandFault.DELIVERY_TIMED_OUT
    status = "missing" if invocation is None else invocation["Status"]
    return TransportError(reason, f"{what} is still {status} at its deadline", maybe_applied=True)
