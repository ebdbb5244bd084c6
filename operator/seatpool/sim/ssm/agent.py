"""Simulates the SSM agent of one managed node: takes commands, really runs their scripts, and reports.

Commands on a node run in parallel and in no order, as with the workers of the real agent. The caller has to bring
order, and to make sure that a command runs once.
"""

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from seatpool.domain.errors import SeatpoolError
from seatpool.sim.lifeline import Lifeline
from seatpool.sim.ssm.behavior import AgentBehavior
from seatpool.sim.ssm.commands import Ending, Invocation, Phase
from seatpool.sim.ssm.document import Script, script
from seatpool.sim.ssm.script import ScriptRun, search_path

__all__ = ["Agent"]

WORKERS = 5
LOOK_AGAIN = 0.01


class Agent:
    """Agent of a node. `home` stands for its disk."""

    def __init__(
        self,
        instance_id: str,
        home: Path,
        *,
        region: str,
        lifeline: Lifeline,
        is_running: Callable[[], bool],
        closing: threading.Event,
    ) -> None:
        self.instance_id = instance_id
        self.home = home
        self._region = region
        self._lifeline = lifeline
        self._is_running = is_running
        self._closing = closing
        self._workers = threading.Semaphore(WORKERS)
        self._lock = threading.Lock()
        self._held: threading.Event | None = None

    @property
    def behavior(self) -> AgentBehavior:
        return AgentBehavior.read(self.home)

    @property
    def online(self) -> bool:
        return self._is_running() and not self.behavior.offline

    def deliver(self, invocation: Invocation) -> None:
        """Takes a command and returns at once."""
        threading.Thread(target=self._handle, args=(invocation,), name="ssm-command", daemon=True).start()

    def _handle(self, invocation: Invocation) -> None:
        try:
            self._take(invocation)
        except SeatpoolError as error:
            invocation.end(Ending(phase=Phase.FAILED, stderr=str(error)))

    def _take(self, invocation: Invocation) -> None:
        behavior = self.behavior
        if behavior.undeliverable:
            invocation.end(Ending(phase=Phase.UNDELIVERABLE))
            return
        if not self._arrives(invocation):
            return
        is_held = self._hold(behavior.hold_for_next)
        try:
            self._run(invocation, self.behavior)
        finally:
            if not is_held:
                self._release()

    def _arrives(self, invocation: Invocation) -> bool:
        """Waits for the agent to be online. Returns False if the command has ended before."""
        while not self._closing.is_set():
            behavior = self.behavior
            waited = time.monotonic() - invocation.command.sent
            limit = behavior.delivery_timeout
            if waited >= (invocation.command.delivery_timeout if limit is None else limit):
                invocation.end(Ending(phase=Phase.DELIVERY_TIMED_OUT))
                return False
            if waited >= behavior.delivery_delay and self._is_running() and not behavior.offline:
                return not invocation.stopped.is_set()
            if invocation.stopped.wait(LOOK_AGAIN):
                return False
        return False

    def _hold(self, seconds: float) -> bool:
        """Waits until the next command has run, if this one is to be overtaken."""
        with self._lock:
            if not seconds or self._held is not None:
                return False
            held = self._held = threading.Event()
        held.wait(seconds)
        with self._lock:
            self._held = None
        return True

    def _release(self) -> None:
        with self._lock:
            if self._held is not None:
                self._held.set()

    def _run(self, invocation: Invocation, behavior: AgentBehavior) -> None:
        command = invocation.command
        plan = script(command.content, command.values, platform=behavior.platform, legacy=behavior.legacy)
        if plan is not None and behavior.execution_timeout is not None:
            plan = replace(plan, timeout=behavior.execution_timeout)
        # An accepted command is InProgress, also while it waits for a worker.
        if not invocation.begin():
            return
        with self._workers:
            if plan is None:  # every step is for another platform: skipped, which SSM calls a success
                invocation.end(Ending(phase=Phase.SUCCESS, code=0))
                return
            ending = self._execute(plan, invocation, behavior, attempt=0)
        if behavior.mute:
            limit = behavior.delivery_timeout
            expiry = plan.timeout + (command.delivery_timeout if limit is None else limit)
            invocation.stopped.wait(max(0.0, command.sent + expiry - time.monotonic()))
            ending = Ending(phase=Phase.DELIVERY_TIMED_OUT)
        invocation.end(ending)
        for attempt, delay in enumerate(behavior.repeat_after, start=1):
            if not self._closing.wait(delay):
                self._execute(plan, invocation, behavior, attempt=attempt)

    def _execute(self, plan: Script, invocation: Invocation, behavior: AgentBehavior, *, attempt: int) -> Ending:
        folder = self.home / ".ssm" / f"{invocation.command.id}.{attempt}"
        folder.mkdir(parents=True)
        run = ScriptRun(
            plan.text,
            shell=behavior.shell,
            folder=folder,
            environ=self._environ() | dict(plan.environ),
            lifeline=self._lifeline,
        )
        with ExitStack() as timers:
            for seconds, cause in ((plan.timeout, Phase.EXECUTION_TIMED_OUT), (behavior.kill_after, Phase.FAILED)):
                if seconds is not None:
                    timer = threading.Timer(seconds, run.kill, args=(cause,))
                    timer.daemon = True
                    timer.start()
                    timers.callback(timer.cancel)
            if attempt == 0:
                invocation.killable(lambda: run.kill(Phase.CANCELLED))
            ending = run.wait()
        shutil.rmtree(folder, ignore_errors=True)
        return ending

    def _environ(self) -> dict[str, str]:
        """Returns the environment of a script. It has nothing of this process: the real agent is a system service."""
        return {
            "PATH": search_path(self.home),
            "HOME": str(self.home),
            "XLC_HOME": str(self.home),
            "AWS_SSM_INSTANCE_ID": self.instance_id,
            "AWS_SSM_REGION_NAME": self._region,
        }
