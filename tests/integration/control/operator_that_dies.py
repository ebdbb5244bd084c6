"""`operator_that_dies.py SETTINGS STEP`: the operator, which kills itself without grace when it reaches a step."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from seatpool.cli.logging_setup import configure_logging
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.control.runtime.operator import Operator
from seatpool.settings.settings import LogSettings, load_settings


def die(_server: str, step: Failpoint) -> None:
    if step.value == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    operator = Operator(load_settings(file=Path(sys.argv[1])), on_failpoint=die)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, operator.stop)
    await operator.run()


configure_logging(LogSettings())
asyncio.run(main())
