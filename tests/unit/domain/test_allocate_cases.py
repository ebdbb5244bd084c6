"""What the rules mean, as short stories.

A step says at which minute who has a need, and the expected answer: holders, then the line in order, then who was
released. A name alone was granted, or waits because the pool is full; every other reason is written behind it. A need
begins with the first step of an unbroken row in which it is written.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def shown(answer: Allocation) -> str:
    def named(user: str, reason: Reason, silent: Reason | None = None) -> str:
        return user if reason is silent else f"{user}:{reason.value}"

    parts = [
        [named(seat.user, seat.reason, Reason.GRANTED) for seat in answer.seats.values()],
        [named(place.user, place.reason, Reason.POOL_FULL) for place in answer.waiting],
        [named(gone.user, gone.reason) for gone in answer.released],
    ]
    return " | ".join(" ".join(part) for part in parts)


@dataclass
class Pool:
    """A pool that lives through a story."""

    rules: PoolRules
    memory: PoolMemory = field(default_factory=PoolMemory.empty)
    needs: dict[str, Need] = field(default_factory=dict)

    def at(self, minute: float, users: str) -> Allocation:
        now = START + minutes(minute)
        self.needs = {user: self.needs.get(user, Need(user, now)) for user in users.split()}
        answer = allocate(self.rules, self.needs, self.memory, now)
        again = allocate(self.rules, self.needs, answer.memory, now)
        assert again == replace(answer, granted=(), released=(), newly_waiting=()), "asking again changes nothing"
        backwards = replace(self.memory, assigned=dict(list(self.memory.assigned.items())[::-1]))
        assert allocate(self.rules, dict(list(self.needs.items())[::-1]), backwards, now) == answer, "order is no input"
        assert answer.users == tuple(sorted(answer.seats)) == tuple(sorted(answer.memory.assigned))
        assert [place.position for place in answer.waiting] == list(range(1, len(answer.waiting) + 1))
        self.memory = answer.memory
        return answer


Step = tuple[float, str, str] | PoolRules


def rules(seats: int, **more: Any) -> PoolRules:
    return PoolRules(seats=seats, **more)


def kept_for(*users: str, seats: int = 1) -> Reservation:
    return Reservation("+".join(users), frozenset(users), None, seats)


ON_CALL = Priority("ops-*", 10)
BUDGET = ReassignmentBudget(1, minutes(100))

STORIES: dict[str, list[Step]] = {
    "a need is a seat while seats last": [
        rules(2),
        (0, "ann", "ann |  | "),
        (1, "ann bob", "ann bob |  | "),
        (2, "ann bob cid", "ann bob | cid | "),
    ],
    "the seat goes to who waits longest": [
        rules(1),
        (0, "ann", "ann |  | "),
        (1, "ann cid", "ann | cid | "),
        (2, "ann cid bob", "ann | cid bob | "),
        (3, "cid bob", "cid | bob | ann:WorkbenchesStopped"),
    ],
    "those who come at one instant are served by name": [
        rules(1),
        (0, "cid ann bob", "ann | bob cid | "),
    ],
    "who comes back to the line goes to its end": [
        rules(1),
        (0, "ann bob", "ann | bob | "),
        (1, "ann", "ann |  | "),
        (2, "ann cid", "ann | cid | "),
        (3, "ann cid bob", "ann | cid bob | "),
    ],
    "nobody has a seat in a pool without seats": [
        rules(0),
        (0, "ann", " | ann | "),
    ],
    # minimum hold
    "a seat is kept for its minimum hold, to the instant": [
        rules(1, minimum_hold=minutes(10)),
        (0, "ann", "ann |  | "),
        (4, "bob", "ann:MinimumHold | bob | "),
        (9.999, "bob", "ann:MinimumHold | bob | "),
        (10, "bob", "bob |  | ann:WorkbenchesStopped"),
    ],
    "a minimum hold that is over keeps nothing": [
        rules(1, minimum_hold=minutes(10)),
        (0, "ann", "ann |  | "),
        (11, "", " |  | ann:WorkbenchesStopped"),
    ],
    "minimum hold counts from the new grant of somebody who came back": [
        rules(1, minimum_hold=minutes(10)),
        (0, "ann", "ann |  | "),
        (11, "", " |  | ann:WorkbenchesStopped"),
        (12, "ann", "ann |  | "),
        (13, "", "ann:MinimumHold |  | "),
        (22, "", " |  | ann:WorkbenchesStopped"),
    ],
    # linger
    "a seat lingers after the last stop, to the instant": [
        rules(1, linger=minutes(15)),
        (0, "ann", "ann |  | "),
        (20, "bob", "ann:Lingering | bob | "),
        (34.999, "bob", "ann:Lingering | bob | "),
        (35, "bob", "bob |  | ann:WorkbenchesStopped"),
    ],
    "a new start in time ends the linger, and the next one begins anew": [
        rules(1, linger=minutes(15)),
        (0, "ann", "ann |  | "),
        (20, "", "ann:Lingering |  | "),
        (30, "ann", "ann |  | "),
        (40, "", "ann:Lingering |  | "),
        (54, "", "ann:Lingering |  | "),
        (55, "", " |  | ann:WorkbenchesStopped"),
    ],
    "the later of minimum hold and linger decides and is shown": [
        rules(1, minimum_hold=minutes(30), linger=minutes(15)),
        (0, "ann", "ann |  | "),
        (10, "", "ann:MinimumHold |  | "),
        (16, "ann", "ann |  | "),
        (20, "", "ann:Lingering |  | "),
        (30, "", "ann:Lingering |  | "),
        (35, "", " |  | ann:WorkbenchesStopped"),
    ],
    "when minimum hold and linger end together the seat lingers": [
        rules(1, minimum_hold=minutes(15), linger=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "", "ann:Lingering |  | "),
    ],
    # seat cool-down
    "a freed seat cools down before others have it, to the instant": [
        rules(1, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "bob", " | bob:SeatsCoolingDown | ann:WorkbenchesStopped"),
        (14.999, "bob", " | bob:SeatsCoolingDown | "),
        (15, "bob", "bob |  | "),
    ],
    "the own seat is there at once, before those who wait for it": [
        rules(1, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "bob", " | bob:SeatsCoolingDown | ann:WorkbenchesStopped"),
        (6, "bob ann", "ann | bob | "),
    ],
    "others have a fresh seat while the freed one cools down": [
        rules(2, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "bob cid", "bob | cid:SeatsCoolingDown | ann:WorkbenchesStopped"),
        (15, "bob cid", "bob cid |  | "),
    ],
    "who comes back takes the own seat and leaves the fresh one to others": [
        rules(2, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "", " |  | ann:WorkbenchesStopped"),
        (6, "ann bob", "ann bob |  | "),
    ],
    "a seat that has cooled down is as good as any": [
        rules(1, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "", " |  | ann:WorkbenchesStopped"),
        (16, "bob ann", "ann | bob | "),
    ],
    "each seat cools down by itself": [
        rules(2, seat_cool_down=minutes(10)),
        (0, "ann bob", "ann bob |  | "),
        (2, "bob cid dan", "bob | cid:SeatsCoolingDown dan:SeatsCoolingDown | ann:WorkbenchesStopped"),
        (5, "cid dan", " | cid:SeatsCoolingDown dan:SeatsCoolingDown | bob:WorkbenchesStopped"),
        (12, "cid dan", "cid | dan:SeatsCoolingDown | "),
        (15, "cid dan", "cid dan |  | "),
    ],
    "a dropped cool-down rule frees the seats": [
        rules(1, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "bob", " | bob:SeatsCoolingDown | ann:WorkbenchesStopped"),
        rules(1),
        (6, "bob", "bob |  | "),
    ],
    # readmission
    "who left may not return before readmission, to the instant": [
        rules(1, readmit_after=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "", " |  | ann:WorkbenchesStopped"),
        (6, "ann", " | ann:ReadmissionBlocked | "),
        (14.999, "ann", " | ann:ReadmissionBlocked | "),
        (15, "ann", "ann |  | "),
    ],
    "others go ahead of somebody who may not return yet, who keeps the place": [
        rules(1, readmit_after=minutes(10)),
        (0, "ann", "ann |  | "),
        (5, "", " |  | ann:WorkbenchesStopped"),
        (6, "ann", " | ann:ReadmissionBlocked | "),
        (7, "ann bob cid", "bob | ann:ReadmissionBlocked cid | "),
        (16, "ann cid", "ann | cid | bob:WorkbenchesStopped"),
    ],
    "a block may not outlast a rule that was shortened": [
        rules(1, readmit_after=minutes(1000)),
        (0, "ann", "ann |  | "),
        (5, "ann", "ann |  | "),
        (6, "", " |  | ann:WorkbenchesStopped"),
        rules(1, readmit_after=minutes(10)),
        (7, "ann", " | ann:ReadmissionBlocked | "),
        (16, "ann", "ann |  | "),
    ],
    "a dropped readmission rule blocks nobody": [
        rules(1, readmit_after=minutes(1000)),
        (0, "ann", "ann |  | "),
        (6, "", " |  | ann:WorkbenchesStopped"),
        rules(1),
        (7, "ann", "ann |  | "),
    ],
    # budget of re-assignments
    "the budget is spent, and there again when the window has passed, to the instant": [
        rules(1, max_reassignments=BUDGET),
        (0, "ann", "ann |  | "),
        (1, "bob", "bob |  | ann:WorkbenchesStopped"),
        (2, "cid", " | cid:ReassignmentBudgetSpent | bob:WorkbenchesStopped"),
        (100.999, "cid", " | cid:ReassignmentBudgetSpent | "),
        (101, "cid", "cid |  | "),
    ],
    "fresh seats and the own seat cost no budget": [
        rules(2, max_reassignments=ReassignmentBudget(0, minutes(100))),
        (0, "ann bob", "ann bob |  | "),
        (1, "bob", "bob |  | ann:WorkbenchesStopped"),
        (2, "bob cid", "bob | cid:ReassignmentBudgetSpent | "),
        (3, "bob cid ann", "ann bob | cid | "),
    ],
    "the longest vacated seat goes first, so the later leaver can still return": [
        rules(2, max_reassignments=BUDGET),
        (0, "ann bob", "ann bob |  | "),
        (1, "ann", "ann |  | bob:WorkbenchesStopped"),
        (2, "", " |  | ann:WorkbenchesStopped"),
        (3, "cid", "cid |  | "),
        (4, "cid ann bob", "ann cid | bob | "),
    ],
    "a budget that was raised is there at once": [
        rules(1, max_reassignments=ReassignmentBudget(0, minutes(100))),
        (0, "ann", "ann |  | "),
        (1, "bob", " | bob:ReassignmentBudgetSpent | ann:WorkbenchesStopped"),
        rules(1, max_reassignments=BUDGET),
        (2, "bob", "bob |  | "),
    ],
    "a cool-down holds a seat before the budget does": [
        rules(1, seat_cool_down=minutes(10), max_reassignments=ReassignmentBudget(0, minutes(100))),
        (0, "ann", "ann |  | "),
        (1, "bob", " | bob:SeatsCoolingDown | ann:WorkbenchesStopped"),
        (11, "bob", " | bob:ReassignmentBudgetSpent | "),
    ],
    "every seat passed on at one instant counts": [
        rules(3, max_reassignments=ReassignmentBudget(2, minutes(100))),
        (0, "ann bob cid", "ann bob cid |  | "),
        (
            1,
            "dan eve fay",
            "dan eve | fay:ReassignmentBudgetSpent | "
            "ann:WorkbenchesStopped bob:WorkbenchesStopped cid:WorkbenchesStopped",
        ),
    ],
    # order by priority
    "weight goes before time, and time before name": [
        rules(1, order=Order.PRIORITY, priorities=(ON_CALL, Priority("guest-*", -5))),
        (0, "ann", "ann |  | "),
        (1, "ann guest-a", "ann | guest-a | "),
        (2, "ann guest-a zoe", "ann | zoe guest-a | "),
        (3, "ann guest-a zoe bob ops-b ops-a", "ann | ops-a ops-b zoe bob guest-a | "),
        (4, "guest-a zoe bob ops-b ops-a", "ops-a | ops-b zoe bob guest-a | ann:WorkbenchesStopped"),
    ],
    "weight takes no seat from anybody": [
        rules(1, order=Order.PRIORITY, priorities=(ON_CALL,)),
        (0, "ann", "ann |  | "),
        (1, "ann ops-a", "ann | ops-a | "),
    ],
    # reservations
    "a reserved seat is kept free for its members": [
        rules(2, reservations=(kept_for("zoe"),)),
        (0, "ann bob", "ann | bob:SeatsReserved | "),
        (1, "ann bob zoe", "ann zoe | bob | "),
    ],
    "a reservation that is full keeps nothing, and its members queue like others": [
        rules(3, reservations=(kept_for("yan", "zoe"),)),
        (0, "yan", "yan |  | "),
        (1, "yan ann bob", "ann bob yan |  | "),
        (2, "yan ann bob cid zoe", "ann bob yan | cid zoe | "),
        (3, "yan bob cid zoe", "bob cid yan | zoe | ann:WorkbenchesStopped"),
    ],
    "a member who is not the first of a full reservation may take an open seat": [
        rules(2, reservations=(kept_for("yan", "zoe"),)),
        (0, "yan zoe", "yan zoe |  | "),
    ],
    "a reservation that comes later takes nobody's seat and gets the next one": [
        rules(1),
        (0, "ann", "ann |  | "),
        rules(1, reservations=(kept_for("zoe"),)),
        (1, "ann bob", "ann | bob | "),
        (2, "bob", " | bob:SeatsReserved | ann:WorkbenchesStopped"),
        (3, "bob zoe", "zoe | bob | "),
    ],
    "a member of a full reservation has no claim to what is kept for another": [
        rules(2, reservations=(kept_for("yan", "zoe"), kept_for("dan"))),
        (0, "yan zoe", "yan | zoe:SeatsReserved | "),
    ],
    "members of two reservations do not wait for each other": [
        rules(2, reservations=(kept_for("yan", seats=1), kept_for("zoe", seats=1))),
        (0, "zoe", "zoe |  | "),
        (1, "zoe ann", "zoe | ann:SeatsReserved | "),
        (2, "zoe ann yan", "yan zoe | ann | "),
    ],
    "a pattern makes members": [
        rules(1, reservations=(Reservation("ops", frozenset(), "ops-*", 1),)),
        (0, "ann ops-a", "ops-a | ann | "),
    ],
    "a lingering member still fills the reservation": [
        rules(2, linger=minutes(15), reservations=(kept_for("zoe"),)),
        (0, "zoe", "zoe |  | "),
        (1, "ann", "ann zoe:Lingering |  | "),
    ],
    "who returns to the own cooling seat needs it beyond what is reserved": [
        rules(1, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        (1, "", " |  | ann:WorkbenchesStopped"),
        rules(1, seat_cool_down=minutes(10), reservations=(kept_for("zoe"),)),
        (2, "ann", " | ann:SeatsReserved | "),
        (3, "ann zoe", " | ann:SeatsReserved zoe:SeatsCoolingDown | "),
        (11, "ann zoe", "zoe | ann | "),
    ],
    "a cooling seat may be returned to while another one can serve the reservation in time": [
        rules(2, seat_cool_down=minutes(10)),
        (0, "ann bob", "ann bob |  | "),
        (1, "", " |  | ann:WorkbenchesStopped bob:WorkbenchesStopped"),
        rules(2, seat_cool_down=minutes(10), reservations=(kept_for("zoe"),)),
        (2, "ann bob", "ann | bob:SeatsReserved | "),
    ],
    "a reservation keeps seats and not the budget": [
        rules(2, max_reassignments=BUDGET),
        (0, "ann bob", "ann bob |  | "),
        (1, "", " |  | ann:WorkbenchesStopped bob:WorkbenchesStopped"),
        rules(2, max_reassignments=BUDGET, reservations=(kept_for("zoe"),)),
        (2, "cid", "cid |  | "),
        (3, "cid zoe", "cid | zoe:ReassignmentBudgetSpent | "),
    ],
    # protected people
    "the protected are on the list without a need": [
        rules(2, protected=("vip",)),
        (0, "ann bob", "ann vip:Protected | bob | "),
        (9999, "ann bob", "ann vip:Protected | bob | "),
    ],
    "somebody new among the protected takes the newest seat": [
        rules(2),
        (0, "ann", "ann |  | "),
        (1, "ann bob", "ann bob |  | "),
        rules(2, protected=("vip",)),
        (2, "ann bob", "ann vip:Protected | bob | bob:MadeRoomForProtected"),
    ],
    "an idle seat makes room before a newer one that is used": [
        rules(2, linger=minutes(15)),
        (0, "ann", "ann |  | "),
        (1, "ann bob", "ann bob |  | "),
        (2, "bob", "ann:Lingering bob |  | "),
        rules(2, linger=minutes(15), protected=("vip",)),
        (3, "bob", "bob vip:Protected |  | ann:MadeRoomForProtected"),
    ],
    "a seat inside its minimum hold makes no room before that is over": [
        rules(1, minimum_hold=minutes(10)),
        (0, "ann", "ann |  | "),
        rules(1, minimum_hold=minutes(10), protected=("vip",)),
        (1, "ann bob", "ann | vip bob | "),
        (10, "ann bob", "vip:Protected | ann bob | ann:MadeRoomForProtected"),
    ],
    "no seat makes room where it would only cool down": [
        rules(1, seat_cool_down=minutes(10)),
        (0, "ann", "ann |  | "),
        rules(1, seat_cool_down=minutes(10), protected=("vip",)),
        (50, "ann bob", "ann | vip bob | "),
        (51, "bob", " | vip:SeatsCoolingDown bob:SeatsReserved | ann:WorkbenchesStopped"),
        (61, "bob", "vip:Protected | bob | "),
    ],
    "no seat makes room against the budget": [
        rules(2, max_reassignments=BUDGET),
        (0, "ann bob", "ann bob |  | "),
        rules(2, max_reassignments=BUDGET, protected=("vip", "wim")),
        (5, "ann bob", "ann vip:Protected | wim bob | bob:MadeRoomForProtected"),
        (105, "ann bob", "vip:Protected wim:Protected | ann bob | ann:MadeRoomForProtected"),
    ],
    "a protected person without a seat keeps one from all others": [
        rules(2, readmit_after=minutes(10)),
        (0, "ann vip", "ann vip |  | "),
        (1, "ann", "ann |  | vip:WorkbenchesStopped"),
        rules(2, readmit_after=minutes(10), protected=("vip",)),
        (2, "ann bob", "ann | vip:ReadmissionBlocked bob:SeatsReserved | "),
        (11, "ann bob", "ann vip:Protected | bob | "),
    ],
    "a member of a reservation waits behind the protected": [
        rules(2, readmit_after=minutes(10)),
        (0, "ann vip", "ann vip |  | "),
        (1, "ann", "ann |  | vip:WorkbenchesStopped"),
        rules(2, readmit_after=minutes(10), protected=("vip",), reservations=(kept_for("zoe"),)),
        (2, "ann zoe", "ann | vip:ReadmissionBlocked zoe:SeatsReserved | "),
    ],
    "the seat kept for a protected member is one seat, not two": [
        rules(3, readmit_after=minutes(10)),
        (0, "ann vip", "ann vip |  | "),
        (1, "ann", "ann |  | vip:WorkbenchesStopped"),
        rules(3, readmit_after=minutes(10), protected=("vip",), reservations=(kept_for("vip"),)),
        (2, "ann bob", "ann bob | vip:ReadmissionBlocked | "),
    ],
    "a protected person who is seated stands in no member's way": [
        rules(2, protected=("vip",), reservations=(kept_for("zoe"),)),
        (0, "zoe", "vip:Protected zoe |  | "),
    ],
    "a protected person who is seated takes nothing from what is reserved": [
        rules(2, protected=("vip",), reservations=(kept_for("zoe"),)),
        (0, "bob", "vip:Protected | bob:SeatsReserved | "),
    ],
    "a protected member keeps a seat even when the reservation is full": [
        rules(2, readmit_after=minutes(10)),
        (0, "yan vip", "vip yan |  | "),
        (1, "yan", "yan |  | vip:WorkbenchesStopped"),
        rules(2, readmit_after=minutes(10), protected=("vip",), reservations=(kept_for("vip", "yan"),)),
        (2, "yan bob", "yan | vip:ReadmissionBlocked bob:SeatsReserved | "),
        rules(3, readmit_after=minutes(10), protected=("vip",), reservations=(kept_for("vip", "yan"),)),
        (11, "yan bob", "bob vip:Protected yan |  | "),
    ],
    "protected people beyond the seats wait among themselves": [
        rules(1, protected=("vip", "wim")),
        (0, "ann", "vip:Protected | wim ann | "),
    ],
    "somebody who is not protected any more is a holder like others": [
        rules(1, protected=("vip",), linger=minutes(5)),
        (0, "", "vip:Protected |  | "),
        rules(1, linger=minutes(5)),
        (1, "", "vip:Lingering |  | "),
        (5, "", " |  | vip:WorkbenchesStopped"),
    ],
    "somebody who was protected and has a need keeps an ordinary seat": [
        rules(1, protected=("vip",)),
        (0, "vip", "vip:Protected |  | "),
        rules(1),
        (1, "vip", "vip |  | "),
    ],
    # denied people
    "the denied never get a seat and stand in no line": [
        rules(1, denied=frozenset({"eve"})),
        (0, "eve ann", "ann |  | "),
        (1, "eve", " |  | ann:WorkbenchesStopped"),
    ],
    "a ban ends a seat at once, without linger": [
        rules(1, linger=minutes(15)),
        (0, "eve", "eve |  | "),
        rules(1, linger=minutes(15), denied=frozenset({"eve"})),
        (1, "eve ann", "ann |  | eve:UserDenied"),
    ],
    "a ban waits for the minimum hold": [
        rules(1, minimum_hold=minutes(10)),
        (0, "eve", "eve |  | "),
        rules(1, minimum_hold=minutes(10), denied=frozenset({"eve"})),
        (1, "eve ann", "eve:MinimumHold | ann | "),
        (10, "eve ann", "ann |  | eve:UserDenied"),
    ],
    "a ban is stronger than protection": [
        rules(1, protected=("eve",), denied=frozenset({"eve"})),
        (0, "eve ann", "ann |  | "),
    ],
    # fewer seats
    "fewer seats: the idle go first, then the newest": [
        rules(4, linger=minutes(60)),
        (0, "ann", "ann |  | "),
        (1, "ann bob", "ann bob |  | "),
        (2, "ann bob cid dan", "ann bob cid dan |  | "),
        (3, "bob cid dan", "ann:Lingering bob cid dan |  | "),
        rules(2, linger=minutes(60)),
        (4, "bob cid dan", "bob cid | dan | ann:SeatsReduced dan:SeatsReduced"),
    ],
    "fewer seats: the denied go before the idle": [
        rules(3, linger=minutes(60), minimum_hold=minutes(10)),
        (0, "ann bob eve", "ann bob eve |  | "),
        rules(2, linger=minutes(60), minimum_hold=minutes(10), denied=frozenset({"eve"})),
        (5, "ann eve", "ann bob:Lingering |  | eve:SeatsReduced"),
    ],
    "fewer seats: those inside minimum hold go last, but the list is never too long": [
        rules(3, minimum_hold=minutes(10)),
        (0, "ann", "ann |  | "),
        (9, "ann bob cid", "ann bob cid |  | "),
        rules(2, minimum_hold=minutes(10)),
        (11, "ann bob cid", "bob cid | ann | ann:SeatsReduced"),
        rules(1, minimum_hold=minutes(10)),
        (12, "ann bob cid", "bob | ann cid | cid:SeatsReduced"),
    ],
    "fewer seats: the protected go last of all": [
        rules(2, protected=("vip",), minimum_hold=minutes(10)),
        (0, "", "vip:Protected |  | "),
        (11, "ann", "ann vip:Protected |  | "),
        rules(1, protected=("vip",), minimum_hold=minutes(10)),
        (12, "ann", "vip:Protected | ann | ann:SeatsReduced"),
    ],
    "seats that are gone for a while go on cooling down": [
        rules(3, seat_cool_down=minutes(10)),
        (0, "ann bob cid", "ann bob cid |  | "),
        (1, "ann", "ann |  | bob:WorkbenchesStopped cid:WorkbenchesStopped"),
        rules(1, seat_cool_down=minutes(10)),
        (2, "ann", "ann |  | "),
        rules(2, seat_cool_down=minutes(10)),
        (3, "ann dan", "ann | dan:SeatsCoolingDown | "),
        (11, "ann dan", "ann dan |  | "),
    ],
    "fewer seats and more again pass no seat on against the budget": [
        rules(2, max_reassignments=ReassignmentBudget(0, minutes(100))),
        (0, "ann bob", "ann bob |  | "),
        (1, "ann cid", "ann | cid:ReassignmentBudgetSpent | bob:WorkbenchesStopped"),
        rules(1, max_reassignments=ReassignmentBudget(0, minutes(100))),
        (2, "ann cid", "ann | cid | "),
        rules(2, max_reassignments=ReassignmentBudget(0, minutes(100))),
        (3, "ann cid", "ann | cid:ReassignmentBudgetSpent | "),
        rules(3, max_reassignments=ReassignmentBudget(0, minutes(100))),
        (4, "ann cid", "ann cid |  | "),
    ],
    "rules that are removed and put back find what happened": [
        rules(1, max_reassignments=BUDGET, readmit_after=minutes(60)),
        (0, "ann", "ann |  | "),
        (1, "bob", "bob |  | ann:WorkbenchesStopped"),
        rules(1),
        (2, "bob", "bob |  | "),
        rules(1, max_reassignments=BUDGET, readmit_after=minutes(60)),
        (3, "ann cid", " | ann:ReadmissionBlocked cid:ReassignmentBudgetSpent | bob:WorkbenchesStopped"),
    ],
    "a readmission that is made longer counts from when somebody left": [
        rules(1, readmit_after=minutes(30)),
        (0, "ann", "ann |  | "),
        (1, "", " |  | ann:WorkbenchesStopped"),
        rules(1, readmit_after=minutes(1)),
        (2, "", " |  | "),
        rules(1, readmit_after=minutes(30)),
        (3, "ann", " | ann:ReadmissionBlocked | "),
        (31, "ann", "ann |  | "),
    ],
    "more seats serve the line at once": [
        rules(1),
        (0, "ann bob", "ann | bob | "),
        rules(2),
        (1, "ann bob", "ann bob |  | "),
    ],
    # combinations
    "a seat freed at one instant is given on at the same": [
        rules(1, minimum_hold=minutes(5), linger=minutes(5)),
        (0, "ann", "ann |  | "),
        (1, "ann bob", "ann | bob | "),
        (2, "bob", "ann:Lingering | bob | "),
        (7, "bob", "bob |  | ann:WorkbenchesStopped"),
    ],
    "one's own cooling seat does not help who may not return yet": [
        rules(1, seat_cool_down=minutes(10), readmit_after=minutes(5)),
        (0, "ann", "ann |  | "),
        (1, "ann", "ann |  | "),
        (2, "bob", " | bob:SeatsCoolingDown | ann:WorkbenchesStopped"),
        (3, "bob ann", " | bob:SeatsCoolingDown ann:ReadmissionBlocked | "),
        (7, "bob ann", "ann | bob | "),
    ],
    "a reservation and priority: members first, then weight": [
        rules(2, order=Order.PRIORITY, priorities=(ON_CALL,), reservations=(kept_for("zoe"),)),
        (0, "ops-a ops-b", "ops-a | ops-b:SeatsReserved | "),
        (1, "ops-a ops-b zoe", "ops-a zoe | ops-b | "),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_story(story: list[Step]) -> None:
    first, *steps = story
    assert isinstance(first, PoolRules)
    pool = Pool(first)
    for step in steps:
        if isinstance(step, PoolRules):
            pool.rules = step
        else:
            minute, users, expected = step
            assert shown(pool.at(minute, users)) == expected, f"minute {minute}"
