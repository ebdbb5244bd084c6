"""Has the entry point of the scripts `seatpool` and `kubectl-seatpool`. It imports almost nothing.

Ctrl-C while the other modules are imported would end in a traceback. Until then the process takes it as other programs do.
"""

import signal


def main() -> None:
    """Runs the command line."""
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from seatpool.cli.main import main as run

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
