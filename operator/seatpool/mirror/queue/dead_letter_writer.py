"""Writes bad messages to the dead-letter queue together with the reason.

SQS moves a message after a number of receives, but without a reason. So the mirror sends the message to the dead-letter
queue itself, with attributes that say what is wrong. Only then it is deleted here. A crash in between leaves it in both
queues, never in none. If that is not allowed, or the message is too large for it, SQS moves the message as usual. Then
`seatpool dlq` finds the reason by parsing the message again.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from seatpool.api.base import format_instant
from seatpool.aws.errors import AWS_ERRORS, describe_error, error_code, reason_of
from seatpool.backoff import Backoff
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.queue.ack import Ack
from seatpool.mirror.queue.sqs_queue import EventQueue, Message, fifo_fields
from seatpool.mirror.rate_limited_log import RateLimitedLog

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef

REASON = "seatpool-reason"
DETAIL = "seatpool-detail"
KIND = "seatpool-kind"
FIRST_SENT = "seatpool-first-sent"
MESSAGE = "seatpool-message"
LONGEST_DETAIL = 500
PAUSE = 300.0
_THIS_MESSAGE_ONLY = {"InvalidMessageContents", "InvalidParameterValue"}


class DeadLetterWriter:
    """Writes to the dead-letter queue of one queue. After a failure it pauses for 5 minutes."""

    def __init__(
        self,
        queue: EventQueue,
        clients: AwsClients,
        *,
        metrics: MirrorMetrics,
        log: RateLimitedLog,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._clients = clients
        self._metrics = metrics
        self._log = log
        self._backoff = Backoff(None, monotonic=monotonic, first=PAUSE, longest=PAUSE)
        self._url: str | None = None

    async def write(self, message: Message, ack: Ack) -> bool:
        """Writes a message. True: it is in the dead-letter queue and may be deleted here."""
        if self._queue.dead_letter_arn is None or self._backoff.remaining() > 0:
            return False
        try:
            if self._url is None:
                self._url = await self._clients.run_in_pool(self._find)
            await self._clients.run_in_pool(lambda: self._send(message, ack))
        except AWS_ERRORS as error:
            if error_code(error) not in _THIS_MESSAGE_ONLY:
                self._backoff.failed()
            self._log.warning("bad message not dead-lettered", reason=reason_of(error), error=describe_error(error))
            return False
        self._metrics.parked.labels(ack.reason).inc()
        self._metrics.dead_letters.inc()  # until the next answer of SQS
        return True

    async def depth(self) -> int | None:
        """Returns SQS's estimate of the messages in the dead-letter queue. None: there is no such queue."""
        if self._queue.dead_letter_arn is None:
            return None
        if self._url is None:
            self._url = await self._clients.run_in_pool(self._find)
        url = self._url

        def call() -> int:
            answer = self._client().get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            return int(answer.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))

        return await self._clients.run_in_pool(call)

    def _find(self) -> str:
        assert self._queue.dead_letter_arn is not None  # noqa: S101
        *_, account, name = self._queue.dead_letter_arn.split(":")
        return self._client().get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]

    def _send(self, message: Message, ack: Ack) -> None:
        assert self._url is not None  # noqa: S101
        self._client().send_message(
            QueueUrl=self._url,
            MessageBody=message.body,
            MessageAttributes=_attributes(
                {
                    REASON: ack.reason,
                    DETAIL: ascii(ack.detail[:LONGEST_DETAIL])[1:-1],
                    KIND: ack.kind,
                    FIRST_SENT: format_instant(message.sent_at),
                    MESSAGE: message.id,
                }
            ),
            **fifo_fields(self._url, group=message.group, message_id=message.id),
        )

    def _client(self) -> "SQSClient":
        return self._clients.sqs(region=self._queue.region, purpose=Purpose.QUEUE)


def _attributes(texts: dict[str, str]) -> "dict[str, MessageAttributeValueTypeDef]":
    return {name: {"DataType": "String", "StringValue": text or "-"} for name, text in texts.items()}
