"""Shows on a terminal that a command is still at work, from the first second on."""

import os
import shutil
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
_DUMB = ("dumb", "unknown")


@contextmanager
def progress(what: str) -> Iterator[Callable[[str], None]]:
    """Shows `what` and the seconds on standard error while the block runs, and takes it away after it.

    The block gets a function that shows other words from then on.
    Nothing is shown if standard error is no terminal, or one that cannot take a line away (TERM=dumb). Nothing may be
    printed within the block.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM", "") in _DUMB:
        yield lambda _words: None
        return
    words = [what]
    ended = threading.Event()
    showing = threading.Thread(target=_show, args=(words, ended), name="progress", daemon=True)
    showing.start()
    try:
        yield words.append
    finally:
        ended.set()
        showing.join()


def _show(words: list[str], ended: threading.Event) -> None:
    began = time.monotonic()
    shown = False
    while not ended.wait(EVERY if shown else FIRST):
        shown = True
        line = f"{escape_unprintable(words[-1])} ... {time.monotonic() - began:.0f} s"
        sys.stderr.write(_CLEAR + line[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()
    if shown:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
