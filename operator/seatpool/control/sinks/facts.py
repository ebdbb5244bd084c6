"""Defines facts: what happened, as values. A reconciler publishes each fact once, after it was stored or read back.

Sinks turn facts into Events, audit lines, notifications, history rows, metrics, log lines and status marks. A fact has all
that its sinks need; none of them looks into a reconciler.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.pool_state import ObservedList, PoolState
from seatpool.control.state.server_view import ServerView
from seatpool.domain.allocation import Allocation, InLine
from seatpool.policy.guard import HeldChange
from seatpool.tracing.spans import Mark


class LatencyOutcome(StrEnum):
    """Outcome of a message that was followed to a list. It is a metric label."""

    LISTED = "listed"
    """The list was changed, and read back."""
    UNCHANGED = "unchanged"
    """The list was right already, or the user waits for a seat."""
    NOT_WRITTEN = "not_written"
    """The pool or its server is suspended, in DryRun, or gone."""
    NO_POOL = "no_pool"
    """The event changed no pool's need."""
    LOST_SIGHT = "lost_sight"
    """Too many messages wait for one list; the oldest are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFact:
    """Something about one pool."""

    pool: LicensePool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFact:
    """Something about one license server."""

    server: LicenseServer


# -- decisions: published when the ledger has them -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStored(PoolFact):
    """A pool has a new answer, and its memory is stored."""

    before: Allocation | None
    """The answer before; None: the first one of this process."""
    answer: Allocation

    @property
    def waited(self) -> Mapping[str, InLine]:
        """Places in the line before, by user."""
        return {one.user: one for one in self.before.waiting} if self.before is not None else {}

    @property
    def newly_denied(self) -> tuple[str, ...]:
        """Users who are refused a seat for the first time with this answer."""
        before = frozenset(self.before.denied) if self.before is not None else frozenset[str]()
        return tuple(user for user in self.answer.denied if user not in before)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersAdopted(PoolFact):
    """First contact: these users were on the list before the operator came, and the ledger has them now."""

    users: tuple[str, ...]
    """The users who keep their seats for now; none if `spec.adoption` is Overwrite."""
    former: tuple[str, ...]
    """All entries of the list as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLost(PoolFact):
    """The list was written by Seatpool, but the ledger of its product is gone: the vendor's rules start afresh."""

    revision: int
    """Revision of the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryNotAdopted(PoolFact):
    """First contact: an entry of the list is no user id and was left out."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHeld(ServerFact):
    """The guard holds a change back."""

    change: HeldChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeApproved(ServerFact):
    """A change that the guard would have held was approved by an admin, and the ledgers have it now."""

    change: HeldChange


# -- lists: published when they were read back ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApplied(PoolFact):
    """A command wrote a list, and this was read back after it."""

    desired_hash: str
    before: ObservedList | None
    observed: ObservedList
    command_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConfirmed(PoolFact):
    """The license server was seen to have the list as it should be: what was given and freed is true there now."""

    state: PoolState
    """Still with the seats that were given and freed since the last confirmation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFailed(PoolFact):
    """A list cannot be read or written, or is another one than was written. The first pass that sees it says so."""

    reason: ConditionReason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRecovered(PoolFact):
    """A list that was not as it should be is right again, or can be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignOwnerFound(PoolFact):
    """Another installation owns the list."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDetected(PoolFact):
    """The list is another one than was read last, and no command of ours changed it."""

    before: ObservedList
    observed: ObservedList

    @property
    def added(self) -> tuple[str, ...]:
        """Entries that are new, sorted."""
        return tuple(sorted({*self.observed.users, *self.observed.odd} - set(self.before.users)))

    @property
    def removed(self) -> tuple[str, ...]:
        """Users who are not on the list any more, sorted."""
        return tuple(sorted(set(self.before.users) - set(self.observed.users)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderRevisionFound(PoolFact):
    """The license server went back to an older revision, as after a restore; the list is written again."""

    before: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerRevisionFound(PoolFact):
    """The license server has a newer revision than ours and refused the list; it is read and written again."""

    fence: int


# -- the server ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUnreachable(ServerFact):
    """A command as a whole failed, and the one before did not."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecovered(ServerFact):
    """A command was answered, and the one before was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerChanged(ServerFact):
    """Another server answers from now on, or the lists are read in another way: all lists are read anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InSyncFirst(ServerFact):
    """All lists of the server are as they should be, for the first time in this process."""

    pools: int


# -- a pass --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStateChanged(PoolFact):
    """The state of a pool is another one, so statuses may be."""

    before: PoolState
    state: PoolState


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolDropped:
    """The pool is not applied to the server any more: it is gone, refers to another server, or lost its claim."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsServed(PoolFact):
    """All messages that were answered for the pool have come to their end."""

    outcome: LatencyOutcome
    revision: int
    mark: Mark | None
    """The pass, as traces know it."""
    waited: float | None
    """Seconds from the change to the list that was read back; None: no list had to be changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassEnded(ServerFact):
    """A pass has come to its end, and this is the view of the server after it."""

    view: ServerView


Fact = (
    AnswerStored
    | UsersAdopted
    | LedgerLost
    | EntryNotAdopted
    | ChangeHeld
    | ChangeApproved
    | ListApplied
    | ListConfirmed
    | ListFailed
    | ListRecovered
    | ForeignOwnerFound
    | DriftDetected
    | OlderRevisionFound
    | NewerRevisionFound
    | ServerUnreachable
    | ServerRecovered
    | ServerChanged
    | InSyncFirst
    | PoolStateChanged
    | PoolDropped
    | EventsServed
    | PassEnded
)
