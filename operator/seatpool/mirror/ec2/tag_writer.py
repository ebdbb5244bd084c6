"""Writes a tag onto instances that says whether the owner has every seat, so that programs there can read it.

No caller waits for a write. The desired value is only recorded. A task for each region writes what differs, many
instances in one call. After a failure it pauses, longer each time. Tags written before a restart are not known after
it, so all of them are written once more. That changes nothing in EC2.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from seatpool.aws.errors import AWS_ERRORS, AwsErrorReason, describe_error, error_code, reason_of
from seatpool.backoff import SHORTENING_JITTER, Backoff
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.rate_limited_log import RateLimitedLog
from seatpool.mirror.regions import AccountRegion, ServedRegion, ServedRegions

INSTANCES_IN_A_CALL = 1000
BATCH_DELAY = 0.2
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STANDBY_INTERVAL = 1.0
"""Seconds between checks while this process may not write, or the region is not served."""


class TagAction(StrEnum):
    """Actions on the tag. Each value is the action that IAM has to allow."""

    SET = "ec2:CreateTags"
    REMOVE = "ec2:DeleteTags"


@dataclass(slots=True)
class _RegionTags:
    """The tags of one region. None as a value: no tag."""

    desired: dict[str, str | None] = field(default_factory=dict)
    written: dict[str, str | None] = field(default_factory=dict)
    pending: dict[str, None] = field(default_factory=dict)
    """Instances whose tag differs from the desired one, as far as is known."""
    leaving: set[str] = field(default_factory=set)
    """Instances to forget once their tag is removed."""
    has_task: bool = False
    logged: AwsErrorReason | None = None
    """Reason of the failure that was logged. None: the last call succeeded."""

    def set_desired(self, instance_id: str, value: str | None) -> None:
        """Records the desired value."""
        self.desired[instance_id] = value
        self.leaving.discard(instance_id)
        self._compare(instance_id)

    def record_written(self, instance_id: str, value: str | None) -> None:
        """Records a write. The desired value may have changed meanwhile."""
        self.written[instance_id] = value
        self._compare(instance_id)
        if instance_id in self.leaving and instance_id not in self.pending:
            self.leaving.discard(instance_id)
            del self.desired[instance_id], self.written[instance_id]

    def _compare(self, instance_id: str) -> None:
        if instance_id in self.written and self.written[instance_id] == self.desired[instance_id]:
            self.pending.pop(instance_id, None)
        else:
            self.pending[instance_id] = None


class TagWriter:
    """Writes the seat tags of all instances of one mirror."""

    def __init__(
        self,
        tag: str,
        clients: AwsClients,
        regions: ServedRegions,
        *,
        metrics: MirrorMetrics,
        log: RateLimitedLog,
        leads: Callable[[], bool],
        rng: random.Random,
    ) -> None:
        self._tag = tag
        self._clients = clients
        self._regions = regions
        self._metrics = metrics
        self._log = log
        self._leads = leads
        self._rng = rng
        self._tags: dict[AccountRegion, _RegionTags] = {}
        self._wake = asyncio.Event()
        metrics.seat_tags_open.set_function(self._count_pending)

    def set_desired(self, account_region: tuple[str, str], instance_id: str, value: str | None) -> None:
        """Records the value that an instance should have. None: no tag."""
        tags = self._tags.setdefault(AccountRegion(*account_region), _RegionTags())
        tags.set_desired(instance_id, value)
        if tags.pending and not tags.has_task:
            self._wake.set()

    def forget(self, account_region: tuple[str, str], instance_id: str) -> None:
        """Has the tag of an instance removed, and then forgets the instance."""
        tags = self._tags.get(AccountRegion(*account_region))
        if tags is None or instance_id not in tags.desired:
            return
        self.set_desired(account_region, instance_id, None)
        tags.leaving.add(instance_id)
        if instance_id not in tags.pending:
            tags.record_written(instance_id, None)

    async def run(self) -> None:
        """Writes tags until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                for key, tags in self._tags.items():
                    if tags.pending and not tags.has_task:
                        tags.has_task = True
                        tasks.create_task(self._write_region(key, tags))
                await self._wake.wait()

    async def _write_region(self, key: AccountRegion, tags: _RegionTags) -> None:
        """Writes until every instance of the region has the desired tag."""
        backoff = Backoff(self._rng, first=FIRST_PAUSE, longest=LONGEST_PAUSE, spread=SHORTENING_JITTER)
        try:
            await asyncio.sleep(BATCH_DELAY)
            while tags.pending:
                served = self._served(key)
                if served is None:
                    self._metrics.seat_tags_failing.labels(*key).set(0)
                if served is None or not self._leads():
                    await asyncio.sleep(STANDBY_INTERVAL)
                    continue
                try:
                    await self._write_pending(served, tags)
                except AWS_ERRORS as error:
                    pause = backoff.failed()
                    self._log_failure(served, tags, error, next_try=pause)
                    await asyncio.sleep(pause)
                else:
                    backoff.succeeded()
                    self._log_recovery(served, tags)
        finally:
            tags.has_task = False

    def _served(self, key: AccountRegion) -> ServedRegion | None:
        """Returns the region if EC2 may be asked there. A role that may not read may not write either."""
        served = self._regions.find(key)
        return served if served is not None and served.inventory else None

    def _count_pending(self) -> float:
        return sum(len(tags.pending) for key, tags in self._tags.items() if self._served(key) is not None)

    async def _write_pending(self, served: ServedRegion, tags: _RegionTags) -> None:
        by_value: dict[str | None, list[str]] = {}
        for instance_id in tags.pending:
            by_value.setdefault(tags.desired[instance_id], []).append(instance_id)
        for value, instances in by_value.items():
            for start in range(0, len(instances), INSTANCES_IN_A_CALL):
                await self._write(served, tags, instances[start : start + INSTANCES_IN_A_CALL], value)

    async def _write(self, served: ServedRegion, tags: _RegionTags, instances: list[str], value: str | None) -> None:
        """Writes one value. If EC2 refuses one instance, the whole call fails, and each half is tried by itself."""
        action, parts = (TagAction.REMOVE if value is None else TagAction.SET), [instances]
        while parts:
            part = parts.pop()
            try:
                await self._clients.run_in_thread(lambda part=part: self._call(served, part, value))  # type: ignore[misc]
            except AWS_ERRORS as error:
                if not _concerns_one_instance(error):
                    self._metrics.seat_tag_calls.labels(action, reason_of(error)).inc()
                    raise
                if len(part) > 1:
                    parts += list(_halves(part))
                    continue
                self._metrics.seat_tag_calls.labels(action, "Refused").inc()
                self._log.warning(
                    "an instance cannot be tagged",
                    reason=error_code(error),
                    account_region=str(served),
                    instance=part[0],
                )
            else:
                self._metrics.seat_tag_calls.labels(action, "Done").inc()
            for instance_id in part:
                tags.record_written(instance_id, value)

    def _call(self, served: ServedRegion, instances: list[str], value: str | None) -> None:
        ec2 = self._clients.ec2(served, Purpose.SEAT_TAGS)
        if value is None:
            ec2.delete_tags(Resources=instances, Tags=[{"Key": self._tag}])
        else:
            ec2.create_tags(Resources=instances, Tags=[{"Key": self._tag, "Value": value}])

    def _log_failure(self, served: ServedRegion, tags: _RegionTags, error: Exception, *, next_try: float) -> None:
        """Logs a reason once, not at each attempt."""
        self._metrics.seat_tags_failing.labels(*served.key).set(1)
        reason = reason_of(error)
        if tags.logged is reason:
            return
        tags.logged = reason
        self._log.warning(
            "seat tags are not written", reason=reason, account_region=str(served), tag=self._tag,
            needs=", ".join(TagAction), waiting=len(tags.pending), next_try=next_try, error=describe_error(error),
        )  # fmt: skip

    def _log_recovery(self, served: ServedRegion, tags: _RegionTags) -> None:
        self._metrics.seat_tags_failing.labels(*served.key).set(0)
        if tags.logged is not None:
            tags.logged = None
            self._log.info("seat tags are written again", account_region=str(served), tag=self._tag)


def _concerns_one_instance(error: Exception) -> bool:
    """Tells whether the call failed because of one of its instances."""
    code = error_code(error)
    return code.startswith(("InvalidInstanceID", "InvalidID")) or code == "TagLimitExceeded"


def _halves(part: list[str]) -> Iterator[list[str]]:
    middle = len(part) // 2
    yield part[:middle]
    yield part[middle:]
