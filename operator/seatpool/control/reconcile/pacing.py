"""When a product is tried again, and in how large a command. Pure.

The products of a command share its time limit. One whose client hangs uses up half of what is left, and those after it may
not be begun. So a product that was late is sent in smaller company: one that was stopped goes alone, and one that was not
begun, or whose command was killed as a whole, in half the company. That is no failure yet. A product that is late alone
hangs: it fails, and its pause grows. Each result in time doubles the company again.

Reading, writing and deciding have a pace each. So a list that can be read says nothing of a client that does not take one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from seatpool.backoff import NEVER_FAILED, Retry
from seatpool.control.state.moment import Moment
from seatpool.servers.command_result import Late

LARGEST_LIMIT = 16
"""A larger company is no limit any more: no command carries many more products."""
HANG_GROWTH = 10
LONGEST_HANG_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(minutes=1)
T = TypeVar("T")


class Work(StrEnum):
    """What can fail for a product."""

    READ = "read"
    """Its list is read from the license server."""
    WRITE = "write"
    """Its list is written to the license server."""
    DECIDE = "decide"
    """Its pool's answer is computed and stored."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The pace of one product for one kind of work."""

    retry: Retry = NEVER_FAILED
    """When it may be tried again."""
    company: int | None = None
    """Products that a command with it carries at most. None: as many as fit."""

    def failed(self, at: Moment) -> "Pace":
        """Returns the pace after a failure: the pause doubles, from 1 s to a minute."""
        return replace(self, retry=self.retry.failed(monotonic=at.monotonic, jitter=at.jitter))

    def hung(self, at: Moment, *, time_limit: timedelta) -> "Pace":
        """Returns the pace after a command for this product alone was late.

        The pause begins with the time limit and doubles to ten times of it, at most to an hour. So a client that hangs
        keeps the license server from the other products for a tenth of the time at most.
        """
        longest = max(LONGEST_PAUSE, min(time_limit * HANG_GROWTH, LONGEST_HANG_PAUSE))
        retry = self.retry.failed(
            monotonic=at.monotonic,
            jitter=at.jitter,
            first=time_limit.total_seconds(),
            longest=longest.total_seconds(),
        )
        return Pace(retry, 1)

    def in_time(self) -> "Pace":
        """Returns the pace after a result in time: the company doubles."""
        if self.company is None or self.company * 2 > LARGEST_LIMIT:
            return replace(self, company=None)
        return replace(self, company=self.company * 2)

    def with_company(self, most: int) -> "Pace":
        """Returns the pace with a company of this size at most."""
        return replace(self, company=max(1, most))


STEADY = Pace()
"""The pace of a product that was never late and did not fail."""


def company_after(late: Late, company: int) -> int:
    """Returns how many products may be sent with one that was late among so many. One that was stopped goes alone."""
    return company // 2 if late is Late.UNBEGUN else 1


def next_batch(items: Sequence[T], pace_of: Callable[[T], Pace]) -> tuple[T, ...]:
    """Returns the items of the next command: as many as each of them allows, those that were never late or failed first."""

    def order(item: T) -> tuple[float, int]:
        pace = pace_of(item)
        return -_size(pace), pace.retry.failures

    batch: list[T] = []
    for item in sorted(items, key=order):
        if len(batch) >= _size(pace_of(item)):
            break
        batch.append(item)
    return tuple(batch)


def _size(pace: Pace) -> float:
    return math.inf if pace.company is None else pace.company
