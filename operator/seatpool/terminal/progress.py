"""Shows on a terminal that a command is still at work, from the first second on."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seatpool.text import escape_unprintable

FIRST = 1.0
"""Seconds after which the first line is shown. Most answers are there before."""
EVERY = 1.0
_CLEAR = "\r\x1b[2K"


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """Shows `what` and the seconds on standard error while the block runs, and takes it away after it.

    Gives a function that changes the words. Nothing is shown if standard error is no terminal. Nothing may be printed
    within the block.
    """
    words = [what]
    if not sys.stderr.isatty():
        yield lambda _words: None
        return

    def told(changed: str) -> None:
        words[0] = changed

    ended = threading.Event()
    showing = threading.Thread(target=_show, args=(words, ended), name="progress", daemon=True)
    showing.start()
    try:
        yield told
    finally:
        ended.set()
        showing.join()


def _show(words: list[str], ended: threading.Event) -> None:
    began = time.monotonic()
    shown = False
    while not ended.wait(EVERY if shown else FIRST):
        shown = True
        sys.stderr.write(f"{_CLEAR}{escape_unprintable(words[0])} ... {time.monotonic() - began:.0f} s")
        sys.stderr.flush()
    if shown:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
