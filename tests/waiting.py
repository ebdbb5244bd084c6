"""Waits of tests. A test that waits fails only if the thing never comes, however busy the machine is.

A test that proves that something does *not* happen waits for a short time of its own, with a plain sleep.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 60.0
"""Seconds that everything gets that a test waits for."""


async def eventually(
    condition: Callable[[], Awaitable[bool] | bool], *, seconds: float = PATIENCE, what: str = ""
) -> None:
    """Waits until something is so. It fails with the condition's name when it does not come about."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        await asyncio.sleep(0.03)


def wait_until(condition: Callable[[], object], *, seconds: float = PATIENCE, what: str = "") -> None:
    """Waits as `eventually` does, in a test without an event loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(0.02)
