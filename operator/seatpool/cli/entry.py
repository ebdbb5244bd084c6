"""Has the entry point of the scripts `seatpool` and `kubectl-seatpool`. It imports almost nothing.

Ctrl-C while the other modules are imported would end in a traceback. Until then the process takes it as other programs do.
"""

import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_AFTER = 0.02
"""Seconds after which a Ctrl-C that was lost is sent once more."""


def main() -> None:
    """Runs the command line."""
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from seatpool.cli.main import main as run

    if heeded:
        sys.unraisablehook = send_again
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def send_again(lost: "UnraisableHookArgs") -> None:
    """Sends Ctrl-C once more if it came where an exception goes nowhere. Hook for `sys.unraisablehook`.

    Such places are finalizers, and libraries in C or Rust that ask Python for something: pydantic, when it builds a model.
    """
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    # From another thread and later, because an exception that is raised in this hook goes nowhere too.
    again = threading.Timer(AGAIN_AFTER, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    again.daemon = True
    again.start()
