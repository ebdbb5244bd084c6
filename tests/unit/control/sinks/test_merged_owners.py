"""Owners whom normalisation makes one user are told."""

from typing import Any, cast

import pytest
import structlog
from structlog.testing import capture_logs
from tests.unit.control.objects import later, raw_workbench

from seatpool.api.identity import IdentitySettings
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.sinks.merged_owners import MOST_TOLD, MergedOwners


class Events:
    """Stands for the recorder and keeps what it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def warning(self, kind: Any, metadata: Any, reason: Any, text: str) -> None:
        self.texts.append(f"{reason.value} {metadata.name[-1]}: {text}")


class Cluster:
    """Workbenches, and what was told of them."""

    def __init__(self, *owners: str, identity: IdentitySettings | None = None) -> None:
        self.store, self.events, self._count = Store(identity or IdentitySettings()), Events(), 0
        self.put(*owners)
        self.watch = MergedOwners(
            store=self.store, recorder=cast("EventRecorder", self.events), log=structlog.get_logger()
        )
        self.watch.start()

    def put(self, *owners: str) -> None:
        for owner in owners:
            self._count += 1
            self.store.upsert(Workbench, raw_workbench(self._count, owner), now=later(0))


@pytest.mark.parametrize("before", [0, 1, 2])
def test_two_people_of_two_domains_are_told_once(before: int) -> None:
    owners = ["A\\ann", "B\\Ann"]
    with capture_logs() as lines:
        cluster = Cluster(*owners[:before])
        cluster.put(*owners[before:], "a\\ANN", "bob")
    (event,) = cluster.events.texts
    assert event.startswith("OwnersMerged 2: user ann stands for owners of a\\, b\\, who share one seat")
    assert [(line["user"], line["domains"]) for line in lines] == [("ann", "a\\, b\\")]


@pytest.mark.parametrize(
    "owners",
    [
        ["ann", "CORP\\ann", "ann@corp.example", "CORP\\ANN"],
        ["A\\ann", "B\\bob"],
        ["ann@a.example", "A\\ann"],
    ],
)
def test_the_usual_spellings_of_one_person_are_not_told(owners: list[str]) -> None:
    assert Cluster(*owners).events.texts == []


def test_two_mail_domains_are_told() -> None:
    (event,) = Cluster("ann@corp", "ann@supplier").events.texts
    assert "@corp, @supplier" in event


def test_owners_who_were_there_one_after_the_other_are_not_told() -> None:
    cluster = Cluster("A\\ann")
    cluster.store.delete(Workbench, f"lab/i-{1:017x}", uid=None, now=later(1))
    cluster.put("B\\ann")
    assert cluster.events.texts == []


def test_a_new_mapping_that_makes_two_people_one_is_told() -> None:
    cluster = Cluster("A\\ann", "B\\bob")
    cluster.store.set_identity(IdentitySettings(mapping={"bob": "ann"}), now=later(1))
    assert len(cluster.events.texts) == 1


def test_owners_with_their_domain_are_their_own() -> None:
    identity = IdentitySettings(strip_domain=False, mapping={"A\\ann": "u1", "B\\ann": "u1"})
    assert Cluster("A\\ann", "B\\ann", identity=identity).events.texts == []


def test_a_site_whose_users_all_have_two_domains_is_not_flooded() -> None:
    owners = [f"{domain}\\user{number}" for number in range(MOST_TOLD + 50) for domain in "ab"]
    assert len(Cluster(*owners).events.texts) == MOST_TOLD
