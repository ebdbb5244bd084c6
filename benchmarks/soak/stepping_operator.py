"""Runs the operator with a wall clock that is wrong by the seconds in a file: `stepping_operator.py OFFSET SETTINGS`."""

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from seatpool.cli.logging_setup import configure_logging
from seatpool.cli.run import ENDING, until_signal
from seatpool.control.runtime.operator import Operator
from seatpool.settings.settings import load_settings

OFFSET, SETTINGS = Path(sys.argv[1]), Path(sys.argv[2])


def clock() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(OFFSET.read_text()))


async def main() -> None:
    settings = load_settings(file=SETTINGS)
    configure_logging(settings.log)
    await until_signal(Operator(settings, clock=clock))


signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
asyncio.run(main())
