"""The age of the last complete inventory decides, whatever hangs."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog
from prometheus_client import CollectorRegistry

from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.health import OVERDUE, HealthBoard, InventoryHealth
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.regions import ServedRegion, ServedRegions
from seatpool.mirror.unknown_accounts import UnknownAccounts

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "eu-central-1"
LIMIT = timedelta(minutes=15)
CONFIG = MirrorConfig(accounts=(AccountConfig(account=ACCOUNT, regions=(REGION,)),))


class Uptime:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Watched:
    """A board with one region, and what a scrape and a condition see of it."""

    def __init__(self) -> None:
        self.uptime, self.registry = Uptime(), CollectorRegistry()
        self.board = HealthBoard(
            log=structlog.get_logger(), metrics=MirrorMetrics(self.registry), now=NOW, has_queue=False,
            unknown_accounts=UnknownAccounts(lambda: NOW), max_inventory_age=LIMIT, monotonic=self.uptime,
        )  # fmt: skip
        regions = ServedRegions(CONFIG)
        self.board.set_regions(regions, now=NOW)
        self.served: ServedRegion = next(iter(regions))

    def wait(self, time: timedelta) -> None:
        self.uptime.seconds += time.total_seconds()

    def complete(self) -> None:
        self.board.set_inventory(self.served, ok=True, reason="Complete", now=NOW)

    @property
    def inventory(self) -> InventoryHealth:
        return self.board.snapshot().inventories[0]

    @property
    def fresh_metric(self) -> float | None:
        labels = {"account": ACCOUNT, "region": REGION}
        return self.registry.get_sample_value("seatpool_mirror_inventory_fresh", labels)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_inventory_that_hangs_after_a_complete_one_is_stale_by_its_age(watched: Watched) -> None:
    watched.board.inventories_begin(watched.served, now=NOW)
    watched.complete()
    watched.wait(LIMIT)
    assert (watched.inventory.fresh, watched.fresh_metric) == (True, 1)
    watched.wait(timedelta(seconds=1))
    assert watched.fresh_metric == 0  # the scrape alone finds it out
    assert not watched.inventory.fresh
    assert (watched.inventory.reason, watched.inventory.since) == (OVERDUE, NOW)


def test_a_first_inventory_that_hangs_is_stale_and_counts_as_tried(watched: Watched) -> None:
    watched.board.inventories_begin(watched.served, now=NOW)
    assert not watched.inventory.tried
    watched.wait(LIMIT + timedelta(seconds=1))
    assert (watched.inventory.fresh, watched.inventory.tried, watched.inventory.reason) == (False, True, OVERDUE)
    assert watched.board.snapshot().waiting_for == (f"{ACCOUNT}/{REGION}",)  # and nobody is released for that


def test_the_next_complete_inventory_makes_it_fresh(watched: Watched) -> None:
    watched.board.inventories_begin(watched.served, now=NOW)
    watched.wait(LIMIT * 2)
    assert not watched.inventory.fresh
    watched.complete()
    assert (watched.inventory.fresh, watched.fresh_metric) == (True, 1)


def test_a_failure_with_a_reason_of_its_own_keeps_it(watched: Watched) -> None:
    watched.board.inventories_begin(watched.served, now=NOW)
    watched.board.set_inventory(watched.served, ok=False, reason="AccessDenied", now=NOW)
    watched.wait(LIMIT * 2)
    assert (watched.inventory.fresh, watched.inventory.reason) == (False, "AccessDenied")


def test_the_standby_that_runs_no_inventory_is_not_stale_for_that(watched: Watched) -> None:
    watched.wait(timedelta(days=3))
    assert (watched.inventory.tried, watched.fresh_metric) == (False, None)
    watched.board.inventories_begin(watched.served, now=NOW)
    assert not watched.inventory.tried


def test_the_limit_is_three_intervals_and_at_least_five_minutes() -> None:
    assert CONFIG.inventory_limit == timedelta(minutes=15)
    assert MirrorConfig.model_validate({"resync_interval": "10s"}).inventory_limit == timedelta(minutes=5)
