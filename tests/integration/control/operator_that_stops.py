"""`operator_that_stops.py SETTINGS WHERE`: the operator, which is stopped by SIGSTOP once, in the middle of its first apply.

WHERE is a step, or `sending`: after everything was checked, at the very moment before the request goes to SSM.
"""

import asyncio
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import boto3

from seatpool.cli.logging_setup import configure_logging
from seatpool.cli.run import ENDING, until_signal
from seatpool.control.leader.leadership import LeadershipLost
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.runtime.operator import Operator
from seatpool.settings.settings import LogFormat, LogSettings, load_settings

SENDING = "sending"


class Stopping:
    """Once."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._is_intended = False

    def at_step(self, _server: str, step: Failpoint) -> None:
        self._is_intended = self._is_intended or step is Failpoint.AFTER_INTENT
        if step.value == self._where:
            self._stop()

    def before_send(self, **_: Any) -> None:
        if self._where == SENDING and self._is_intended:
            self._stop()

    def _stop(self) -> None:
        self._where = ""
        # To this very thread: it must not run on while another one takes the signal.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


async def main() -> None:
    stopping = Stopping(sys.argv[2])

    def session(**given: Any) -> boto3.Session:
        made = boto3.Session(**given)
        made.events.register("before-send.ssm.SendCommand", stopping.before_send)
        return made

    operator = Operator(load_settings(file=Path(sys.argv[1])), session_factory=session, on_failpoint=stopping.at_step)
    await until_signal(operator)


if __name__ == "__main__":
    configure_logging(LogSettings(format=LogFormat.JSON))
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        asyncio.run(main())
    except LeadershipLost as error:
        sys.exit(f"seatpool: {error}")
