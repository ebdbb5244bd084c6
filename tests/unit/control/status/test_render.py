"""Which statuses are written now, and which are postponed until all pools have decided."""

from datetime import datetime

import pytest
from tests.unit.control.objects import NOW, known, raw_pool, raw_server, raw_workbench, standing

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store
from seatpool.control.state.pool_state import PoolState
from seatpool.control.status.render import StatusRenderer
from seatpool.control.status.writer import Postponed

KEY = f"lab/{raw_workbench()['metadata']['name']}"


def rendered(states: dict[str, PoolState], *, due: bool = False) -> object:
    store = Store(IdentitySettings())
    store.upsert(LicenseServer, raw_server(), now=NOW)
    for name in ("matlab", "ansys"):
        store.upsert(LicensePool, raw_pool(name, workbenchTypes=["vew-*"]), now=NOW)
    store.upsert(Workbench, raw_workbench(), now=NOW)

    def clock() -> datetime:
        return NOW

    return StatusRenderer(store=store, states=states, clock=clock).workbench(KEY, due=due)


def test_a_seat_is_not_told_before_every_pool_has_decided() -> None:
    states = {"lab/matlab": standing("ann", observed=known("ann"))}
    assert rendered(states) is Postponed.UNDECIDED
    told = rendered(states, due=True)
    assert isinstance(told, dict)
    assert told["summary"] == "1 of 2; ansys: Undecided"


@pytest.mark.parametrize("due", [False, True])
def test_a_refusal_is_told_at_once_whatever_other_pools_decide(due: bool) -> None:
    told = rendered({"lab/matlab": standing("ann", denied="ann", observed=known())}, due=due)
    assert isinstance(told, dict)
    assert told["conditions"][0]["reason"] == "Denied"


def test_rules_without_effect_are_those_of_the_pool() -> None:
    store = Store(IdentitySettings())
    store.upsert(LicensePool, raw_pool(protectedUsers=["Solo"], deniedUsers=["solo"]), now=NOW)
    told = StatusRenderer(store=store, states={}, clock=lambda: NOW).pool("lab/matlab", due=True)
    assert isinstance(told, dict)
    (found,) = (one for one in told["conditions"] if one["type"] == "RulesEffective")
    assert (found["status"], found["message"]) == (
        "False", "protectedUsers: solo is also in deniedUsers, which is stronger"
    )  # fmt: skip
