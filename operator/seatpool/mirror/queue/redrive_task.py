"""Runs SQS's own redrive of all dead letters. It goes on by itself and is much faster than moving message by message.

Some regions and stand-ins do not have it, and it needs its own permissions. Then the caller moves each message.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from seatpool.mirror.aws_clients import AwsClients

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

RUNNING = "RUNNING"
POLL_INTERVAL = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveProgress:
    """State of a redrive task."""

    status: str
    moved: int
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveTask:
    """Moves all messages from one queue to another."""

    client: "SQSClient"
    clients: AwsClients
    source_arn: str
    destination_arn: str

    async def redrive_all(
        self, *, on_progress: Callable[[RedriveProgress], None], pause: float = POLL_INTERVAL
    ) -> RedriveProgress | None:
        """Starts a redrive, or follows the one that is running, to its end. None: SQS does not offer it here."""
        try:
            progress = await self._progress()
            if progress is None or progress.status != RUNNING:
                await self.clients.run_in_pool(self._start)
                progress = await self._progress()
        except ClientError:
            return None
        while progress is not None and progress.status == RUNNING:
            on_progress(progress)
            await asyncio.sleep(pause)
            progress = await self._progress()
        return progress

    def _start(self) -> None:
        self.client.start_message_move_task(SourceArn=self.source_arn, DestinationArn=self.destination_arn)

    async def _progress(self) -> RedriveProgress | None:
        """Returns the state of the latest task. None: there was none."""

        def call() -> RedriveProgress | None:
            answer = self.client.list_message_move_tasks(SourceArn=self.source_arn, MaxResults=1)
            for found in answer.get("Results", []):
                return RedriveProgress(
                    status=found.get("Status", ""),
                    moved=found.get("ApproximateNumberOfMessagesMoved", 0),
                    failure=found.get("FailureReason", ""),
                )
            return None

        return await self.clients.run_in_pool(call)
