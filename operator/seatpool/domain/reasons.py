"""Defines the reasons why a user has a seat, waits for one, is denied one, or was released.

The decision and its explanation are one value. Statuses, Events, `seatpool why` and the reference page use this file, so they
cannot differ.
"""

from enum import StrEnum


class Reason(StrEnum):
    """One word for users and programs. `sentence` returns it in full."""

    GRANTED = "Granted"
    PROTECTED = "Protected"
    ADOPTED = "Adopted"
    MINIMUM_HOLD = "MinimumHold"
    LINGERING = "Lingering"

    POOL_FULL = "PoolFull"
    SEATS_RESERVED = "SeatsReserved"
    SEATS_COOLING_DOWN = "SeatsCoolingDown"
    REASSIGNMENT_BUDGET_SPENT = "ReassignmentBudgetSpent"
    READMISSION_BLOCKED = "ReadmissionBlocked"

    DENIED = "Denied"
    NOT_LISTABLE = "NotListable"

    WORKBENCHES_STOPPED = "WorkbenchesStopped"
    SEATS_REDUCED = "SeatsReduced"
    MADE_ROOM_FOR_PROTECTED = "MadeRoomForProtected"
    USER_DENIED = "UserDenied"


_SENTENCES = {
    Reason.GRANTED: "An active workbench needs the product, and a seat was free.",
    Reason.PROTECTED: "The user is among protectedUsers and is always on the list.",
    Reason.ADOPTED: "The user was on the list before the operator first wrote it, and has an active workbench.",
    Reason.MINIMUM_HOLD: "The seat is not needed any more, but minimumHold keeps it for now.",
    Reason.LINGERING: "No workbench of the user is active; the seat is kept for the linger time in case one starts.",
    Reason.POOL_FULL: "Every seat of the pool is taken.",
    Reason.SEATS_RESERVED: "The seats that are free are kept for protectedUsers or for the people of a reservation.",
    Reason.SEATS_COOLING_DOWN: "The seats that are free and not kept for others had another holder lately; "
    "seatCoolDown blocks them for now.",
    Reason.REASSIGNMENT_BUDGET_SPENT: "The seats that are free had another holder, and maxReassignments permits no "
    "more changes in its window.",
    Reason.READMISSION_BLOCKED: "The user left the list lately and may not return before readmitAfter is over.",
    Reason.DENIED: "The user is among deniedUsers and never gets a seat.",
    Reason.NOT_LISTABLE: "The license server has no such user, or its list cannot have the user's id.",
    Reason.WORKBENCHES_STOPPED: "The last workbench stopped, and minimumHold and linger are over.",
    Reason.SEATS_REDUCED: "The pool had more people than seats, and this seat was among the first to give up.",
    Reason.MADE_ROOM_FOR_PROTECTED: "The pool was full, and a user in protectedUsers had no seat.",
    Reason.USER_DENIED: "The user is among deniedUsers, and minimumHold is over.",
}


def sentence(reason: Reason) -> str:
    """Returns the reason in one plain sentence."""
    return _SENTENCES[reason]
