"""Lists, redrives and deletes messages of the dead-letter queue, for `seatpool dlq`.

A message that the mirror wrote there has its reason. A message that SQS moved has none, so it is parsed again with the
present settings. That says what is wrong, or that the message is good and could not be handled when it came.
The operator need not run. Redriving twice does no harm, because events are ordered by their own time.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from seatpool.domain.errors import SeatpoolError
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.messages.parsed import KindName, Malformed, Parsed
from seatpool.mirror.queue.dead_letter_writer import DETAIL, FIRST_SENT, KIND, REASON
from seatpool.mirror.queue.sqs_queue import BATCH, EventQueue, fifo_fields

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

HELD_SECONDS = 120
WAIT_SECONDS = 1
"""A receive that waits asks all servers of SQS. One that does not wait may miss messages."""
NOT_HANDLED = "not_handled"
_OURS = "seatpool-"


class NoDeadLetters(SeatpoolError):
    """The dead-letter queue is missing, may not be read, or did not delete messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message in the dead-letter queue."""

    id: str
    receipt: str
    body: str
    attributes: Any
    """Message attributes without those that the mirror added."""
    first_sent: datetime
    dead_since: datetime
    kind: str
    reason: str
    detail: str
    recorded: bool
    """True: the reason came with the message. False: it was found by parsing the message now."""
    understood: bool
    """True: the mirror would handle the message now, with the present settings."""
    group: str | None
    """Group of a message in a FIFO queue. None: the queue is a standard one."""


class DeadLetters:
    """A dead-letter queue and its source queue. Call `open` first. Every call may raise an AWS error."""

    def __init__(self, queue: EventQueue, clients: AwsClients, *, parse: Callable[[str], Parsed]) -> None:
        self._queue = queue
        self._clients = clients
        self._parse = parse
        self.url = ""
        self._deleted: set[str] = set()

    async def open(self) -> None:
        """Finds both queues. Raises NoDeadLetters."""
        await self._queue.open()
        arn = self._queue.dead_letter_arn
        if arn is None:
            raise NoDeadLetters(
                f"queue {self._queue.url}: it has no RedrivePolicy, or sqs:GetQueueAttributes is not allowed; "
                "give the queue a dead-letter queue, or allow the action"
            )
        *_, account, name = arn.split(":")
        self.url = await self._clients.run_in_pool(
            lambda: self._client().get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        )

    @property
    def arn(self) -> str:
        """ARN of the dead-letter queue."""
        assert self._queue.dead_letter_arn is not None  # noqa: S101
        return self._queue.dead_letter_arn

    async def depth(self) -> int:
        """Returns SQS's estimate of the messages in the dead-letter queue."""

        def call() -> int:
            answer = self._client().get_queue_attributes(
                QueueUrl=self.url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
            return sum(int(count) for count in answer.get("Attributes", {}).values())

        return await self._clients.run_in_pool(call)

    async def source_arn(self) -> str:
        """Returns the ARN of the source queue."""

        def call() -> str:
            answer = self._client().get_queue_attributes(QueueUrl=self._queue.url, AttributeNames=["QueueArn"])
            return answer["Attributes"]["QueueArn"]

        return await self._clients.run_in_pool(call)

    @asynccontextmanager
    async def walk(self) -> AsyncIterator[AsyncIterator[DeadLetter]]:
        """Yields each message that is in the queue now, once. Messages that stay there are visible again at the end.

        Messages that arrive later are skipped, because a bad message that was moved back is dead again soon.
        """
        held: dict[str, str] = {}
        async with aclosing(self._receive_all(held, until=datetime.now(UTC))) as letters:
            try:
                yield letters
            finally:
                await self._make_visible([receipt for name, receipt in held.items() if name not in self._deleted])

    async def move_back(self, letters: Sequence[DeadLetter]) -> None:
        """Sends messages to the source queue, and only then deletes them here. A crash in between leaves them twice."""
        await asyncio.gather(*(self._clients.run_in_pool(lambda one=one: self._send(one)) for one in letters))  # type: ignore[misc]
        await self.delete(letters)

    async def delete(self, letters: Sequence[DeadLetter]) -> None:
        """Deletes messages. Raises NoDeadLetters if SQS did not delete all of them."""
        for start in range(0, len(letters), BATCH):
            part = letters[start : start + BATCH]
            deleted = await self._clients.run_in_pool(lambda part=part: self._delete(part))  # type: ignore[misc]
            self._deleted |= set(deleted)
            if len(deleted) < len(part):
                left = ", ".join(sorted({one.id for one in part} - set(deleted)))
                raise NoDeadLetters(f"dead-letter queue {self.url}: messages {left} were not deleted; try again")

    async def delete_all(self) -> None:
        """Deletes all messages, including those that another reader holds."""
        await self._clients.run_in_pool(lambda: self._client().purge_queue(QueueUrl=self.url))

    async def _receive_all(self, held: dict[str, str], *, until: datetime) -> AsyncGenerator[DeadLetter, None]:
        while True:
            fresh = [one for one in await self._clients.run_in_pool(self._receive) if one.id not in held]
            if not fresh:
                return
            held |= {one.id: one.receipt for one in fresh}
            old = [one for one in fresh if one.dead_since <= until]
            for one in old:
                yield one
            if not old:
                return

    def _receive(self) -> list[DeadLetter]:
        answer = self._client().receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HELD_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
        )
        return [self._read(raw) for raw in answer.get("Messages", [])]

    def _read(self, raw: Any) -> DeadLetter:
        attributes = raw.get("MessageAttributes", {})
        ours = {name: one.get("StringValue", "") for name, one in attributes.items() if name.startswith(_OURS)}
        parsed = self._parse(raw["Body"])
        malformed = isinstance(parsed, Malformed)
        if REASON in ours:
            reason, detail = ours[REASON], ours.get(DETAIL, "")
        elif isinstance(parsed, Malformed):
            reason, detail = parsed.reason.value, parsed.detail
        else:
            reason, detail = NOT_HANDLED, "a good message that could not be handled when it came; move it back"
        sent = datetime.fromtimestamp(int(raw.get("Attributes", {}).get("SentTimestamp", 0)) / 1000, UTC)
        return DeadLetter(
            id=raw["MessageId"],
            receipt=raw["ReceiptHandle"],
            body=raw["Body"],
            attributes={name: one for name, one in attributes.items() if name not in ours},
            first_sent=_instant(ours.get(FIRST_SENT)) or sent,
            dead_since=sent,
            kind=ours[KIND] if ours.get(KIND) in set(KindName) else parsed.kind.value,
            reason=reason,
            detail=detail,
            recorded=REASON in ours,
            understood=not malformed,
            group=raw.get("Attributes", {}).get("MessageGroupId"),
        )

    def _send(self, letter: DeadLetter) -> None:
        self._client().send_message(
            QueueUrl=self._queue.url,
            MessageBody=letter.body,
            MessageAttributes=letter.attributes,
            **fifo_fields(self._queue.url, group=letter.group, message_id=letter.id),
        )

    def _delete(self, letters: Sequence[DeadLetter]) -> Collection[str]:
        answer = self._client().delete_message_batch(
            QueueUrl=self.url,
            Entries=[{"Id": str(n), "ReceiptHandle": one.receipt} for n, one in enumerate(letters)],
        )
        return {letters[int(entry["Id"])].id for entry in answer.get("Successful", [])}

    async def _make_visible(self, receipts: Sequence[str]) -> None:
        def call(part: Sequence[str]) -> None:
            self._client().change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": 0} for n, receipt in enumerate(part)
                ],
            )

        for start in range(0, len(receipts), BATCH):
            part = receipts[start : start + BATCH]
            await self._clients.run_in_pool(lambda part=part: call(part))  # type: ignore[misc]

    def _client(self) -> "SQSClient":
        return self._clients.sqs(region=self._queue.region, purpose=Purpose.QUEUE)


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None
