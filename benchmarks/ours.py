"""Plays workloads to the operator: real API server, SQS, SSM and license servers whose scripts really run."""

import json
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.site import ACCOUNT, LOOK_EVERY, REGION, OperatorRun, Place, pool
from benchmarks.windows import Window
from benchmarks.workloads import Event, Truth, Workload
from seatpool.sim.license_host import LicenseHost

NAMESPACE = "side-by-side"
BATCH = 10
PATIENCE = 120.0
AFTERWARDS = 0.3
"""Seconds from the last list to the last write of the operator."""
SENT_HERE = ("SendMessageBatch",)
AHEAD = 100
"""The sender waits while more events than this are in the queue."""


@dataclass
class WorkloadResult:
    """Sums over the windows of one workload."""

    latencies: list[float] = field(default_factory=list)
    commands: int = 0
    calls: int = 0
    """Requests to AWS, of all workloads that are played together."""
    events: int = 0


class Lists:
    """Lists of one workload on its own license server."""

    def __init__(self, workload: Workload, server: int, host: LicenseHost) -> None:
        self.workload = workload
        self.server = server
        self._host = host
        self._on_since: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._listed: dict[str, set[str]] = defaultdict(set)
        self.writes: list[float] = []

    def pools(self) -> list[dict[str, Any]]:
        users: dict[str, set[str]] = defaultdict(set)
        for event in self.workload.events:
            for product in self.workload.products[event.type]:
                users[product].add(event.user)
        return [
            pool(
                NAMESPACE,
                product,
                server=self.server,
                product=product,
                seats=len(users[product]),
                types=self.workload.types_of(product),
            )
            for product in self.workload.all_products
        ]

    def wrong(self, truth: Truth) -> tuple[str, ...]:
        """Returns the products whose list is wrong."""
        return tuple(p for p in self.workload.all_products if self._host.users(p) != truth.users(p))

    def read_journal(self) -> None:
        for entry in self._host.journal():
            at = entry.at.timestamp()
            self.writes.append(at)
            for user in set(entry.users) - self._listed[entry.product]:
                self._on_since[entry.product, user].append(at)
            self._listed[entry.product] = set(entry.users)

    def came_on(self, product: str, user: str, *, after: float) -> float | None:
        """Returns when a user came onto a list, by the license server's journal.

        None: the user never left it, because one command served a stop and the start that followed.
        """
        instants = self._on_since[product, user]
        following = bisect_right(instants, after)
        if following < len(instants):
            return instants[following]
        if user not in self._listed[product]:
            raise RuntimeError(f"{user} never came onto the list of {product}")
        return None


class Player:
    """Sends events and knows at each instant what the lists should be."""

    def __init__(self, place: Place, lists: Sequence[Lists], operator: OperatorRun) -> None:
        self._place = place
        self._lists = lists
        self._operator = operator
        self._sqs, self._queue = place.site.client("sqs"), place.site.queue_url

    def rush(self, events: Sequence[Event]) -> None:
        """Sends as fast as the queue takes events, and waits until it is empty."""
        for start in range(0, len(events), BATCH):
            self._send(events[start : start + BATCH])
            if start % AHEAD == 0:
                self._until(lambda: self._place.site.waiting_events() < AHEAD)
        self._until(lambda: self._place.site.waiting_events() == 0)

    def until_right(self, truths: Sequence[Truth]) -> None:
        """Waits until the lists of all workloads are right."""
        self._until(lambda: self._are_right(truths))

    def live(
        self, events: Sequence[Event], window: Window, truths: Sequence[Truth], into: Sequence[WorkloadResult]
    ) -> None:
        """Plays a window in real time and adds what was measured."""
        for lists in self._lists:
            lists.read_journal()
        began, asked = self._commands(), self._calls()
        due: list[tuple[int, str, str, float]] = []
        changing = self._lists[0].workload.changing(events)
        for event, (least, real) in zip(
            events[window.first : window.end], window.pauses(events, changing), strict=True
        ):
            self._pause(least, real, truths)
            self._send([event])
            sent = time.time()
            for number, truth in enumerate(truths):
                for product, comes in truth.apply_event(event):
                    if comes:
                        due.append((number, product, event.user, sent))
                    else:
                        due = [one for one in due if one[:3] != (number, product, event.user)]
        self.until_right(truths)
        time.sleep(0.5)
        after, asked = self._commands(), self._calls() - asked
        for number, lists in enumerate(self._lists):
            lists.read_journal()
            into[number].events += window.end - window.first
            into[number].commands += after[lists.server] - began[lists.server]
            into[number].calls += asked
        for number, product, user, sent in due:
            came = self._lists[number].came_on(product, user, after=sent - 0.5)
            if came is not None:
                into[number].latencies.append(came - sent)

    def _pause(self, least: float, real: float, truths: Sequence[Truth]) -> None:
        """Pauses as long as in the workload, or until all effects are over and `least` seconds have passed."""
        end = time.monotonic() + real
        time.sleep(least)
        if self._are_right(truths):
            return
        while time.monotonic() < end and not self._are_right(truths):
            time.sleep(LOOK_EVERY)
        time.sleep(max(0.0, min(AFTERWARDS, end - time.monotonic())))

    def _are_right(self, truths: Sequence[Truth]) -> bool:
        return not any(lists.wrong(truth) for lists, truth in zip(self._lists, truths, strict=True))

    def _commands(self) -> dict[int, int]:
        """Returns how many commands that change lists each server got. Each has a revision of its own."""
        text = self._place.plane.kubectl("get", "licenseservers", "-n", NAMESPACE, "-o", "json")
        revisions = {one["metadata"]["name"]: one["status"].get("revision", 0) for one in json.loads(text)["items"]}
        return {lists.server: revisions[f"licenses-{lists.server}"] for lists in self._lists}

    def _calls(self) -> int:
        """Returns the operator's requests to AWS. In a real site EventBridge sends the events, so these do not count."""
        return sum(count for operation, count in self._place.calls().items() if operation not in SENT_HERE)

    def _send(self, events: Sequence[Event]) -> None:
        entries = [{"Id": str(n), "MessageBody": json.dumps(event.envelope())} for n, event in enumerate(events)]
        self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            self._operator.process.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"not within {PATIENCE:g} s; {self._operator.process.log.read_text()[-3000:]}")
            time.sleep(LOOK_EVERY)


def settings(place: Place, *, inventory: bool, damaged: bool = False) -> Mapping[str, Any]:
    """Returns the settings of an installation, with the addresses of the stand-ins.

    After damage only the final lists count.
    """
    slowly = {"status": {"workbenches_per_second": 1}} if damaged else {}
    return slowly | {
        "namespaces": [NAMESPACE],
        "mirror": {
            "queue": place.site.queue_url,
            "region": REGION,
            "endpoint_url": place.site.endpoint,
            "accounts": [{"account": ACCOUNT, "regions": [REGION], "namespace": NAMESPACE, "inventory": inventory}],
            "resync_interval": "2s" if inventory else "5m",
            "describe_lag": "0s",
            "max_event_delay": "3650d",  # recorded events are sent with the times that they had
        },
    }
