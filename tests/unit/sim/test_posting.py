"""Events get lost, doubled and late as they are told to, and the same way each time."""

import json
import random
import threading
from typing import Any

from seatpool.sim.posting import DeliveryFaults, EventPoster


class Queue:
    """Takes messages in the shape of boto3's call."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.sizes: list[int] = []
        self._lock = threading.Lock()

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> None:  # noqa: N803
        assert QueueUrl == "url"
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        with self._lock:
            self.sizes.append(len(Entries))
            self.bodies += [json.loads(entry["MessageBody"])["n"] for entry in Entries]


def posted(troubles: DeliveryFaults, *, seed: int = 1, count: int = 300) -> tuple[Queue, int]:
    queue = Queue()
    posting = EventPoster(queue, "url", troubles=troubles, randomness=random.Random(seed))
    posting.post([{"n": n} for n in range(count)])
    posting.wait_until_posted()
    posting.close()
    return queue, posting.lost


def test_without_troubles_every_event_comes_once_in_order_and_by_tens() -> None:
    queue, lost = posted(DeliveryFaults(), count=25)
    assert queue.bodies == list(range(25))
    assert (queue.sizes, lost) == ([10, 10, 5], 0)


def test_a_share_is_lost_and_counted() -> None:
    queue, lost = posted(DeliveryFaults(lose=0.3))
    assert 60 < lost < 120
    assert len(queue.bodies) == len(set(queue.bodies)) == 300 - lost


def test_a_share_comes_twice() -> None:
    queue, lost = posted(DeliveryFaults(duplicate=0.3))
    assert lost == 0
    assert set(queue.bodies) == set(range(300))
    assert 360 < len(queue.bodies) < 420


def test_delayed_events_overtake_each_other_and_all_come() -> None:
    queue, _ = posted(DeliveryFaults(delay=(0.0, 0.2)))
    assert sorted(queue.bodies) == list(range(300))
    assert queue.bodies != list(range(300))
    assert max(queue.sizes) <= 10


def test_the_same_seed_makes_the_same_troubles() -> None:
    troubles = DeliveryFaults(lose=0.2, duplicate=0.2)
    assert posted(troubles, seed=7)[0].bodies == posted(troubles, seed=7)[0].bodies
    assert posted(troubles, seed=7)[0].bodies != posted(troubles, seed=8)[0].bodies


def test_closing_loses_what_is_still_under_way() -> None:
    queue = Queue()
    posting = EventPoster(queue, "url", troubles=DeliveryFaults(delay=(60.0, 60.0)), randomness=random.Random(1))
    posting.post([{"n": 1}, {"n": 2}])
    posting.close()
    assert (queue.bodies, posting.lost) == ([], 2)
