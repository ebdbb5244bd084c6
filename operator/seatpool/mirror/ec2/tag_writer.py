"""A tag that says on the instance itself how its owner stands, for whoever starts the tool there.

Nobody waits for it. What an instance should say is only noted, and a task for each account and region writes what differs:
many instances in one call, and with growing pauses where it fails. What was written before a restart is not known after it,
so everything is written once more, which changes nothing in EC2.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from seatpool.aws.refusals import error_code
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.aws_errors import AWS_ERRORS, FaultReason, describe_fault, reason_of
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.rate_limited_log import SparingLog
from seatpool.mirror.regions import Source, Sources

MOST_IN_A_CALL = 1000
COLLECT = 0.2
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
PAUSED = 1.0
"""Between two looks whether this process may write, and whether the place is served."""

Place = tuple[str, str]


class Verb(StrEnum):
    """What is done to the tag; the name is the action that IAM has to permit."""

    SET = "ec2:CreateTags"
    REMOVE = "ec2:DeleteTags"


@dataclass(slots=True)
class _Book:
    """One account and region."""

    wished: dict[str, str | None] = field(default_factory=dict)
    written: dict[str, str | None] = field(default_factory=dict)
    open: dict[str, None] = field(default_factory=dict)
    """Instances that should say something else than they do, as far as is known."""
    leaving: set[str] = field(default_factory=set)
    """To be forgotten once they say nothing."""
    is_served: bool = False
    told: FaultReason | None = None

    def wish(self, instance_id: str, value: str | None) -> None:
        self.wished[instance_id] = value
        self.leaving.discard(instance_id)
        self._compare(instance_id)

    def settle(self, instance_id: str, value: str | None) -> None:
        """It was written; what is wished may be something else by now."""
        self.written[instance_id] = value
        self._compare(instance_id)
        if instance_id in self.leaving and instance_id not in self.open:
            self.leaving.discard(instance_id)
            del self.wished[instance_id], self.written[instance_id]

    def _compare(self, instance_id: str) -> None:
        if instance_id in self.written and self.written[instance_id] == self.wished[instance_id]:
            self.open.pop(instance_id, None)
        else:
            self.open[instance_id] = None


class SeatTags:
    """Of all instances of one mirror."""

    def __init__(
        self,
        tag: str,
        clients: AwsClients,
        sources: Sources,
        *,
        metrics: MirrorMetrics,
        log: SparingLog,
        leads: Callable[[], bool],
        rng: random.Random,
    ) -> None:
        self._tag = tag
        self._clients = clients
        self._sources = sources
        self._metrics = metrics
        self._log = log
        self._leads = leads
        self._rng = rng
        self._books: dict[Place, _Book] = {}
        self._wake = asyncio.Event()
        metrics.seat_tags_open.set_function(self._count_open)

    def wish(self, place: Place, instance_id: str, value: str | None) -> None:
        """The instance should have this value, or no such tag."""
        book = self._books.setdefault(place, _Book())
        book.wish(instance_id, value)
        if book.open and not book.is_served:
            self._wake.set()

    def forget(self, place: Place, instance_id: str) -> None:
        """Nobody speaks for the instance any more: what it says is taken back."""
        book = self._books.get(place)
        if book is None or instance_id not in book.wished:
            return
        self.wish(place, instance_id, None)
        book.leaving.add(instance_id)
        if instance_id not in book.open:
            book.settle(instance_id, None)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                for place, book in self._books.items():
                    if book.open and not book.is_served:
                        book.is_served = True
                        tasks.create_task(self._serve(place, book))
                await self._wake.wait()

    async def _serve(self, place: Place, book: _Book) -> None:
        """Until every instance of the place says what it should."""
        failures = 0
        try:
            await asyncio.sleep(COLLECT)
            while book.open:
                source = self._source(place)
                if source is None or not self._leads():
                    await asyncio.sleep(PAUSED)
                    continue
                try:
                    await self._write_open(source, book)
                except AWS_ERRORS as error:
                    failures += 1
                    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
                    self._tell(source, book, error, next_try=pause)
                    await asyncio.sleep(self._rng.uniform(0.5, 1.0) * pause)
                else:
                    failures = 0
                    self._tell_recovered(source, book)
        finally:
            book.is_served = False

    def _source(self, place: Place) -> Source | None:
        """The place, if EC2 may be asked there; who may not look may not write either."""
        source = self._sources.find(*place)
        return source if source is not None and source.inventory else None

    def _count_open(self) -> float:
        return sum(len(book.open) for place, book in self._books.items() if self._source(place) is not None)

    async def _write_open(self, source: Source, book: _Book) -> None:
        by_value: dict[str | None, list[str]] = {}
        for instance_id in book.open:
            by_value.setdefault(book.wished[instance_id], []).append(instance_id)
        for value, instances in by_value.items():
            for start in range(0, len(instances), MOST_IN_A_CALL):
                await self._write(source, book, instances[start : start + MOST_IN_A_CALL], value)

    async def _write(self, source: Source, book: _Book, instances: list[str], value: str | None) -> None:
        """One instance that EC2 does not take fails the whole call: then each half is tried by itself."""
        verb, parts = (Verb.REMOVE if value is None else Verb.SET), [instances]
        while parts:
            part = parts.pop()
            try:
                await self._clients.slowly(lambda part=part: self._call(source, part, value))  # type: ignore[misc]
            except AWS_ERRORS as error:
                if not _concerns_one(error):
                    self._metrics.seat_tag_calls.labels(verb, reason_of(error)).inc()
                    raise
                if len(part) > 1:
                    parts += list(_halves(part))
                    continue
                self._metrics.seat_tag_calls.labels(verb, "Refused").inc()
                self._log.warning(
                    "an instance cannot be tagged", reason=error_code(error), place=str(source), instance=part[0]
                )
            else:
                self._metrics.seat_tag_calls.labels(verb, "Done").inc()
            for instance_id in part:
                book.settle(instance_id, value)

    def _call(self, source: Source, instances: list[str], value: str | None) -> None:
        ec2 = self._clients.ec2(source.account, source.region, Purpose.SEAT_TAGS)
        if value is None:
            ec2.delete_tags(Resources=instances, Tags=[{"Key": self._tag}])
        else:
            ec2.create_tags(Resources=instances, Tags=[{"Key": self._tag, "Value": value}])

    def _tell(self, source: Source, book: _Book, error: Exception, *, next_try: float) -> None:
        """Once for each reason, not for each attempt."""
        reason = reason_of(error)
        if book.told is reason:
            return
        book.told = reason
        self._log.warning(
            "seat tags are not written", reason=reason, place=str(source), tag=self._tag, needs=", ".join(Verb),
            waiting=len(book.open), next_try=next_try, error=describe_fault(error),
        )  # fmt: skip

    def _tell_recovered(self, source: Source, book: _Book) -> None:
        if book.told is not None:
            book.told = None
            self._log.info("seat tags are written again", place=str(source), tag=self._tag)


def _concerns_one(error: Exception) -> bool:
    """Whether the call failed for one of its instances, and would not have without it."""
    code = error_code(error)
    return code.startswith(("InvalidInstanceID", "InvalidID")) or code == "TagLimitExceeded"


def _halves(part: list[str]) -> Iterator[list[str]]:
    middle = len(part) // 2
    yield part[:middle]
    yield part[middle:]
