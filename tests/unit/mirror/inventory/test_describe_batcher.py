"""Instances that are none of ours are remembered for a short time only."""

from seatpool.mirror.inventory import describe_batcher
from seatpool.mirror.inventory.describe_batcher import IgnoredInstances


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_stranger_may_have_got_its_tags_a_minute_later() -> None:
    clock = Clock()
    ignored = IgnoredInstances(monotonic=clock)
    ignored.add("i-1")
    assert "i-1" in ignored
    clock.now = describe_batcher.REMEMBER
    assert "i-1" not in ignored


def test_a_large_fleet_of_strangers_does_not_fill_the_memory() -> None:
    ignored = IgnoredInstances(monotonic=Clock())
    for number in range(describe_batcher.REMEMBERED + 10):
        ignored.add(f"i-{number}")
    assert "i-9" not in ignored
    assert "i-10" in ignored
