"""What the page of a user shows: for each pool the seat or the place in line first, then why, and when that changes."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from seatpool.explain.messages import MESSAGES, MessageId, Part
from seatpool.explain.problems import Problem
from seatpool.explain.why import Explanation, Phase, PoolExplanation
from seatpool.explain.workbench_table import WorkbenchRow
from seatpool.text import split_command
from seatpool.web.answers import Me
from seatpool.web.pages.views.badge import Badge, Tone

BADGES: Mapping[Phase, Badge] = {
    Phase.ASSIGNED: Badge(Tone.GOOD, "Seat"),
    Phase.PENDING: Badge(Tone.WAIT, "On its way"),
    Phase.WAITING: Badge(Tone.WAIT, "Waiting"),
    Phase.DENIED: Badge(Tone.BAD, "Denied"),
    Phase.UNDECIDED: Badge(Tone.WAIT, "Undecided"),
    Phase.NONE: Badge(Tone.QUIET, "Not needed"),
}
_FIRST = (Phase.DENIED, Phase.WAITING, Phase.UNDECIDED, Phase.PENDING, Phase.ASSIGNED, Phase.NONE)
_STOPPED = frozenset({"stopped", "terminated", "stopping"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatView:
    """A user in one pool."""

    pool: str
    product: str
    href: str | None
    """Address of the pool's page. None: the reader may not see it."""
    badge: Badge
    headline: str
    """The answer in a few words."""
    since: datetime | None
    until: datetime | None
    likely: tuple[datetime, datetime] | None
    """The seat probably comes in this range."""
    expected: datetime | None
    """The seat comes then, if no workbench starts or stops before."""
    reasons: tuple[str, ...]
    """Why that is so, and when it changes, a sentence each."""
    problems: tuple[str, ...]
    """What stands in the way."""
    decided_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MySeats:
    """Everything about the reader's own seats."""

    name: str
    user: str | None
    seats: tuple[SeatView, ...]
    remarks: tuple[str, ...]
    """Sentences that are not about one pool."""
    workbenches: tuple[WorkbenchRow, ...]

    @property
    def news(self) -> str:
        """Returns the answer in one sentence, for screen readers and the title."""
        if self.user is None:
            return "You are no user of Seatpool"
        told = [f"{one.product}: {one.headline}" for one in self.seats]
        return "; ".join(told) or "You need no seat now"


def my_seats(me: Me, products: Mapping[str, str], *, linked: Container[str] = ()) -> MySeats:
    """Returns what the page shows. `products` has the product of each pool, `linked` the pools that the reader may get."""
    answer = me.answer
    if answer is None:
        return MySeats(name=me.name, user=None, seats=(), remarks=(), workbenches=())
    ordered = sorted(answer.pools, key=lambda one: (_FIRST.index(one.phase), one.pool))
    return MySeats(
        name=me.name,
        user=me.user,
        seats=tuple(
            _seat(
                one,
                product=products.get(one.pool, one.pool.partition("/")[2]),
                href=f"/pools/{one.pool}" if one.pool in linked else None,
            )
            for one in ordered
        ),
        remarks=_remarks(answer),
        workbenches=tuple(sorted(answer.workbenches, key=lambda row: (row.state in _STOPPED, row.key))),
    )


def _remarks(answer: Explanation) -> tuple[str, ...]:
    if any(one.id == MessageId.UNKNOWN_USER for one in answer.messages):
        return ("You have no workbench and no seat. As soon as a workbench of yours starts, its seat is shown here.",)
    return tuple(one.text for one in answer.messages)


def _seat(found: PoolExplanation, *, product: str, href: str | None) -> SeatView:
    return SeatView(
        pool=found.pool,
        product=product,
        href=href,
        badge=BADGES[found.phase],
        headline=_headline(found),
        since=found.since,
        until=found.until if found.phase in (Phase.ASSIGNED, Phase.PENDING) else None,
        likely=None if found.estimate is None else (found.estimate.begin, found.estimate.end),
        expected=found.expected,
        reasons=tuple(_told(found)),
        problems=tuple(dict.fromkeys(_for_a_user(one) for one in found.problems if _concerns(found.phase, one))),
        decided_by=found.decided_by,
    )


def _headline(found: PoolExplanation) -> str:
    match found.phase:
        case Phase.ASSIGNED:
            return "You have a seat"
        case Phase.PENDING:
            return "Your seat is on its way: do not start the tool yet"
        case Phase.WAITING:
            return f"You are number {found.position} of {found.waiting} in line"
        case Phase.DENIED:
            return "You are denied a seat"
        case Phase.UNDECIDED:
            return "Your place in line is about to be decided"
        case Phase.NONE:
            return "You need no seat"


def _concerns(phase: Phase, problem: Problem) -> bool:
    """Tells whether a problem is in the way of this user's seat."""
    if problem.is_intended:
        return problem.blocks
    if phase in (Phase.WAITING, Phase.UNDECIDED):
        return True
    return problem.blocks or (phase is Phase.PENDING and not problem.holds_releases)


def _for_a_user(problem: Problem) -> str:
    """Returns the sentence of a problem without the command at its end, which is for an admin."""
    told, command = split_command(problem.message.text)
    return f"{told.rstrip(':')}." if command else told


def _told(found: PoolExplanation) -> Iterable[str]:
    """Yields the sentences beyond the headline, which says the state."""
    for message in found.messages:
        if MESSAGES[message.id].part is not Part.STATE:
            yield message.text
