"""Lets a child of the tests be interrupted, however the tests were started."""

import signal


def take_interrupts() -> None:
    """Is for `preexec_fn`: a shell has its background jobs ignore SIGINT, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
