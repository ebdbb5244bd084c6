"""Injects one fault at a time: it begins, lasts while the load goes on, and ends."""

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.site import OperatorRun, Place
from benchmarks.soak.decisions import Decisions
from benchmarks.soak.life import PoolFacts, Record
from benchmarks.soak.odd_objects import odd_objects
from seatpool.sim.posting import DeliveryFaults
from seatpool.sim.ssm.behavior import AgentBehavior

StartOperator = Callable[[bool], OperatorRun]
"""Starts an operator. The argument tells whether it takes part in the election."""
EVENTS = DeliveryFaults(lose=0.05, duplicate=0.1, delay=(0.0, 2.0))
"""Faults that events have at all times."""
STEP_DOWN_LIMIT = 20.0
DAY = 86_400.0
NO_ROOM = ("/bin/sh", "-c", "trap '' XFSZ; ulimit -f 0; exec /bin/sh \"$0\"")
"""A shell whose programs can write no byte to any file, as on a full disk."""
HANGS = 30
"""Seconds for which the client of one product hangs: longer than a command may take."""
NOT_USERS = ["Users of the product (2):", "user07 (named user, seat 7)"]
ANY_HASH = "0" * 64


class Faults:
    """All faults. `operator` is the one that runs now."""

    def __init__(
        self,
        place: Place,
        *,
        namespace: str,
        pools: Sequence[PoolFacts],
        start: StartOperator,
        offset: Path,
        mapping: Path,
        record: Record,
        rng: random.Random,
    ) -> None:
        self.operator = start(True)
        self._place = place
        self._pools = pools
        self._start = start
        self._offset = offset
        self._mapping = mapping
        self._namespace = namespace
        self._decisions = Decisions(place, namespace=namespace, pools=pools, record=record)
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
            "clock steps forward by a day": lambda: self._clock(DAY),
            "clock steps back by a day": lambda: self._clock(-DAY),
            "disks are full": lambda: self._agent(shell=NO_ROOM),
            "client of one product hangs": self._hangs,
            "odd objects of every kind": self._odd_objects,
            "the owner mapping is cut off": self._cut_mapping,
            "a list has entries that are no user ids": self._unreadable,
            "another installation takes a list": self._foreign,
            "everything is deleted slowly, beside an old approval": self._deleted,
            "most events are lost": lambda: self._events(DeliveryFaults(lose=0.8)),
            "events come thrice and late": lambda: self._events(DeliveryFaults(duplicate=1.0, delay=(0.0, 6.0))),
            "somebody edits a list": self._edited,
        }
        self.violations = self._decisions.violations
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

    @contextmanager
    def _hangs(self) -> Iterator[None]:
        pool = self._rng.choice(self._pools)
        host = self._place.nodes[pool.server].host
        host.faults(sleep_apply=HANGS, sleep_list=HANGS, fail_product=pool.product)
        yield
        host.faults()

    @contextmanager
    def _odd_objects(self) -> Iterator[None]:
        odd = odd_objects(self._namespace, pool=self._pools[0].product)
        self._place.apply(odd)
        yield
        for one in odd:
            self._place.plane.kubectl(
                "delete", one["kind"], one["metadata"]["name"], "-n", self._namespace, "--wait=false"
            )

    @contextmanager
    def _cut_mapping(self) -> Iterator[None]:
        whole = self._mapping.read_text()
        self._mapping.write_text(whole[: self._rng.choice((0, len(whole) // 4, len(whole) - 3))])
        yield
        self._mapping.write_text(whole)

    @contextmanager
    def _unreadable(self) -> Iterator[None]:
        pool = self._rng.choice(self._pools)
        host = self._place.nodes[pool.server].host
        with host_paused(self._place):
            shown = [*NOT_USERS, *host.users(pool.product)]
            host.edit(pool.product, shown)
        yield
        self._decisions.overwrite(pool, shown)

    @contextmanager
    def _foreign(self) -> Iterator[None]:
        pool = self._rng.choice(self._pools)
        node = self._place.nodes[pool.server]
        fence = Path(node.host.state_dir) / f"{pool.product}.revision"
        with host_paused(self._place):
            revision = int(fence.read_text().split()[1]) + 1000
            fence.write_text(f"other-cluster {revision} {ANY_HASH}\n")
            node.host.edit(pool.product, ["zoe"])
        yield
        self._decisions.take_over(pool, ["zoe"])

    @contextmanager
    def _deleted(self) -> Iterator[None]:
        """Deletes all Workbench objects one after another. The next inventory makes them again."""
        with self._decisions.guarded():
            self._decisions.delete_all()
            yield
            self._decisions.approve()


@contextmanager
def host_paused(place: Place) -> Iterator[None]:
    """Lets no command run while the lists and fences of the hosts are changed, as a real hand would be alone there."""
    for node in place.nodes:
        node.host.behavior = AgentBehavior(offline=True)
    time.sleep(1.0)
    yield
    for node in place.nodes:
        node.host.behavior = AgentBehavior()
