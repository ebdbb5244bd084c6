"""Bad messages go into the dead-letter queue by our own hand, because only then their reason can go with them.

SQS moves a message after so many receives and says nothing; whoever finds it there has to guess. So a message is sent
to the dead-letter queue with attributes that tell what is wrong, and only then deleted here. Whoever crashes in between
leaves it twice, never not at all. Where that is not allowed, or a message is too large for it, SQS moves it as ever, and
`seatpool dlq` finds the reason out by reading the message again.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from seatpool.api.base import format_instant
from seatpool.aws.refusals import error_code
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.aws_errors import AWS_ERRORS, describe_fault, reason_of
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.queue.ack import Disposal
from seatpool.mirror.queue.sqs_queue import EventQueue, Message
from seatpool.mirror.rate_limited_log import SparingLog

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef

REASON = "seatpool-reason"
DETAIL = "seatpool-detail"
KIND = "seatpool-kind"
FIRST_SENT = "seatpool-first-sent"
MESSAGE = "seatpool-message"
LONGEST_DETAIL = 500
REST = 300.0
_THIS_MESSAGE_ONLY = {"InvalidMessageContents", "InvalidParameterValue"}


class Parking:
    """The way into the dead-letter queue of one queue."""

    def __init__(
        self,
        queue: EventQueue,
        clients: AwsClients,
        *,
        metrics: MirrorMetrics,
        log: SparingLog,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._clients = clients
        self._metrics = metrics
        self._log = log
        self._monotonic = monotonic
        self._url: str | None = None
        self._closed_until = 0.0

    async def park(self, message: Message, disposal: Disposal) -> bool:
        """Whether the message is in the dead-letter queue now, and may be deleted here."""
        if self._queue.dead_letter_arn is None or self._monotonic() < self._closed_until:
            return False
        try:
            if self._url is None:
                self._url = await self._clients.quickly(self._find)
            await self._clients.quickly(lambda: self._send(message, disposal))
        except AWS_ERRORS as error:
            if error_code(error) not in _THIS_MESSAGE_ONLY:
                self._closed_until = self._monotonic() + REST
            self._log.warning("bad message not parked", reason=reason_of(error), error=describe_fault(error))
            return False
        self._metrics.parked.labels(disposal.reason).inc()
        self._metrics.dead_letters.inc()  # until SQS says how many there are
        return True

    async def depth(self) -> int | None:
        """About how many messages are in the dead-letter queue; None without one."""
        if self._queue.dead_letter_arn is None:
            return None
        if self._url is None:
            self._url = await self._clients.quickly(self._find)
        url = self._url

        def call() -> int:
            answer = self._client().get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            return int(answer.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))

        return await self._clients.quickly(call)

    def _find(self) -> str:
        assert self._queue.dead_letter_arn is not None  # noqa: S101
        *_, account, name = self._queue.dead_letter_arn.split(":")
        return self._client().get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]

    def _send(self, message: Message, disposal: Disposal) -> None:
        assert self._url is not None  # noqa: S101
        self._client().send_message(
            QueueUrl=self._url,
            MessageBody=message.body,
            MessageAttributes=_attributes(
                {
                    REASON: disposal.reason,
                    DETAIL: ascii(disposal.detail[:LONGEST_DETAIL])[1:-1],
                    KIND: disposal.kind,
                    FIRST_SENT: format_instant(message.sent_at),
                    MESSAGE: message.id,
                }
            ),
        )

    def _client(self) -> "SQSClient":
        return self._clients.sqs(region=self._queue.region, purpose=Purpose.QUEUE)


def _attributes(texts: dict[str, str]) -> "dict[str, MessageAttributeValueTypeDef]":
    return {name: {"DataType": "String", "StringValue": text or "-"} for name, text in texts.items()}
