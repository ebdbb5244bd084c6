"""What a workbench's machine is told: nothing before the Workbench's own status says it of its present spec."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from tests.unit.control.objects import NOW, later, raw_workbench

from seatpool.api.base import format_instant
from seatpool.api.identity import IdentitySettings
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store
from seatpool.control.sinks.seat_tags import SeatTagSink

Wishes = dict[str, str | None]


class Instances:
    """What every instance should say."""

    def __init__(self) -> None:
        self.store = Store(IdentitySettings())
        self.wishes: Wishes = {}
        self.forgotten: list[str] = []
        self._version = 0
        self.signal = SeatTagSink(
            store=self.store,
            set_tag=lambda _place, instance, value: self.wishes.update({instance: value}),
            drop_tag=lambda _place, instance: self.forgotten.append(instance),
        )

    def put(self, *, status: Mapping[str, Any] | None = None, at: datetime = NOW, generation: int = 1) -> None:
        self._version += 1
        raw = raw_workbench()
        raw["metadata"] |= {"resourceVersion": str(self._version), "generation": generation}
        self.store.upsert(Workbench, raw | {"status": dict(status or {})}, now=at)


def said(reason: str, *phases: str, generation: int = 1) -> dict[str, Any]:
    seats = [{"pool": f"lab/p{number}", "phase": phase, "reason": "x"} for number, phase in enumerate(phases)]
    ready = "True" if reason in ("AllAssigned", "Inactive") else "False"
    condition = {
        "type": "Ready", "status": ready, "reason": reason, "message": "", "lastTransitionTime": format_instant(NOW),
    }  # fmt: skip
    return {"observedGeneration": generation, "seats": seats, "conditions": [condition]}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (said("AllAssigned", "Assigned", "Assigned"), "ready"),
        (said("SomeWait", "Assigned", "Waiting"), "waiting"),
        (said("SomeWait", "Denied", "Waiting"), "denied"),
        (said("Denied", "Denied", "Waiting"), "denied"),
        (said("Inactive"), None),
        (said("NoPool"), None),
        (said("InvalidOwner"), None),
    ],
)
def test_the_word_is_that_of_the_condition_ready(status: dict[str, Any], word: str | None) -> None:
    instances = Instances()
    instances.signal.start()
    instances.put(status=status)
    assert list(instances.wishes.values()) == [word]


def test_a_status_of_an_earlier_spec_says_nothing_and_takes_nothing_back() -> None:
    instances = Instances()
    instances.signal.start()
    instances.put(status=said("AllAssigned", "Assigned"))
    instances.put(status=said("Inactive"), generation=2, at=later(seconds=1))
    assert list(instances.wishes.values()) == ["ready"]
    instances.put(status=said("Inactive", generation=2), generation=2, at=later(seconds=2))
    assert list(instances.wishes.values()) == [None]


def test_workbenches_that_were_there_before_are_looked_at_when_the_signal_begins() -> None:
    instances = Instances()
    instances.put(status=said("AllAssigned", "Assigned"))
    assert instances.wishes == {}
    instances.signal.start()
    assert list(instances.wishes.values()) == ["ready"]


def test_the_instance_of_a_workbench_that_vanished_is_forgotten() -> None:
    instances = Instances()
    instances.signal.start()
    instances.put(status=said("AllAssigned", "Assigned"))
    (key,) = instances.store.workbenches
    instances.store.delete(Workbench, key, uid=None, now=NOW)
    assert instances.forgotten == list(instances.wishes)
