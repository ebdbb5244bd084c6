"""Measures many starts within a minute, through the queue, onto 500 lists of 20 license servers.

It sends as many as the stand-ins take on the cores that they share with the operator. `storm-whole` sends 10,000, in as
long as it takes.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.fleet_of_many import FULL_EVERY, NAMESPACE, POOLS, SEATS, SERVERS, instance, owner_of, pools, type_of
from benchmarks.measured import children, cpu_seconds
from benchmarks.site import ACCOUNT, REGION, OperatorRun, Place
from seatpool.sim.envelopes import workbench_event

STARTS = 1_200
WHOLE = 10_000
SECONDS = 60.0
BATCH = 10
DEBOUNCE = "2s"
"""Setting of a site of this size: 500 ledgers are written before each round of commands."""
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Storm:
    """Result of a storm."""

    starts: int
    lasted: float
    """Seconds in which the events were sent. More than planned if the stand-in queue was slower."""
    settle: float
    """Seconds from the last event until all lists were right."""
    commands: int
    writes: int
    """Write requests to the API server."""
    cpu: float
    """Processor seconds of the operator."""
    cpu_others: float
    """Processor seconds of the stand-ins for the API server, AWS and the license servers, on the same cores."""
    queue_alone: float
    """Messages a second that the stand-in queue takes, delivers and deletes with nothing else running."""


def measure(*, say: Callable[[str], None], starts: int = STARTS, seconds: float = SECONDS) -> Storm:
    with Place(servers=SERVERS, quick=True) as place:
        alone = _queue_alone(place)
        place.namespace(NAMESPACE)
        place.apply(
            place.server(NAMESPACE, number, verifyInterval="1h", debounce=DEBOUNCE) for number in range(SERVERS)
        )
        place.apply(pools())
        with place.operator("storm", namespaces=[NAMESPACE], mirror=_mirror(place)) as operator:
            operator.until_in_sync(SERVERS)
            time.sleep(5)  # waits for the writes that the start has left
            return _storm(place, operator, starts=starts, seconds=seconds, alone=alone, say=say)


def _storm(
    place: Place, operator: OperatorRun, *, starts: int, seconds: float, alone: float, say: Callable[[str], None]
) -> Storm:
    commands, writes = place.calls().get("SendCommand", 0), _writes(operator)
    cpu, others = operator.process.cpu_seconds(), _others(operator)
    began = time.monotonic()
    for start in range(0, starts, BATCH):
        time.sleep(max(0.0, began + seconds * start / starts - time.monotonic()))
        _send(place, range(start, min(start + BATCH, starts)))
    last = time.monotonic()
    expected = _expected(starts)
    while wrong := _wrong(place, expected):
        operator.process.check()
        if time.monotonic() > last + PATIENCE:
            raise RuntimeError(f"{wrong} lists are wrong {PATIENCE:g} s after the storm")
        time.sleep(0.2)
    settled = time.monotonic()
    storm = Storm(
        starts=starts,
        lasted=last - began,
        settle=settled - last,
        commands=place.calls()["SendCommand"] - commands,
        writes=_writes(operator) - writes,
        cpu=operator.process.cpu_seconds() - cpu,
        cpu_others=_others(operator) - others,
        queue_alone=alone,
    )
    say(f"storm: sent in {storm.lasted:.1f} s, all lists right {storm.settle:.1f} s after the last event")
    return storm


def _mirror(place: Place) -> Mapping[str, Any]:
    return {
        "queue": place.site.queue_url,
        "region": REGION,
        "endpoint_url": place.site.endpoint,
        "accounts": [{"account": ACCOUNT, "regions": [REGION], "namespace": NAMESPACE, "inventory": False}],
        "receivers": 8,
    }


def _send(place: Place, numbers: range) -> None:
    now = datetime.now(UTC)
    bodies = [
        workbench_event(
            instance_id=instance(number),
            state="running",
            at=now,
            account=ACCOUNT,
            region=REGION,
            owner=owner_of(number),
            type=type_of(number),
        )
        for number in numbers
    ]
    entries = [{"Id": str(n), "MessageBody": json.dumps(body)} for n, body in enumerate(bodies)]
    place.site.client("sqs").send_message_batch(QueueUrl=place.site.queue_url, Entries=entries)


def _expected(starts: int) -> dict[str, frozenset[str]]:
    by_type: dict[str, set[str]] = defaultdict(set)
    for number in range(starts):
        by_type[type_of(number)].add(owner_of(number))
    return {f"product-{number}": frozenset(by_type[type_of(number)]) for number in range(POOLS)}


def _wrong(place: Place, expected: Mapping[str, frozenset[str]]) -> int:
    """Returns the wrong lists. If a list is too short for all users, which of them are on it is not determined."""
    wrong = 0
    for number in range(POOLS):
        product = f"product-{number}"
        users, needs = set(place.nodes[number % SERVERS].host.users(product)), expected[product]
        short = number % FULL_EVERY == 0 and len(needs) > SEATS
        wrong += not (len(users) == SEATS and users <= needs) if short else users != needs
    return wrong


def _writes(operator: OperatorRun) -> int:
    return round(operator.total("seatpool_kube_writes_total") + operator.total("seatpool_mirror_writes_total"))


def _others(operator: OperatorRun) -> float:
    return sum(cpu_seconds(pid) for pid in children() if pid != operator.process.child.pid)


def _queue_alone(place: Place, *, messages: int = 1_000) -> float:
    """Measures the limit of the stand-in queue, with as many connections as the operator has."""
    sqs = place.site.client("sqs")
    url = sqs.create_queue(QueueName="alone")["QueueUrl"]
    body = json.dumps({"x": "y" * 500})

    def one(_: int) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n in range(BATCH)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH).get("Messages", [])
        if got:
            receipts = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(got)]
            sqs.delete_message_batch(QueueUrl=url, Entries=receipts)

    began = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, range(messages // BATCH)))
    return messages / (time.monotonic() - began)
