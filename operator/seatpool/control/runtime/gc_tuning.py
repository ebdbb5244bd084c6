"""Python's cyclic garbage collection, arranged for a process that fills its memory once and then keeps it.

While ten thousand objects are read, nothing of it is garbage, and yet the collector would look at all of it again and
again: it took three quarters of the time of the first list. What has been read then is set aside for good, so that later
collections, which stop the event loop, look only at what came since.

It is the process that decides this, by `put_off`: an operator within somebody else's process leaves the collector alone.
"""

import gc

THRESHOLDS = (20_000, 20, 50)
LONGEST = 60.0
"""Seconds. While the API server does not answer, failed tries are all there is, and they are garbage."""


def put_off() -> None:
    """Until `begin`."""
    gc.disable()


def begin() -> None:
    """From now on, and without what is there already, if it was put off."""
    if gc.isenabled():
        return
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()
