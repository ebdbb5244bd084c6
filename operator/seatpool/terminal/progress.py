"""Shows on a terminal what a long command is doing. It writes to standard error, and nothing if that is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.text import Text

from seatpool.text import escape_unprintable, format_seconds

SHOWN_AFTER = 1.0
"""Seconds. A command that is done before shows nothing."""


@contextmanager
def shown_progress() -> Iterator[Callable[[str], None]]:
    """Gives a function that shows a few words with the time since the start. At the end they are gone."""
    console = Console(stderr=True)
    start = monotonic()
    if not console.is_terminal:
        yield lambda _words: None
        return
    with console.status("", spinner="line") as status:
        status.stop()

        def told(words: str) -> None:
            passed = monotonic() - start
            status.update(
                Text(f"{escape_unprintable(words)}, {format_seconds(passed)}", no_wrap=True, overflow="ellipsis")
            )
            if passed >= SHOWN_AFTER:
                status.start()

        yield told
