"""Retries a call to the Kubernetes API until it is answered."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from seatpool.backoff import Backoff
from seatpool.kube.errors import KubeError

T = TypeVar("T")


async def retry_until_answered(call: Callable[[], Awaitable[T]], *, rng: random.Random, log: FilteringBoundLogger) -> T:
    """Make a call to the Kubernetes API until it is answered."""
    backoff = Backoff(rng, first=0.2, longest=15.0)
    while True:
        try:
            return await call()
        except KubeError as error:
            backoff.failed()
            log.warning("the Kubernetes API does not answer as needed", error=str(error))
            await asyncio.sleep(backoff.remaining())
