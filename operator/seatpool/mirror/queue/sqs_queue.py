"""The SQS queue of events: receives, deletes and hides messages in batches, and reads the depth."""

import json
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from seatpool.api.regions import REGION_PATTERN
from seatpool.aws.errors import AWS_ERRORS
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.config import MirrorConfig

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH = 10
LONGEST_HIDDEN = 12 * 3600
FIFO = ".fifo"
_REGION = re.compile(REGION_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that was received."""

    id: str
    receipt: str
    body: str
    sent_at: datetime
    receives: int
    """Number of receives, this one included."""
    group: str | None = None
    """Group of a message in a FIFO queue. None: the queue is a standard one."""


class EventQueue:
    """One queue, given by URL, ARN or name. Call `open` first. Every call may raise an AWS error."""

    def __init__(self, config: MirrorConfig, clients: AwsClients) -> None:
        assert config.queue is not None  # noqa: S101
        self._config = config
        self._clients = clients
        self._name = config.queue
        self._region = _region(config)
        self._url = ""
        self.max_receives: int | None = None
        """Receives after which SQS moves a message to the dead-letter queue. None: no such queue."""
        self.redrive: bool | None = None
        """True: there is a dead-letter queue. None: the attributes may not be read."""
        self.dead_letter_arn: str | None = None

    async def open(self) -> None:
        """Finds the URL and the dead-letter queue."""
        self._url = await self._clients.run_in_pool(self._find)
        try:
            policy = await self._clients.run_in_pool(self._redrive_policy)
        except AWS_ERRORS:
            self.redrive, self.max_receives, self.dead_letter_arn = None, None, None
            return
        self.redrive = policy is not None
        self.max_receives = int(policy["maxReceiveCount"]) if policy is not None else None
        self.dead_letter_arn = str(policy["deadLetterTargetArn"]) if policy is not None else None

    @property
    def url(self) -> str:
        """URL of the queue."""
        return self._url

    @property
    def region(self) -> str | None:
        """Region of the queue. None: the region of the pod."""
        return self._region

    async def receive(self) -> list[Message]:
        """Receives up to 10 messages. Waits for the first one for `long_poll`."""

        def poll() -> list[Message]:
            answer = self._client(Purpose.POLL).receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=int(self._config.long_poll.total_seconds()),
                VisibilityTimeout=int(self._config.visibility.total_seconds()),
                MessageSystemAttributeNames=["ApproximateReceiveCount", "MessageGroupId", "SentTimestamp"],
            )
            return [_message(raw) for raw in answer.get("Messages", [])]

        def make_visible(messages: list[Message]) -> None:
            if messages:
                self._hide([(message, timedelta(0)) for message in messages])

        return await self._clients.run_in_thread(poll, on_cancelled=make_visible)

    async def delete(self, messages: Sequence[Message]) -> Collection[str]:
        """Deletes up to 10 messages. Returns the ids of those that SQS deleted."""

        def call() -> Collection[str]:
            answer = self._client(Purpose.QUEUE).delete_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(n), "ReceiptHandle": message.receipt} for n, message in enumerate(messages)],
            )
            return {messages[int(entry["Id"])].id for entry in answer.get("Successful", [])}

        return await self._clients.run_in_pool(call)

    async def hide(self, messages: Sequence[tuple[Message, timedelta]]) -> None:
        """Hides up to 10 messages, each for its time from now."""
        if messages:
            await self._clients.run_in_pool(lambda: self._hide(messages))

    async def depth(self) -> dict[str, int]:
        """Returns SQS's estimate of the visible messages and of those in flight."""

        def call() -> dict[str, int]:
            answer = self._client(Purpose.QUEUE).get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
            numbers = answer.get("Attributes", {})
            return {
                "visible": int(numbers.get("ApproximateNumberOfMessages", 0)),
                "in_flight": int(numbers.get("ApproximateNumberOfMessagesNotVisible", 0)),
            }

        return await self._clients.run_in_pool(call)

    def _client(self, purpose: Purpose) -> "SQSClient":
        return self._clients.sqs(region=self._region, purpose=purpose)

    def _hide(self, messages: Sequence[tuple[Message, timedelta]]) -> None:
        self._client(Purpose.QUEUE).change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {
                    "Id": str(n),
                    "ReceiptHandle": message.receipt,
                    "VisibilityTimeout": min(LONGEST_HIDDEN, math.ceil(time.total_seconds())),
                }
                for n, (message, time) in enumerate(messages)
            ],
        )

    def _find(self) -> str:
        if self._name.startswith(("http://", "https://")):
            return self._name
        client = self._client(Purpose.QUEUE)
        if self._name.startswith("arn:"):
            *_, account, name = self._name.split(":")
            return client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        return client.get_queue_url(QueueName=self._name)["QueueUrl"]

    def _redrive_policy(self) -> dict[str, Any] | None:
        answer = self._client(Purpose.QUEUE).get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
        text = answer.get("Attributes", {}).get("RedrivePolicy")
        return json.loads(text) if text else None


def _region(config: MirrorConfig) -> str | None:
    queue = config.queue or ""
    if queue.startswith("arn:"):
        return queue.split(":")[3]
    host = urlsplit(queue).hostname or ""
    return next((label for label in host.split(".") if _REGION.fullmatch(label)), config.region)


class FifoFields(TypedDict, total=False):
    """Fields that sending to a FIFO queue needs, and to a standard queue must not have."""

    MessageGroupId: str
    MessageDeduplicationId: str


def fifo_fields(url: str, *, group: str | None, message_id: str) -> FifoFields:
    """Returns the fields for sending a message on to a queue. SQS drops the second of two copies within 5 minutes."""
    if not url.endswith(FIFO):
        return {}
    return {"MessageGroupId": group or message_id, "MessageDeduplicationId": message_id}


def _message(raw: Any) -> Message:
    attributes = raw.get("Attributes", {})
    return Message(
        id=raw["MessageId"],
        receipt=raw["ReceiptHandle"],
        body=raw["Body"],
        sent_at=datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC),
        receives=int(attributes.get("ApproximateReceiveCount", 1)),
        group=attributes.get("MessageGroupId"),
    )
