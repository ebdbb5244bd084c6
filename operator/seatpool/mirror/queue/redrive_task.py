"""SQS's own move of all dead letters, which goes on by itself and is much faster than ours.

It is not everywhere: some regions and stand-ins do not know it, and it needs permissions of its own. Then the caller
moves them message by message.
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
LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How a move stands."""

    status: str
    moved: int
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTask:
    """Moves from one queue to another."""

    client: "SQSClient"
    clients: AwsClients
    source_arn: str
    destination_arn: str

    async def run(self, *, told: Callable[[Move], None], pause: float = LOOK_EVERY) -> Move | None:
        """Move everything, or watch the move that is under way already. None where SQS does not do it."""
        try:
            move = await self._look()
            if move is None or move.status != RUNNING:
                await self.clients.quickly(self._start)
                move = await self._look()
        except ClientError:
            return None
        while move is not None and move.status == RUNNING:
            told(move)
            await asyncio.sleep(pause)
            move = await self._look()
        return move

    def _start(self) -> None:
        self.client.start_message_move_task(SourceArn=self.source_arn, DestinationArn=self.destination_arn)

    async def _look(self) -> Move | None:
        """The latest one."""

        def call() -> Move | None:
            answer = self.client.list_message_move_tasks(SourceArn=self.source_arn, MaxResults=1)
            for found in answer.get("Results", []):
                return Move(
                    status=found.get("Status", ""),
                    moved=found.get("ApproximateNumberOfMessagesMoved", 0),
                    failure=found.get("FailureReason", ""),
                )
            return None

        return await self.clients.quickly(call)
