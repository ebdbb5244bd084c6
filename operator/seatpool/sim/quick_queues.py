"""Takes two slow turns out of moto's queues, so that a storm measures the operator and not the stand-in.

For each message that it looks at, moto computes the time by way of a datetime, several times; for each message that it gives
away it counts all the others, to learn how long messages are kept. What a queue does is the same with and without this.
"""

import time
from datetime import datetime
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs import models

__all__ = ["make_queues_quick"]


def make_queues_quick() -> None:
    """For all queues of this process."""
    for owner, name, quick in (
        (models, "unix_time_millis", _unix_time_millis),
        (models.SQSBackend, "is_message_valid_based_on_retention_period", _is_kept),
    ):
        setattr(owner, name, quick)


def _unix_time_millis(instant: datetime | None = None) -> float:
    return time.time() * 1000 if instant is None else unix_time_millis(instant)


def _is_kept(backend: models.SQSBackend, queue_name: str, message: Any) -> bool:
    kept: float = backend.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined]
    return bool(kept + message.sent_timestamp / 1000 > time.time())
