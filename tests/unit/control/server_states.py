"""States of a reconciler, as `advance` makes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.unit.control.objects import later, raw_pool, raw_server

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.control.reconcile.advance import advance
from seatpool.control.reconcile.server_state import ServerState
from seatpool.control.reconcile.step_results import PoolsRefreshed, StepResult
from seatpool.control.sinks.facts import Fact
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_state import PoolState
from seatpool.control.state.server_view import ServerView

START = 1000.0
"""Monotonic seconds at which every test begins."""


class Clock:
    """Both clocks of a reconciler, moved by hand."""

    def __init__(self) -> None:
        self.seconds = START

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return later(self.seconds - START)

    def moment(self, jitter: float = 1.0) -> Moment:
        return Moment(self.now(), self.seconds, jitter)


def moment(seconds: float = 0, *, jitter: float = 1.0) -> Moment:
    """So many seconds after the start."""
    return Moment(later(seconds), START + seconds, jitter)


def server_state(
    states: Mapping[str, PoolState],
    *,
    pool: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
) -> ServerState:
    """A state whose pools, called by these names, are like this, after they were refreshed once."""
    pools = tuple(LicensePool.model_validate(raw_pool(name, **(pool or {}))) for name in sorted(states))
    before = ServerState(
        key="lab/licenses",
        installation="ours",
        pools=pools,
        view=ServerView(
            observed={name: one.observed for name, one in states.items() if one.observed is not None},
            pool_states={f"lab/{name}": one for name, one in states.items()},
        ),
    )
    found = LicenseServer.model_validate(raw_server(**(server or {})))
    after, _ = advance(before, PoolsRefreshed(server=found, pools=pools))
    return after


def advanced(state: ServerState, *steps: StepResult) -> ServerState:
    """The state after these steps."""
    for step in steps:
        state, _ = advance(state, step)
    return state


def facts_of(state: ServerState, *steps: StepResult) -> list[Fact]:
    """All facts that these steps tell."""
    found: list[Fact] = []
    for step in steps:
        state, facts = advance(state, step)
        found += facts
    return found
