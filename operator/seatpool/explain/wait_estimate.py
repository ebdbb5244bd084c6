"""Says when a waiting user probably gets a seat, or why there is no estimate. The estimate is `policy/wait_estimate.py`."""

from collections.abc import Callable, Sequence
from datetime import datetime

from seatpool.domain.allocation import InLine
from seatpool.domain.reasons import Reason
from seatpool.explain.messages import Message, MessageId, message
from seatpool.explain.rule_text import field_of
from seatpool.explain.simulation import Simulation
from seatpool.policy.wait_estimate import MIN_SEATS, WaitEstimate
from seatpool.text import TimeFormat

Estimates = Sequence[WaitEstimate | None]
"""The estimate of each place in line. None: earlier seats do not tell."""
Remembered = Callable[[Callable[[], Estimates]], Estimates]
"""Returns the estimates of the whole line: those that it remembers, or those that its argument computes."""


def describe_wait(
    simulation: Simulation,
    place: InLine,
    *,
    expected: datetime | None,
    times: TimeFormat,
    remembered: Remembered | None = None,
) -> tuple[WaitEstimate | None, tuple[Message, ...]]:
    """Returns the estimate and its message, or the message that says why there is none.

    `expected` is when the seat comes if no workbench starts or stops before. `remembered`: None computes the estimate alone.
    """
    if not simulation.may_release:
        return None, ()  # the problem that holds releases is shown instead
    reason = _obstacle(simulation, place)
    if reason is not None:
        is_rule = reason.id == MessageId.RULES_DECIDE_TOO
        return None, () if is_rule and expected is not None else (reason,)
    found = _estimates(simulation, place.position, remembered)[-1]
    if found is None:
        return None, (_no_estimate(simulation),)
    if expected is not None:
        found = WaitEstimate(begin=min(found.begin, expected), end=min(found.end, expected), seats=found.seats)
        if found.begin == found.end:
            return None, ()
    begin, end = times.format_time(found.begin), times.format_time(found.end)
    about = MessageId.LIKELY_TIME if begin == end else MessageId.LIKELY_RANGE
    return found, (message(about, begin=begin, end=end, seats=str(found.seats)),)


def estimate_line(
    simulation: Simulation, *, remembered: Remembered | None = None
) -> tuple[tuple[WaitEstimate | None, ...], Message | None]:
    """Returns the estimate of each place in line, and why the first has none."""
    waiting = simulation.answer.waiting
    if not waiting or not simulation.may_release:
        return (), None
    obstacles = [_obstacle(simulation, place) for place in waiting]
    count = next((index for index, one in enumerate(obstacles) if one is not None), len(waiting))
    if count == 0:
        return (), obstacles[0]
    found = tuple(_estimates(simulation, count, remembered))
    return found, None if found[0] is not None else _no_estimate(simulation)


def _obstacle(simulation: Simulation, place: InLine) -> Message | None:
    """Returns why no estimate can be made for a place. None: nothing is in the way."""
    line, pool = simulation.line, simulation.pool
    rule = line.rule_in_the_way(place)
    if rule is not None:
        field = field_of(rule) if isinstance(rule, Reason) else rule
        return message(MessageId.RULES_DECIDE_TOO, field=f"spec.{field}", pool=pool.key)
    if line.known_seats < MIN_SEATS:
        return message(MessageId.TOO_FEW_SEATS, fewest=str(MIN_SEATS), pool=pool.key, count=str(line.known_seats))
    return None


def _no_estimate(simulation: Simulation) -> Message:
    return message(MessageId.LONGER_THAN_BEFORE, seats=str(simulation.line.known_seats))


def _estimates(simulation: Simulation, positions: int, remembered: Remembered | None) -> Estimates:
    if remembered is not None:
        return remembered(lambda: simulation.line.estimates(len(simulation.answer.waiting)))[:positions]
    return simulation.line.estimates(positions)
