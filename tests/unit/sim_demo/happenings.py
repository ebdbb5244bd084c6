"""Events, arrivals and journals in a few letters. The product is always cad."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from seatpool.sim.demo.event_file import WorkbenchEvent
from seatpool.sim.demo.expected_needs import ExpectedNeeds, PoolFacts
from seatpool.sim.demo.record import Records
from seatpool.sim.demo.verdict import QueueChecks
from seatpool.sim.license_host import JournalEntry

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)


def event(instance: int, user: str | None, state: str, at: float, *, kind: str = "cad") -> WorkbenchEvent:
    return WorkbenchEvent(
        instance=f"i-{instance:08x}",
        account="111122223333",
        region="eu-central-1",
        at=BEGIN + timedelta(seconds=at),
        state=state,
        owner=user,
        type=None if user is None else kind,
    )


def known(events: Iterable[tuple[float, WorkbenchEvent]], *, seats: int = 2) -> ExpectedNeeds:
    """Each event with the instant of its arrival."""
    made = ExpectedNeeds({"cad": PoolFacts(seats=seats, types=("cad",))})
    for at, one in events:
        made.add(one, at)
    return made


def arriving(*told: tuple[float, int, str, str], seats: int = 2) -> ExpectedNeeds:
    """Events (arrival, instance, user, state) whose own time is that of their arrival."""
    return known(((at, event(instance, user, state, at)) for at, instance, user, state in told), seats=seats)


def journal(*lists: tuple[float, str], rejected: Iterable[tuple[float, str]] = ()) -> Records:
    """Each list as names separated by blanks, with the instant at which it was written."""
    made = Records()
    for at, text, accepted in sorted([(*one, True) for one in lists] + [(*one, False) for one in rejected]):
        users = tuple(text.split())
        made.add(JournalEntry(at=datetime.fromtimestamp(at, UTC), product="cad", users=users, accepted=accepted))
    return made


def empty_at(*instants: float) -> QueueChecks:
    looks = QueueChecks()
    for at in instants:
        looks.record_empty(at)
    return looks
