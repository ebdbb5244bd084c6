"""Removes slow code paths of moto's SQS, so that a storm measures the operator and not the stand-in.

moto computes the time of each message several times by way of a datetime. For each message that it hands out it counts
all others, to learn how long messages are kept. For each request it searches the folder of its own code. The queue
behaves the same with and without this.
"""

import time
from datetime import datetime
from functools import cache
from typing import Any

from moto import backends
from moto.core.utils import unix_time_millis
from moto.sqs import models

__all__ = ["make_queues_quick"]


_look_for_modules = backends.list_of_moto_modules


def make_queues_quick() -> None:
    """Patches moto in this process."""
    for owner, name, quick in (
        (models, "unix_time_millis", _unix_time_millis),
        (models.SQSBackend, "is_message_valid_based_on_retention_period", _is_kept),
        (backends, "list_of_moto_modules", _modules),
    ):
        setattr(owner, name, quick)


def _unix_time_millis(instant: datetime | None = None) -> float:
    return time.time() * 1000 if instant is None else unix_time_millis(instant)


@cache
def _modules() -> tuple[str, ...]:
    return tuple(_look_for_modules())


def _is_kept(backend: models.SQSBackend, queue_name: str, message: Any) -> bool:
    kept: float = backend.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined]
    return bool(kept + message.sent_timestamp / 1000 > time.time())
