"""A queue that many use at once keeps every message, as SQS does."""

import threading
import time
from collections import Counter
from typing import Any, Self

from tests.waiting import PATIENCE

from seatpool.sim.aws_access import AwsAccess
from seatpool.sim.site import Site

RECEIVERS = 4
MESSAGES = 400


class Crowd:
    """Receivers that delete what they take, but for poison, which they give back at once."""

    def __init__(self, site: Site) -> None:
        self.taken: Counter[str] = Counter()
        self.errors: list[Exception] = []
        self._site = site
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._receive) for _ in range(RECEIVERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _receive(self) -> None:
        sqs = AwsAccess(self._site.endpoint, region=self._site.region).client("sqs")
        url = self._site.queue_url
        try:
            while not self._end.is_set():
                found = sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=60
                )
                for message in found.get("Messages", []):
                    self._take(sqs, message)
        except Exception as error:  # noqa: BLE001
            self.errors.append(error)

    def _take(self, sqs: Any, message: dict[str, Any]) -> None:
        place = {"QueueUrl": self._site.queue_url, "ReceiptHandle": message["ReceiptHandle"]}
        if message["Body"].startswith("poison"):
            sqs.change_message_visibility(**place, VisibilityTimeout=0)
        else:
            with self._lock:
                self.taken[message["Body"]] += 1
            sqs.delete_message(**place)


def test_no_message_is_lost_or_given_to_two_while_others_are_deleted_and_parked(site: Site) -> None:
    sqs = site.client("sqs")
    with Crowd(site) as crowd:
        for start in range(0, MESSAGES, 10):
            entries = [{"Id": str(n), "MessageBody": f"message {n}"} for n in range(start, start + 10)]
            sqs.send_message_batch(QueueUrl=site.queue_url, Entries=entries)
            if start % 40 == 0:
                sqs.send_message(QueueUrl=site.queue_url, MessageBody=f"poison {start}")
        deadline = time.monotonic() + PATIENCE
        while site.waiting_events() and not crowd.errors and time.monotonic() < deadline:
            time.sleep(0.1)
    assert crowd.errors == []
    assert crowd.taken == Counter(f"message {number}" for number in range(MESSAGES))
    assert site.dead_letters() == MESSAGES // 40


def test_a_long_poll_ends_as_soon_as_a_message_comes(site: Site) -> None:
    sqs, other = site.client("sqs"), AwsAccess(site.endpoint, region=site.region).client("sqs")
    timer = threading.Timer(0.5, lambda: other.send_message(QueueUrl=site.queue_url, MessageBody="now"))
    timer.start()
    began = time.monotonic()
    found = sqs.receive_message(QueueUrl=site.queue_url, WaitTimeSeconds=20)["Messages"]
    assert [message["Body"] for message in found] == ["now"]
    assert 0.4 < time.monotonic() - began < 10


def test_a_long_poll_without_a_message_takes_its_time_and_brings_none(site: Site) -> None:
    began = time.monotonic()
    assert "Messages" not in site.client("sqs").receive_message(QueueUrl=site.queue_url, WaitTimeSeconds=1)
    assert time.monotonic() - began >= 1


def test_a_message_that_was_not_deleted_comes_back_to_whoever_waits(site: Site) -> None:
    sqs = site.client("sqs")
    sqs.send_message(QueueUrl=site.queue_url, MessageBody="again")
    assert len(sqs.receive_message(QueueUrl=site.queue_url, VisibilityTimeout=1)["Messages"]) == 1
    assert len(sqs.receive_message(QueueUrl=site.queue_url, WaitTimeSeconds=10)["Messages"]) == 1
