"""Chooses the parts of a workload that are played in real time, so that compression does not change what is measured.

Between them events are sent as fast as the queue takes them. Within one, a pause is cut when all effects of the events
before it are over. A longer pause would then change neither latency nor what one command collects. It is cut at the
earliest `AFTER_A_CHANGE` after an event that changes a list, and `AFTER_NONE` after another. Windows begin and end with
whole minutes, as the pipeline's commands do.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.workloads import Event

MINUTE = 60.0
AFTER_A_CHANGE = 0.5
AFTER_NONE = 0.15


@dataclass(frozen=True, slots=True)
class Window:
    """Events from `first` up to, and without, `end`."""

    first: int
    end: int
    minutes: range

    def pauses(self, events: Sequence[Event], changing: frozenset[Event]) -> list[tuple[float, float]]:
        """Returns the seconds before each event: the least, and the real ones.

        `changing` are the events that change a list.
        """
        pauses = [(0.0, 0.0)]
        for earlier, later in pairwise(events[self.first : self.end]):
            real = later.at - earlier.at
            pauses.append((min(AFTER_A_CHANGE if earlier in changing else AFTER_NONE, real), real))
        return pauses


def choose(events: Sequence[Event], *, count: int, length: int, rng: random.Random) -> list[Window]:
    """Chooses so many windows of about so many events, one in each part of the workload."""
    return list(_windows(events, count, length, rng))


def _windows(events: Sequence[Event], count: int, length: int, rng: random.Random) -> Iterator[Window]:
    part = len(events) // count
    for number in range(count):
        begin = number * part + rng.randrange(max(1, part - 2 * length))
        minute = int(events[begin].at // MINUTE)
        first = next(index for index in range(begin, -1, -1) if index == 0 or events[index - 1].at // MINUTE < minute)
        last = int(events[min(first + length, len(events)) - 1].at // MINUTE)
        end = next((index for index in range(first + 1, len(events)) if events[index].at // MINUTE > last), len(events))
        yield Window(first, end, range(minute, last + 1))
