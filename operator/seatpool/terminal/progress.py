"""Shows on a terminal that a command is still at work, from the first second on."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

FIRST = 1.0
"""Seconds after which the first line is shown. Most answers are there before."""
EVERY = 1.0
_CLEAR = "\r\x1b[2K"


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Shows `what` and the seconds on standard error while the block runs, and takes it away after it.

    Nothing is shown if standard error is no terminal. Nothing may be printed within the block.
    """
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    showing = threading.Thread(target=_show, args=(what, ended), name="progress", daemon=True)
    showing.start()
    try:
        yield
    finally:
        ended.set()
        showing.join()


def _show(what: str, ended: threading.Event) -> None:
    began = time.monotonic()
    shown = False
    while not ended.wait(EVERY if shown else FIRST):
        shown = True
        sys.stderr.write(f"{_CLEAR}{what} ... {time.monotonic() - began:.0f} s")
        sys.stderr.flush()
    if shown:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
