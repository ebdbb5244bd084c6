"""State of one pool: what was decided, what the license server was seen to have, and what is wrong.

All of it are values. The reconciler of the pool's server makes the next one (`control/reconcile/advance.py`); statuses,
probes and sinks only read them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.reasons import ConditionReason
from seatpool.control.state.seat_durations import RecentDurations
from seatpool.domain.allocation import Allocation, Granted, Released
from seatpool.domain.memory import PoolMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedList:
    """A product's list as it was last read from the license server."""

    users: tuple[str, ...]
    revision: int
    """Revision in the fence: the one that wrote the list, 0 if no operator ever did."""
    owner: str
    """Installation in the fence, empty if no operator ever wrote the list."""
    odd: tuple[str, ...] = ()
    """Entries that are no user ids."""
    passed_over: tuple[str, ...] = ()
    """Lines of what was printed, if no entry was found in any of them."""
    surplus: tuple[str, ...] = ()
    """Entries that give nobody a license: further copies of an entry, and those that refer to nothing."""
    notes: tuple[str, ...] = ()
    """What on the server undoes the list, or a part of it."""
    still_in_use: tuple[str, ...] | None = None
    """Users who are off the list and have a license checked out still; None: not known."""
    placeholder: bool | None = False
    """The list held nothing but the placeholder; `users` is empty then. None: the server has no other empty list."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a list is not as it should be."""

    reason: ConditionReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """State of one pool."""

    memory: PoolMemory | None = None
    """Content of the ledger; None: not known yet."""
    answer: Allocation | None = None
    """The last answer whose memory is stored; None: not decided yet."""
    observed: ObservedList | None = None
    """The list on the license server; None: not known, it has to be read."""
    failure: Failure | None = None
    keep_placeholder: bool = False
    """An empty list is written as the placeholder."""
    clearing: bool = False
    """The pool is being deleted and its list emptied."""
    unlistable: Mapping[str, str] = field(default_factory=dict)
    """Users whom the license server's lists cannot have, each with the reason."""
    suspended: bool = False
    """The pool is suspended by its own spec."""
    dry_run: bool = False
    """The pool is in DryRun by its own spec."""
    granted: tuple[Granted, ...] = ()
    """Seats that were given and that the license server has not confirmed yet."""
    released: tuple[Released, ...] = ()
    """Seats that were freed and that the license server has not confirmed yet."""
    durations: RecentDurations = field(default_factory=RecentDurations)
    changed_at: datetime | None = None
    """Since when an answer waits to be applied; None: none does."""

    @property
    def desired(self) -> tuple[str, ...] | None:
        """The list as it should be; None: not known yet."""
        if self.clearing:
            return ()
        return None if self.answer is None else self.answer.users

    @property
    def in_sync(self) -> bool:
        """Whether the license server was seen to have the list as it should be."""
        return self.desired is not None and self.shows(self.desired)

    @property
    def is_late(self) -> bool:
        """Whether the list is not as it should be, and not on purpose.

        A list that a suspended pool leaves alone is not late, and neither is one that DryRun could read and compute.
        """
        if self.in_sync:
            return False
        if self.clearing:
            return True
        is_computed = self.observed is not None and self.answer is not None and self.failure is None
        return not (self.suspended or (self.dry_run and is_computed))

    def shows(self, users: tuple[str, ...]) -> bool:
        """Whether the license server was seen to have this list, in the form that the pool wants."""
        observed = self.observed
        if observed is None or observed.odd or observed.surplus or observed.users != users:
            return False
        return bool(users) or observed.placeholder in (None, self.keep_placeholder)

    def confirmed(self, user: str) -> bool:
        """Whether the license server was seen to have the user on the list."""
        return self.observed is not None and user in self.observed.users

    @property
    def revision(self) -> int:
        """Revision of the observed list, 0 if it is not known."""
        return self.observed.revision if self.observed is not None else 0
