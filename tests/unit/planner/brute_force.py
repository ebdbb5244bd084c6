"""The planner's question answered a second time, by hand: it shares no code with Seatpool.

Time passes in whole seconds. A user has a seat, lingers on it, or waits. Who came first gets the next free one. Who leaves
without a seat was never served, however short the wait was.
"""

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

NEVER = math.inf
Need = tuple[str, int, int]
"""Whose, and from which second to which."""


def needs_in(file: Path) -> list[Need]:
    """From a clean file of events of one type, in the order of time."""
    running: dict[str, set[str]] = defaultdict(set)
    since: dict[str, int] = {}
    needs: list[Need] = []
    last = 0
    with gzip.open(file, "rt") as lines:
        for line in lines:
            event = json.loads(line)
            last = int(datetime.fromisoformat(event["time"]).timestamp())
            user, instance = event["detail"]["user-id"], event["detail"]["instance-id"]
            if event["detail"]["workbench-state"] == "running":
                if not running[user]:
                    since[user] = last
                running[user].add(instance)
            else:
                running[user].discard(instance)
                if not running[user]:
                    needs.append((user, since.pop(user), last))
    return needs + [(user, begin, last) for user, begin in since.items()]


def waits_with(needs: Iterable[Need], seats: int, *, linger: int = 0) -> list[float]:
    """How long each need waits, in the order in which they began. NEVER: it has no seat before it ends."""
    ordered = sorted(needs, key=lambda need: (need[1], need[0]))
    seconds = {second for _, begin, end in ordered for second in (begin, end, end + linger)}
    seat_until: dict[str, float] = {}
    line: list[int] = []
    waits = [0.0] * len(ordered)
    for now in sorted(seconds):
        for user in [user for user, until in seat_until.items() if until <= now]:
            if not any(owner == user and begin <= now < end for owner, begin, end in ordered):
                del seat_until[user]
        for index in [index for index in line if ordered[index][2] <= now]:
            line.remove(index)
            waits[index] = NEVER
        for index, (user, begin, end) in enumerate(ordered):
            if begin == now:
                if user in seat_until:
                    seat_until[user] = end + linger
                else:
                    line.append(index)
        while line and len(seat_until) < seats:
            first = line.pop(0)
            user, begin, end = ordered[first]
            waits[first] = now - begin
            seat_until[user] = end + linger
    return waits


def longest(needs: Iterable[Need], waits: Sequence[float]) -> float:
    """The longest time that a need waits, for a seat or in vain."""
    ordered = sorted(needs, key=lambda need: (need[1], need[0]))
    return max(end - begin if wait == NEVER else wait for (_, begin, end), wait in zip(ordered, waits, strict=True))


def p95(waits: Sequence[float]) -> float:
    return sorted(waits)[math.ceil(len(waits) * 95 / 100) - 1]


def seats_for(needs: Sequence[Need], *, p95_below: int, linger: int = 0) -> int:
    """The smallest number, found by trying one after the other."""
    return next(seats for seats in range(1, len(needs) + 2) if p95(waits_with(needs, seats, linger=linger)) < p95_below)
