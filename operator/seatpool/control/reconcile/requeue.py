"""How long a reconciler may rest when nothing happens.

Every reason to wake must be one that the next pass does away with. A reason that stays, such as a verification that is
due while the server cannot be reached, would turn resting into spinning.
"""

from seatpool.control.reconcile.desired import is_decided
from seatpool.control.reconcile.server_state import Desk

LONGEST = 3600.0
SHORTEST = 0.02
TOGETHER = 0.03
"""Within so many seconds arrives what was received from the queue at once."""
UNKNOWN = 5.0
"""While an account has never been inventoried; nobody tells when it was."""


def seconds_to_rest(desk: Desk) -> float:
    """Until the earliest instant at which a pass may find something to do."""
    waits = [LONGEST, *_changes(desk), *_retries(desk)]
    if desk.view.uninventoried:
        waits.append(UNKNOWN)
    if not desk.server.spec.suspend:
        waits.extend(_contacts(desk))
    return max(SHORTEST, min(waits))


def seconds_to_collect(desk: Desk) -> float:
    """How long to wait for more of the same before a change is looked at.

    A change that comes alone is sent at once, but for the moment in which the others of its batch arrive. While one
    command follows another they are `spec.debounce` apart, and each carries all that came meanwhile.
    """
    debounce = desk.server.spec.debounce.total_seconds()
    since = desk.around.monotonic() - desk.last_command
    return min(debounce, max(TOGETHER, debounce - since))


def _changes(desk: Desk) -> list[float]:
    """When answers change by themselves."""
    now = desk.around.clock()
    standings = [desk.standing(pool) for pool in desk.pools if is_decided(pool)]
    answers = [standing.answer for standing in standings if standing.memory is not None]
    return [(at - now).total_seconds() for answer in answers if answer is not None and (at := answer.next_change)]


def _retries(desk: Desk) -> list[float]:
    """When products that failed may be tried again. One that may be already was looked at by the pass that is over."""
    remaining = [desk.backoffs.remaining(pool.spec.product) for pool in desk.pools]
    return [left for left in remaining if left > 0]


def _contacts(desk: Desk) -> list[float]:
    """When the server itself is due: after a failure, and to verify its lists."""
    unreached = desk.backoffs.server.remaining()
    waits = [unreached] if unreached > 0 or desk.held_off else []
    readable = any(not desk.backoffs.remaining(pool.spec.product) for pool in desk.pools)
    if readable and desk.last_verified is not None:
        due = desk.last_verified + desk.server.spec.verify_interval.total_seconds()
        waits.append(max(due - desk.around.monotonic(), unreached))
    return waits
