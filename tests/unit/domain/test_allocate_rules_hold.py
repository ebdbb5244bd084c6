"""Whatever people do, the promises of a pool hold: checked against books that are kept independently.

The books know only what can be seen from outside: the answers' lists and lines, and the clock. Every seat is a thing of
which is written down who has it, who had it last and when it was freed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation, InLine
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
USERS = ["ann", "bob", "cid", "dan", "eve", "ops-a", "ops-b"]


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


DURATIONS = st.sampled_from([0, 0, 1, 3, 7]).map(minutes)
RESERVATIONS = st.sampled_from(
    [
        (),
        (),
        (Reservation("ops", frozenset(), "ops-*", 1),),
        (Reservation("ops", frozenset(), "ops-*", 2), Reservation("dan", frozenset({"dan", "ann"}), None, 1)),
    ]
)
RULES = st.builds(
    PoolRules,
    seats=st.integers(0, 4),
    order=st.sampled_from(Order),
    reservations=RESERVATIONS,
    priorities=st.sampled_from([(), (Priority("ops-*", 2), Priority("a*", -1))]),
    protected=st.sampled_from([(), (), ("dan",), ("ops-a", "cid")]),
    denied=st.sampled_from([frozenset(), frozenset({"eve"}), frozenset({"dan"})]),
    minimum_hold=DURATIONS,
    linger=DURATIONS,
    seat_cool_down=DURATIONS,
    readmit_after=DURATIONS,
    max_reassignments=st.none()
    | st.builds(ReassignmentBudget, st.integers(0, 3), st.sampled_from([5, 20]).map(minutes)),
)


@dataclass
class Place:
    """A seat as a thing."""

    holder: str | None = None
    since: datetime = START
    last: str | None = None
    freed: datetime | None = None


class Books:
    """Who had what when, and what the rules say to that."""

    def __init__(self, rules: PoolRules) -> None:
        self.rules = rules
        self.now = START
        self.places = [Place() for _ in range(rules.seats)]
        self.idle: dict[str, datetime] = {}
        self.left: dict[str, datetime] = {}
        self.passed_on: list[datetime] = []
        self.waits: dict[str, datetime] = {}

    def of(self, user: str) -> Place:
        return next(place for place in self.places if place.holder == user)

    def holders(self) -> set[str]:
        return {place.holder for place in self.places if place.holder is not None}

    def protected(self, user: str) -> bool:
        return user in self.rules.protected and user not in self.rules.denied

    def free(self) -> list[Place]:
        return [place for place in self.places if place.holder is None]

    def own(self, user: str) -> Place | None:
        budget = self.rules.max_reassignments
        return next(
            (
                place
                for place in self.free()
                if place.last == user and place.freed is not None and (budget is not None or not self.cooled(place))
            ),
            None,
        )

    def cooled(self, place: Place) -> bool:
        return place.freed is None or place.freed + self.rules.seat_cool_down <= self.now

    def untouched(self) -> list[Place]:
        if self.rules.max_reassignments is None:
            return [place for place in self.free() if self.cooled(place)]
        return [place for place in self.free() if place.freed is None]

    def spent(self) -> int:
        budget = self.rules.max_reassignments
        assert budget is not None
        return sum(at > self.now - budget.window for at in self.passed_on)

    def used_up(self) -> list[Place]:
        """Vacated seats that have cooled, but cost budget; the longest vacated first."""
        if self.rules.max_reassignments is None:
            return []
        places = [place for place in self.free() if place.freed is not None and self.cooled(place)]
        return sorted(places, key=lambda place: (place.freed, place.last))

    def at_hand(self) -> int:
        """Seats that do not cool down, whatever the budget says."""
        return len(self.untouched()) + len(self.used_up())

    def usable(self) -> int:
        budget = self.rules.max_reassignments
        cooled = len(self.used_up())
        return len(self.untouched()) + (cooled if budget is None else min(cooled, max(0, budget.count - self.spent())))

    def group(self, user: str) -> int | None:
        for index, item in enumerate(self.rules.reservations):
            if user in item.users or (item.pattern is not None and fnmatchcase(user, item.pattern)):
                return index
        return None

    def room(self, index: int) -> int:
        members = sum(self.group(user) == index for user in self.holders())
        return max(0, self.rules.reservations[index].seats - members)

    def kept(self) -> int:
        missing = [user for user in self.rules.protected if self.protected(user) and user not in self.holders()]
        total = sum(self.group(user) is None for user in missing)
        for index in range(len(self.rules.reservations)):
            total += max(self.room(index), sum(self.group(user) == index for user in missing))
        return total

    def release(self, user: str) -> None:
        place = self.of(user)
        place.holder, place.last, place.freed = None, user, self.now
        self.left[user] = self.now

    def give(self, user: str) -> None:
        """Seat somebody, or fail: then a rule was broken."""
        assert user not in self.holders()
        own, untouched, used_up = self.own(user), self.untouched(), self.used_up()
        if own is not None:
            place = own
        elif untouched:
            place = untouched[0]
        else:
            assert used_up, "a seat was given that is not there or has not cooled down"
            place = used_up[0]
            budget = self.rules.max_reassignments
            assert budget is not None
            self.passed_on.append(self.now)
            assert self.spent() <= budget.count, "the budget was exceeded"
        place.holder, place.since = user, self.now


class Life(RuleBasedStateMachine):
    """People come and go under rules that stay."""

    @initialize(rules=RULES)
    def open(self, rules: PoolRules) -> None:
        self.pool = rules
        self.books = Books(rules)
        self.memory = PoolMemory.empty()
        self.needs: dict[str, Need] = {}
        self.now = START
        self.answer = self.ask()

    @rule(user=st.sampled_from(USERS), wait=st.integers(0, 4))
    def start(self, user: str, wait: int) -> None:
        self.now += minutes(wait)
        self.needs.setdefault(user, Need(user, self.now))
        self.answer = self.ask()

    @rule(user=st.sampled_from(USERS), wait=st.integers(0, 4))
    def stop(self, user: str, wait: int) -> None:
        self.now += minutes(wait)
        self.needs.pop(user, None)
        self.answer = self.ask()

    @rule(users=st.sets(st.sampled_from(USERS)), wait=st.integers(0, 10))
    def many_change(self, users: set[str], wait: int) -> None:
        self.now += minutes(wait)
        self.needs = {user: self.needs.get(user, Need(user, self.now)) for user in sorted(users)}
        self.answer = self.ask()

    @precondition(lambda self: self.answer.next_change is not None)
    @rule()
    def wait_for_the_next_change(self) -> None:
        assert self.answer.next_change is not None
        assert self.answer.next_change > self.now
        self.now = self.answer.next_change
        self.answer = self.ask()

    @rule(wait=st.integers(1, 40))
    def nothing_changes_before_it_is_announced(self, wait: int) -> None:
        later = self.now + minutes(wait)
        announced = self.answer.next_change
        if announced is not None and announced <= later:
            later = announced - timedelta(microseconds=1)
        answer = allocate(self.pool, self.needs, self.memory, later)
        assert (answer.seats, answer.waiting, answer.denied) == (
            self.answer.seats,
            self.answer.waiting,
            self.answer.denied,
        )
        early = [place for place in answer.waiting if place.earliest is not None and place.earliest <= self.now]
        assert early == []

    def ask(self) -> Allocation:
        answer = allocate(self.pool, self.needs, self.memory, self.now)
        self.memory = answer.memory
        self.books.now = self.now
        self.check_releases(answer)
        self.check_grants(answer)
        self.check_the_list(answer)
        self.check_the_line(answer)
        again = allocate(self.pool, self.needs, answer.memory, self.now)
        assert again == replace(answer, granted=(), released=(), newly_waiting=())
        return answer

    def check_releases(self, answer: Allocation) -> None:
        books, rules = self.books, self.pool
        for user in books.holders():
            if user in self.needs:
                books.idle.pop(user, None)
            else:
                books.idle.setdefault(user, self.now)
        gone = books.holders() - set(answer.users)
        assert {entry.user for entry in answer.released} == gone
        for user in sorted(gone):
            assert user not in self.needs, "somebody who works lost the seat"
            assert not books.protected(user)
            assert self.now >= books.of(user).since + rules.minimum_hold
            assert self.now >= books.idle[user] + rules.linger
            books.release(user)
        for user in books.holders() - self.needs.keys():
            if not books.protected(user):
                assert self.now < max(books.of(user).since + rules.minimum_hold, books.idle[user] + rules.linger)

    def check_grants(self, answer: Allocation) -> None:
        books = self.books
        before = books.holders()
        came = [entry.user for entry in answer.granted]
        assert set(came) == set(answer.users) - before
        for user in came:
            assert user not in self.pool.denied
            left = books.left.get(user)
            assert left is None or self.now >= left + self.pool.readmit_after
            index = books.group(user)
            entitled = books.protected(user) or (index is not None and books.room(index) > 0)
            returns = books.own(user) is not None
            books.give(user)
            books.idle.pop(user, None)
            if user not in self.needs:
                books.idle[user] = self.now
            if not entitled:
                assert (len(books.free()) if returns else books.at_hand()) >= books.kept(), "a reserved seat was given"

    def check_the_list(self, answer: Allocation) -> None:
        books = self.books
        assert set(answer.users) == books.holders() == set(answer.seats)
        assert len(answer.users) <= self.pool.seats
        parts = [set(answer.seats), {place.user for place in answer.waiting}, set(answer.denied)]
        everybody = self.needs.keys() | {user for user in self.pool.protected if books.protected(user)}
        assert everybody <= set.union(*parts)
        assert sum(map(len, parts)) == len(set.union(*parts))
        for seat in answer.seats.values():
            assert seat.since == books.of(seat.user).since
            assert seat.until is None or seat.until > self.now

    def check_the_line(self, answer: Allocation) -> None:
        line = answer.waiting
        since = {user: need.since for user, need in self.needs.items()}
        self.books.waits = {
            place.user: min(self.books.waits.get(place.user, self.now), since.get(place.user, self.now))
            for place in line
        }
        assert {place.user: place.since for place in line} == self.books.waits
        assert list(line) == sorted(line, key=self.rank)
        for place in line:
            assert self.justified(place), place

    def rank(self, place: InLine) -> tuple[bool, int, datetime, str]:
        weight = 0
        if self.pool.order is Order.PRIORITY:
            matching = (item.weight for item in self.pool.priorities if fnmatchcase(place.user, item.pattern))
            weight = next(matching, 0)
        return not self.books.protected(place.user), -weight, place.since, place.user

    def justified(self, place: InLine) -> bool:
        """Whether the reason is true, and so nobody waits without need."""
        books, user = self.books, place.user
        own = books.own(user)
        left = books.left.get(user)
        truths: dict[Reason, Callable[[], bool]] = {
            Reason.READMISSION_BLOCKED: lambda: left is not None and self.now < left + self.pool.readmit_after,
            Reason.POOL_FULL: lambda: not books.free(),
            Reason.SEATS_COOLING_DOWN: lambda: (
                (own is None or books.cooled(own))
                and len(books.free()) - 1 >= self.kept_from(user) > books.at_hand() - 1
            ),
            Reason.REASSIGNMENT_BUDGET_SPENT: lambda: own is None and books.usable() == 0 and bool(books.used_up()),
            Reason.SEATS_RESERVED: lambda: self.reserved_from(user),
        }
        return truths[place.reason]()

    def reserved_from(self, user: str) -> bool:
        assert not self.books.protected(user)
        return 0 <= len(self.books.free()) - 1 < self.kept_from(user)

    def kept_from(self, user: str) -> int:
        books = self.books
        if books.protected(user):
            return 0
        index = books.group(user)
        entitled = index is not None and books.room(index) > 0
        missing = [name for name in self.pool.protected if books.protected(name) and name not in books.holders()]
        return len(missing) if entitled else books.kept()


Life.TestCase.settings = settings(max_examples=200, stateful_step_count=30)
TestLife = Life.TestCase
