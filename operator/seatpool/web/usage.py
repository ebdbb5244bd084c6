"""Defines the answers that are computed from the recorded history: plain numbers, and no user in any of them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageStep:
    """Seats in use and users who wait, from its begin to the next step's."""

    begin: datetime
    used_mean: float
    """Seats taken on average over the step."""
    used_peak: int
    """Most seats taken at once."""
    waiting_mean: float
    """Users waiting on average over the step. A wait that began before the window is not counted."""
    waiting_peak: int
    """Most users waiting at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageHourOfWeek:
    """An hour of the week over all weeks of the window, by the clock of the time zone."""

    day: str
    """Mon, Tue, Wed, Thu, Fri, Sat or Sun."""
    hour: int
    """0 to 23."""
    mean: float
    """Seats taken on average."""
    peak: int
    """Most seats taken at once."""
    needs: int
    """Needs that began in the hour."""
    share_waiting: float | None
    """Share of these, from 0 to 1, that had to wait. Absent: it is not known."""
    wait_p95_s: float | None
    """95th percentile of their waits, in seconds. Absent: it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatsFrom:
    """How many seats the pool had, from an instant on."""

    since: datetime
    seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedWithin:
    """How many of the needs had a seat after so long."""

    seconds: int
    """Length of the wait. 0: the seat was there at once."""
    share: float
    """Share of all needs whose wait is known, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWaits:
    """Waits of the needs that began in the window. Percentiles are over all needs, with 0 for one that did not wait."""

    needs: int
    """Needs that began in the window."""
    not_known: int
    """How many of them have no known wait, as of an import that does not tell it. No figure below is about these."""
    never_served: int
    """Needs that ended before there was a seat, or that still wait."""
    served_within: tuple[ServedWithin, ...]
    """For some lengths of a wait, the shortest first. Empty: no wait is known."""
    share_waiting: float | None
    """Share of the needs, from 0 to 1, that had to wait. Absent: it is not known."""
    wait_p50_s: float | None
    """Median of the waits, in seconds."""
    wait_p95_s: float | None
    """95th percentile of the waits, in seconds."""
    wait_max_s: float | None
    """Longest wait, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the history says of one pool in a window, as `seatpool report` counts it."""

    pool: str
    since: datetime
    """Begin of the window. It is not before the begin of the history."""
    until: datetime
    """End of the window."""
    time_zone: str
    """Zone of the hours and days."""
    first: datetime
    """First instant that the history knows of any pool."""
    last: datetime
    """Last instant that the history knows of any pool."""
    step: str
    """Length of the steps: hour, or day if the window is longer than 35 days. The first and the last one may be shorter."""
    steps: tuple[UsageStep, ...]
    """Seats in use over time."""
    seats: tuple[SeatsFrom, ...]
    """The line of the seats that there were. Empty: not known."""
    week: tuple[UsageHourOfWeek, ...]
    """From Monday, 0 h, on. Hours that the window does not have are absent."""
    waits: UsageWaits
    users: int
    """How many users had a seat or waited for one."""
    sessions: int
    """How often a seat was held, at least partly in the window."""
    held_hours: float
    """Seat hours in the window."""
    mean: float
    """Seats taken on average."""
    p95: int
    """For 95 % of the time not more seats were taken."""
    peak: int
    """Most seats taken at once."""
    utilisation: float | None
    """Seat hours taken, divided by the seat hours that there were. Absent: the number of seats is not known."""
    saturated_hours: float | None
    """Hours in which every seat was taken. Absent: the number of seats is not known."""
    never_used: int | None
    """Seats that were never taken. Absent: the number of seats is not known."""
    in_dry_run: int
    """Seats given in DryRun, which were on no license server. They are not counted, unless the pool is in DryRun now."""
    ends_not_recorded: int
    """Seats whose end was not recorded. They count until they were last seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPoint:
    """What a number of seats would have given."""

    seats: int
    share_served: float
    """Share of the needs, from 0 to 1, that are served as well as the target asks."""
    share_waiting: float
    """Share of the needs, from 0 to 1, that have no seat at once."""
    never_served: int
    """Needs that end before there is a seat."""
    share_never_served: float
    """Their share, from 0 to 1."""
    wait_p50_s: float | None
    """Median of the waits, in seconds. Absent: so many needs are never served."""
    wait_p95_s: float | None
    """95th percentile of the waits, in seconds. Absent: so many needs are never served."""
    wait_p95_low_s: float | None
    """In 90 % of the resampled pasts the percentile is at least so long, in seconds. Absent: there are too few days."""
    wait_p95_high_s: float | None
    """And at most so long. Absent: there are too few days, or so many needs are never served."""
    wait_max_s: float
    """Longest time that a need waits, for a seat or in vain, in seconds."""
    utilisation: float
    """Seat hours taken, divided by the seat hours that there are, from 0 to 1."""
    meets_target: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What other numbers of seats would have given with the pool's rules of now, as `seatpool plan` computes it."""

    pool: str
    since: datetime
    """First instant of the past that was replayed."""
    until: datetime
    """Its last instant."""
    target: str
    """What each need should get, such as `share served within 10m >= 95%`."""
    seats_now: int
    """Seats of the pool now."""
    seats: int | None
    """The smallest number of seats that meets the target. Absent: none does."""
    seats_low: int | None
    """In 90 % of the resampled pasts at least so many seats are needed. Absent: there is no such range, see `rangeNote`."""
    seats_high: int | None
    """And at most so many. Absent: there is no such range, or more than were tried."""
    range_note: str | None
    """Why there is no range, or why it may be too narrow."""
    nobody_waits_for_a_seat: int
    """With more seats than this no user waits less."""
    needs: int
    """Needs in the past that was replayed."""
    users: int
    """How many users had them."""
    most_at_once: int
    """Most needs at once."""
    waits_not_known: int
    """Needs of any pool whose begin is not known. They are taken to begin with the seat."""
    points: tuple[PlanPoint, ...]
    """Numbers of seats around the present one, the smallest first. Empty: no user needed a seat."""
