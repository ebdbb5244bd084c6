"""What the steps of a pass give back. `advance` makes the next state from each; no step changes the state itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.control.reconcile.diff import Write
from seatpool.control.reconcile.pacing import Work
from seatpool.control.state.moment import Moment
from seatpool.control.state.server_view import ConditionParts
from seatpool.domain.allocation import Allocation
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.memory import PoolMemory
from seatpool.policy.guard import Verdict
from seatpool.servers.backend import Capabilities
from seatpool.servers.command_result import CommandResult
from seatpool.tracing.spans import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolsRefreshed:
    """The server and the pools that are applied to it, as they are now."""

    server: LicenseServer
    pools: tuple[LicensePool, ...]
    duplicates: tuple[str, ...] = ()
    """Pools of the server that are not applied, because an older one manages the list. Each is named with that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassBegun(PoolsRefreshed):
    """A pass begins."""

    foreign: bool
    """Another process wrote a revision since the last pass: what is known of the lists is worth nothing."""
    refused: str | None = None
    """Why the operator's settings do not allow the server. None: they do."""
    capabilities: Capabilities
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsInDoubt:
    """A command may have changed these products' lists, or may do so yet."""

    products: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettled:
    """A command of an earlier pass or process came to its end."""

    result: CommandResult
    hashes: Mapping[str, str]
    """The hash of the list that the command carried, by product."""
    command_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTried:
    """A command was sent, or failed while it was."""

    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsRead:
    """Lists were read back."""

    products: tuple[str, ...]
    """The products that were asked for."""
    result: CommandResult
    node: str
    """Instance id of the node that answered."""
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersChecked:
    """The server was asked for the users who may come onto its lists."""

    unlistable: Mapping[str, str]
    """Those whom its lists cannot have, each with the reason."""
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsVerified:
    """All lists were read back; `asked` is the annotation `verify` that is met by that."""

    asked: str | None
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFailed:
    """A command failed as a whole, or its result cannot be had."""

    error: SeatpoolError
    products: tuple[str, ...] = ()
    """The products that the command carried; none if an earlier process sent it."""
    work: Work = Work.READ
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRead:
    """What the cluster and the mirror say before anything is computed."""

    changed: Mapping[str, datetime]
    """Pools whose demand or rules changed, and since when."""
    uninventoried: tuple[str, ...] = ()
    common: tuple[ConditionParts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """The users of a list at first contact."""

    users: tuple[str, ...]
    problems: tuple[str, ...] = ()
    """Why entries of the list are not adopted."""
    former: tuple[str, ...] = ()
    """All entries of the list as it was."""
    lost_revision: int | None = None
    """Revision of a list that Seatpool wrote although its ledger is gone. None: it is none, or the pool has no rule of a
    vendor that needs the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """The answers of the pools that had to be answered, and what the guard says of the change."""

    answers: Mapping[str, Allocation]
    """By pool."""
    at: Moment
    guard: Verdict
    """What the guard says of the change; the answers are without the releases that it holds back."""
    adoptions: Mapping[str, Adoption] = field(default_factory=dict)
    """Users whom an answer begins with because they were on the list, by pool."""
    unreadable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Why entries of a list cannot be adopted, by pool: it is not answered before an admin says so."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Why a pool cannot be computed, by pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersStored:
    """What came of storing the answers' memory."""

    desired: Desired
    stored: frozenset[str]
    """Pools whose memory is in the ledger now."""
    reloaded: Mapping[str, PoolMemory | None]
    """Memory of the pools whose ledger another process had changed; they have to be answered anew."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why the API server refuses the ledger of a pool, by pool."""
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandApplied:
    """A command that carried lists was answered."""

    writes: tuple[Write, ...]
    result: CommandResult
    command_id: str | None
    node: str
    """Instance id of the node that answered."""
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFailed:
    """A pass failed; `problem` says why, in our words."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDone:
    """Everything of the pass is done but for writing the status."""

    mark: Mark | None
    """The pass, as traces know it."""
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRefused:
    """Why no process may be the leader; None: it may."""

    problem: str | None


StepResult = (
    PassBegun
    | PoolsRefreshed
    | ListsInDoubt
    | CommandSettled
    | CommandTried
    | ListsRead
    | UsersChecked
    | ListsVerified
    | ServerFailed
    | CacheRead
    | Desired
    | AnswersStored
    | CommandApplied
    | PassDone
    | PassFailed
    | LeaseRefused
)
