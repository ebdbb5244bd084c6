"""Injects one fault at a time: it begins, lasts while the load goes on, and ends."""

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.site import OperatorRun, Place
from benchmarks.soak.life import PoolFacts
from seatpool.sim.posting import DeliveryFaults
from seatpool.sim.ssm.behavior import AgentBehavior

StartOperator = Callable[[bool], OperatorRun]
"""Starts an operator. The argument tells whether it takes part in the election."""
EVENTS = DeliveryFaults(lose=0.05, duplicate=0.1, delay=(0.0, 2.0))
"""Faults that events have at all times."""
STEP_DOWN_LIMIT = 20.0


class Faults:
    """All faults. `operator` is the one that runs now."""

    def __init__(
        self, place: Place, *, pools: Sequence[PoolFacts], start: StartOperator, offset: Path, rng: random.Random
    ) -> None:
        self.operator = start(True)
        self._place = place
        self._pools = pools
        self._start = start
        self._offset = offset
        self._rng = rng
        self.all = {
            "SendCommand fails": lambda: self._refused("SendCommand", "InternalServerError", times=3, status=500),
            "SSM throttles": lambda: self._refused("GetCommandInvocation", "ThrottlingException"),
            "a command was sent, and its answer lost": lambda: self._refused(
                "SendCommand", "InternalServerError", times=3, status=500, after_work=True
            ),
            "EC2 throttles": lambda: self._refused("DescribeInstances", "RequestLimitExceeded"),
            "SQS refuses": lambda: self._refused("ReceiveMessage", "AccessDenied"),
            "slow client": lambda: self._client(sleep_apply=2),
            "client fails": lambda: self._client(fail_apply=3),
            "client lies when it writes": lambda: self._client(lie_apply=1),
            "client lies when it lists": lambda: self._client(lie_list=1),
            "agent is offline": lambda: self._agent(offline=True),
            "commands overtake each other": lambda: self._agent(hold_for_next=2.0),
            "commands run twice": lambda: self._agent(repeat_after=(1.5,)),
            "scripts are killed": lambda: self._agent(kill_after=0.05),
            "API server restarts": self._api_server,
            "operator is killed": self._killed,
            "leader is killed and a standby goes on": self._leader_killed,
            "leader stops cleanly and a standby goes on": self._leader_stopped,
            "leader sleeps through its lease": self._leader_sleeps,
            "a second operator knows of no lease": self._two_operators,
            "clock steps forward": lambda: self._clock(20.0),
            "clock steps back": lambda: self._clock(-20.0),
            "most events are lost": lambda: self._events(DeliveryFaults(lose=0.8)),
            "events come thrice and late": lambda: self._events(DeliveryFaults(duplicate=1.0, delay=(0.0, 6.0))),
            "somebody edits a list": self._edited,
        }
        self.troubles: Callable[[DeliveryFaults], None] = lambda _troubles: None

    @contextmanager
    def _refused(
        self, operation: str, code: str, *, times: int = 12, status: int = 400, after_work: bool = False
    ) -> Iterator[None]:
        """Refuses so many requests as are over by the end. The pauses between the tries grow."""
        self._place.aws.control.refuse(operation, code, times=times, status=status, after_work=after_work)
        yield

    @contextmanager
    def _client(self, **faults: object) -> Iterator[None]:
        hosts = [node.host for node in self._place.nodes]
        for host in hosts:
            host.faults(**faults)
        yield
        for host in hosts:
            host.faults()

    @contextmanager
    def _agent(self, **behavior: object) -> Iterator[None]:
        for node in self._place.nodes:
            node.host.behavior = AgentBehavior(**behavior)  # type: ignore[arg-type]
        yield
        for node in self._place.nodes:
            node.host.behavior = AgentBehavior()

    @contextmanager
    def _api_server(self) -> Iterator[None]:
        self._place.plane.kill_apiserver()
        yield
        self._place.plane.start_apiserver()

    @contextmanager
    def _killed(self) -> Iterator[None]:
        self.operator.process.kill()
        yield
        self.operator = self._start(True)

    @contextmanager
    def _leader_killed(self) -> Iterator[None]:
        old, self.operator = self.operator, self._standby()
        old.process.kill()
        yield

    @contextmanager
    def _leader_stopped(self) -> Iterator[None]:
        old, self.operator = self.operator, self._standby()
        old.process.child.terminate()
        old.process.wait(seconds=STEP_DOWN_LIMIT)
        yield

    @contextmanager
    def _leader_sleeps(self) -> Iterator[None]:
        """Stops the leader. It wakes when the other one works, sees that its Lease is lost, and ends by itself."""
        self.operator.until_leading()  # one that still stands by has no Lease to lose, and rightly goes on
        old, self.operator = self.operator, self._standby()
        old.process.child.send_signal(signal.SIGSTOP)
        yield
        self.operator.until_leading()
        old.process.child.send_signal(signal.SIGCONT)
        old.process.wait(seconds=STEP_DOWN_LIMIT)

    def _standby(self) -> OperatorRun:
        standby = self._start(True)
        standby.until_ready()
        return standby

    @contextmanager
    def _two_operators(self) -> Iterator[None]:
        """Runs two operators without an election, the worst mistake in the settings. Only the fence protects the lists."""
        second = self._start(False)
        yield
        self.operator.process.kill()
        second.process.kill()
        self.operator = self._start(True)

    @contextmanager
    def _clock(self, seconds: float) -> Iterator[None]:
        self._offset.write_text(str(seconds))
        yield
        self._offset.write_text("0")

    @contextmanager
    def _events(self, troubles: DeliveryFaults) -> Iterator[None]:
        self.troubles(troubles)
        yield
        self.troubles(EVENTS)

    @contextmanager
    def _edited(self) -> Iterator[None]:
        pool = self._rng.choice(self._pools)
        self._place.nodes[pool.server].host.edit(pool.product, ["somebody-else"])
        time.sleep(1)
        yield
