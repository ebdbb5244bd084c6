"""State of one LicenseServer's reconciler between two steps of a pass, and what follows from it.

It is a value. `advance` is the only function that makes the next one.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from seatpool.api.annotations import OVERWRITE_UNREADABLE, TAKE_OVER, VERIFY
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.backoff import NEVER_FAILED, Retry
from seatpool.control.reconcile.pacing import STEADY, Pace, Work
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_state import ObservedList, PoolState
from seatpool.control.state.server_view import ServerView
from seatpool.servers.backend import Capabilities
from seatpool.servers.commands import OWNER_PATTERN


class WriteReason(StrEnum):
    """Why a list is sent to a license server: the first reason that holds, in this order.

    Log lines, spans and the metric `list_writes` name it.
    """

    IN_DOUBT = "in_doubt"
    """A command may have changed the list, or may do so yet: a higher revision is needed."""
    OLDER_REVISION = "older_revision"
    """The license server went back to an older revision, as after a restore."""
    OWNER_CHANGED = "owner_changed"
    """Another installation wrote the list, and an admin said that it may be taken over."""
    DIFFERS = "differs"
    """The list that was read is another one than the answer."""
    SURPLUS = "surplus"
    """The list has an entry twice, or one that refers to nothing."""
    PLACEHOLDER = "placeholder"
    """The list is empty, and the placeholder is wanted and missing, or there and not wanted."""


class TakeOver(NamedTuple):
    """An admin's permission to take over lists of another installation. It ends when that one writes again."""

    owner: str
    revision: int

    @classmethod
    def parse(cls, text: str) -> "TakeOver | None":
        """Returns the permission that an annotation gives. None: it gives none."""
        found = re.fullmatch(rf"({OWNER_PATTERN})@([0-9]{{1,18}})", text.strip())
        return None if found is None else cls(found[1], int(found[2]))

    def covers(self, observed: ObservedList) -> bool:
        """Tells whether this very list may be taken over."""
        return observed.owner == self.owner and observed.revision <= self.revision


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """What one reconciler knows."""

    key: str
    """`namespace/name` of the LicenseServer."""
    installation: str
    """Id of this installation: the owner of the lists that it writes."""
    last_server: LicenseServer | None = None
    """The LicenseServer as it was last read; None: not read yet."""
    pools: tuple[LicensePool, ...] = ()
    """The pools that are applied to this server."""
    view: ServerView = field(default_factory=ServerView)
    pending: Mapping[str, datetime] = field(default_factory=dict)
    """Keys of pools that have to be answered anew, and since when."""
    in_doubt: Mapping[str, WriteReason] = field(default_factory=dict)
    """Products whose list must be written again whatever was read, and why."""
    server_retry: Retry = NEVER_FAILED
    """When the server may be tried again after a command that failed as a whole."""
    failed_work: Work | None = None
    """The work of the command that failed as a whole: only a success of the same work ends that. None: none failed."""
    overruns: int = 0
    """Commands in a row that were killed at their time limit."""
    paces: Mapping[tuple[str, Work], Pace] = field(default_factory=dict)
    """When products that failed may be tried again, and in how large a command products that were late are sent."""
    last_command: float = float("-inf")
    """Monotonic seconds at which the last command came to its end."""
    last_verified: float | None = None
    """Monotonic seconds at which all lists were last read back; None: not by this process."""
    verified_for: str | None = None
    """The value of the annotation `verify` that was last met."""
    retried_for: str | None = None
    """The value of the annotation `verify` for which everything was last tried without waiting for its pause."""
    held_off: bool = False
    """The present pass does without the server, because it failed so lately."""
    fence_floor: int = 0
    """The highest revision that was found in a fence of ours."""
    node: str | None = None
    """Instance id of the node that last answered; None: none did yet."""
    refused: str | None = None
    """Why the operator's settings do not allow the server. None: they do."""
    capabilities: Capabilities | None = None
    """What the server's back end can do; None: the first pass did not begin yet."""
    was_in_sync: bool = False
    """All lists were as they should be at the end of some pass."""

    @property
    def server(self) -> LicenseServer:
        """The LicenseServer as it was last read; there is none before the first pass."""
        assert self.last_server is not None  # noqa: S101
        return self.last_server

    @property
    def products(self) -> tuple[str, ...]:
        """The products of the pools, sorted."""
        return tuple(sorted({pool.spec.product for pool in self.pools}))

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing is sent to the server, whatever its lists are: it is suspended or not allowed."""
        return self.server.spec.suspend or self.refused is not None

    @property
    def verify_interval(self) -> float:
        """Seconds between two read-backs of all lists."""
        wanted = self.server.spec.verify_interval
        return (wanted if self.capabilities is None else self.capabilities.verify_interval(wanted)).total_seconds()

    def pool_state(self, pool: LicensePool) -> PoolState:
        return self.view.pool_states[pool.key]

    def find_pool(self, product: str) -> LicensePool | None:
        """Returns the pool of a product; None: no pool of this server has it any more."""
        return next((pool for pool in self.pools if pool.spec.product == product), None)

    def pace(self, product: str, work: Work) -> Pace:
        """Returns the pace of a product for one kind of work."""
        return self.paces.get((product, work), STEADY)

    def product_pause(self, product: str, at: Moment) -> float:
        """Returns the seconds until the product may be tried again, 0 when it may."""
        return max(self.pace(product, work).retry.remaining(at.monotonic) for work in Work)

    def server_pause(self, at: Moment) -> float:
        """Returns the seconds until the server may be tried again, 0 when it may."""
        return self.server_retry.remaining(at.monotonic)

    @property
    def verification_asked(self) -> str | None:
        """The value of the annotation `verify` that was not met yet; None: nothing is asked."""
        asked = self.server.metadata.annotations.get(VERIFY)
        return asked if asked != self.verified_for else None

    @property
    def takeover(self) -> TakeOver | None:
        """The lists of another installation that may be taken over; an annotation that names none is ignored."""
        return TakeOver.parse(self.server.metadata.annotations.get(TAKE_OVER, ""))

    def may_overwrite(self, product: str, observed: ObservedList) -> bool:
        """Whether an admin said that this very list may be overwritten although it has entries that are no user ids."""
        named = self.server.metadata.annotations.get(OVERWRITE_UNREADABLE, "")
        return unreadable_token(product, observed) in {token.strip() for token in named.split(",")}

    def is_ours(self, observed: ObservedList) -> bool:
        """Whether the list has no owner, or is ours."""
        return observed.owner in ("", self.installation)

    def is_foreign(self, observed: ObservedList) -> bool:
        """Whether another installation owns the list, and no annotation says that it may be taken over."""
        takeover = self.takeover
        return not self.is_ours(observed) and (takeover is None or not takeover.covers(observed))


def unreadable_token(product: str, observed: ObservedList) -> str:
    """Returns what stands for one list with all its entries in the annotation `overwrite-unreadable`."""
    entries = "\n".join((product, *observed.users, "", *observed.odd, *observed.passed_over))
    return hashlib.sha256(entries.encode(errors="backslashreplace")).hexdigest()[:12]


def is_decided(pool: LicensePool) -> bool:
    """Whether anything is decided for the pool; a suspended or dying one stays as it is."""
    return not pool.spec.suspend and pool.metadata.deletion_timestamp is None
