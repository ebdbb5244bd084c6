"""Events name users only where that is wanted: Kubernetes' own role `view` reads them."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.control.objects import known, pool

from seatpool.control.sinks import facts
from seatpool.control.sinks.kubernetes_events import KubernetesEvents
from seatpool.control.state.pool_state import PoolState
from seatpool.domain.allocation import Granted, Released
from seatpool.domain.reasons import Reason


class Recorder:
    """Keeps the texts of Events."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def normal(self, _kind: object, _metadata: object, _reason: object, text: str) -> None:
        self.texts.append(text)

    warning = normal


def told(fact: facts.Fact, *, user_names: bool) -> str:
    recorder: Any = Recorder()
    KubernetesEvents(recorder, user_names=user_names).handle(fact)
    (text,) = recorder.texts
    return str(text)


DRIFT = facts.DriftDetected(pool=pool(), before=known(), observed=known("ann bob"))
ADOPTED = facts.UsersAdopted(pool=pool(), users=("ann",), former=("ann",))


GRANTED = facts.ListConfirmed(pool=pool(), state=PoolState(granted=(Granted("ann", Reason.GRANTED, timedelta(0)),)))
RELEASED = facts.ListConfirmed(
    pool=pool(), state=PoolState(released=(Released("ann", Reason.WORKBENCHES_STOPPED, timedelta(hours=1)),))
)


@pytest.mark.parametrize("fact", [DRIFT, ADOPTED, GRANTED, RELEASED])
def test_users_are_named_or_counted(fact: facts.Fact) -> None:
    assert "ann" in told(fact, user_names=True)
    assert "ann" not in told(fact, user_names=False)


def test_a_number_says_how_many_and_none_is_nobody() -> None:
    assert told(DRIFT, user_names=False) == "somebody else changed the list: added 2 users, removed nobody"
