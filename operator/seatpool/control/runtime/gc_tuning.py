"""Tunes Python's cyclic garbage collection for a process that fills its memory once and then keeps it.

While 10,000 objects are read, none of them is garbage. Yet the collector would traverse all of them again and again: that took
three quarters of the time of the first list. So collection is off until the objects are loaded. They are frozen then, and
later collections, which stop the event loop, traverse only newer objects.

The process has to ask for this by `disable_until_loaded`. An operator inside another program leaves the collector alone.
"""

import gc

THRESHOLDS = (20_000, 20, 50)
MAX_DELAY = 60.0
"""Seconds. If the API server does not answer, memory holds only failed tries, and they are garbage."""


def disable_until_loaded() -> None:
    """Turns collection off until `freeze_and_enable` is called."""
    gc.disable()


def freeze_and_enable() -> None:
    """Freezes all present objects and turns collection on. Does nothing if it is on already."""
    if gc.isenabled():
        return
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()
