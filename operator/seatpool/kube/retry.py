"""Retries a call to the Kubernetes API until it is answered."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from seatpool.backoff import Backoff, retry_call
from seatpool.kube.errors import KubeError

T = TypeVar("T")


async def retry_until_answered(call: Callable[[], Awaitable[T]], *, rng: random.Random, log: FilteringBoundLogger) -> T:
    """Calls the Kubernetes API until it answers. Errors that are no KubeError are raised."""

    def warn(error: Exception) -> None:
        log.warning("the Kubernetes API does not answer as needed", error=str(error))

    return await retry_call(call, errors=KubeError, backoff=Backoff(rng, first=0.2, longest=15.0), on_error=warn)
