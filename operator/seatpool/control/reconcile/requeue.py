"""When a reconciler runs again if nothing happens. Pure.

Every reason to run again must be one that the next pass does away with. A reason that stays would turn resting into spinning:
for example a verification that is due while the server cannot be reached.
"""

from seatpool.control.reconcile.diff import has_commands
from seatpool.control.reconcile.server_state import ServerState, is_decided
from seatpool.control.state.moment import Moment

LONGEST = 3600.0
SHORTEST = 0.02
TOGETHER = 0.03
"""What was received from the queue at once arrives within so many seconds."""
UNKNOWN = 5.0
"""Seconds between two passes while an account was never inventoried, because no event tells when it is."""

UNLISTABLE = 60.0
"""Seconds between two passes while the server's lists cannot have some users, because no event tells when they can."""
HELD = 15.0
"""Seconds between two passes while a change is held back, because no event tells when older releases do not count any more."""


def requeue_after(state: ServerState, *, at: Moment) -> float:
    """Returns the seconds until the earliest instant at which a pass may find something to do."""
    waits = [LONGEST, *_changes(state, at), *_retries(state, at)]
    if state.view.uninventoried:
        waits.append(UNKNOWN)
    if state.view.held is not None:
        waits.append(HELD)
    if state.view.unlistable:
        waits.append(UNLISTABLE)
    if not state.is_left_alone:
        waits.extend(_contacts(state, at))
    return max(SHORTEST, min(waits))


def has_more_to_do(state: ServerState, *, at: Moment) -> bool:
    """Whether lists that could be written or read now were left: they did not fit, or have to be looked at again."""
    return not state.is_left_alone and not state.server_retry.failures and has_commands(state, at=at)


def batch_delay(state: ServerState, *, at: Moment) -> float:
    """Returns the seconds to wait for more changes before a change is looked at.

    A change that comes alone is sent at once, but for the moment in which the others of its batch arrive. While one
    command follows another they are `spec.debounce` apart, and each carries all that came meanwhile.
    """
    debounce = state.server.spec.debounce.total_seconds()
    return min(debounce, max(TOGETHER, debounce - (at.monotonic - state.last_command)))


def _changes(state: ServerState, at: Moment) -> list[float]:
    """When answers change by themselves."""
    states = [state.pool_state(pool) for pool in state.pools if is_decided(pool)]
    answers = [one.answer for one in states if one.memory is not None]
    return [
        (change - at.now).total_seconds() for answer in answers if answer is not None and (change := answer.next_change)
    ]


def _retries(state: ServerState, at: Moment) -> list[float]:
    """When products that failed may be tried again. One that may be already was looked at by the pass that is over."""
    pauses = [state.product_pause(pool.spec.product, at) for pool in state.pools]
    return [pause for pause in pauses if pause > 0]


def _contacts(state: ServerState, at: Moment) -> list[float]:
    """When the server itself is due: after a failure, and to verify its lists."""
    pause = state.server_pause(at)
    waits = [pause] if pause > 0 or state.held_off else []
    readable = any(not state.product_pause(pool.spec.product, at) for pool in state.pools)
    if readable and state.last_verified is not None:
        due = state.last_verified + state.verify_interval
        waits.append(max(due - at.monotonic, pause))
    return waits
