"""Runs blocking calls in threads. This is the only place that hands a call to an executor.

Some errors cannot be put into a Future, StopIteration among them: its waiter would wait for ever. So an error of a call
that is no ordinary one becomes UnexpectedEnd in its thread.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from seatpool.domain.errors import SeatpoolError

T = TypeVar("T")


class UnexpectedEnd(SeatpoolError):
    """A blocking call ended with what is no ordinary error, such as StopIteration."""


async def run_in(executor: Executor | None, call: Callable[[], T]) -> T:
    """Runs a call in a thread of the executor. None: one of the event loop's own threads. Raises what the call raises."""
    return await asyncio.get_running_loop().run_in_executor(executor, lambda: _call(call))


def _call(call: Callable[[], T]) -> T:
    try:
        return call()
    except BaseException as error:
        presentable = presentable_error(error)
        if presentable is error:
            raise
    raise presentable


def presentable_error(error: BaseException) -> Exception:
    """Returns the error itself if a Future takes it and its waiter takes it for an error. Else UnexpectedEnd.

    A Future refuses StopIteration. A waiter takes CancelledError of either kind for its own cancellation.
    """
    if isinstance(error, Exception) and not isinstance(error, StopIteration | concurrent.futures.CancelledError):
        return error
    unexpected = UnexpectedEnd(f"the call ended with {type(error).__name__} instead of an answer: {error}")
    unexpected.__cause__ = error
    return unexpected
