"""Says what the mirror asks of a source of workbenches, and what a source answers.

A source is one kind of machine in one place: the EC2 instances or ECS tasks of a region, or the objects of one rule in the
cluster. It only reads. The inventory and the resolver decide what an answer means, the same for all sources. So a new
source gets every rule that keeps a doubtful answer from releasing users.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from seatpool.api.workbench import InstanceState, SourceKind, WorkbenchSource
from seatpool.domain.errors import SeatpoolError
from seatpool.mirror.event_order import Fact
from seatpool.mirror.regions import AccountRegion
from seatpool.mirror.workbench_tags import TagReading

REFERENCES_IN_A_CALL = 100


class SourceFailed(SeatpoolError):
    """A source could not be asked. `reason` is one word, for conditions and metrics."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine as its source describes it."""

    source: WorkbenchSource
    name: str
    """Name of its Workbench object."""
    state: InstanceState
    launched_at: datetime | None
    tags: TagReading

    @property
    def is_workbench(self) -> bool:
        """True: it has all that makes a workbench."""
        return self.tags.is_workbench

    @property
    def is_no_workbench(self) -> bool:
        """True: it has neither owner nor type, or a required tag has another value. One missing tag alone says nothing."""
        return self.tags.excluded or (self.tags.owner is None and self.tags.type is None)

    def as_fact(self, key: AccountRegion, *, at: datetime) -> Fact:
        """Returns the description as a fact that holds at this time."""
        return Fact(
            account=key.account,
            region=key.region,
            state=self.state,
            at=at,
            owner=self.tags.owner,
            type=self.tags.type,
            launched_at=self.launched_at,
            source=self.source,
            observed=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ById:
    """The answer to a question for machines by their references. The keys are references."""

    found: Mapping[str, Machine]
    gone: frozenset[str]
    """The source says explicitly that they do not exist."""
    silent: frozenset[str]
    """The source refused nothing and did not show them either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a source shows, whatever the tags are."""

    machines: int
    what: str
    """What they are, in the plural."""
    has_more: bool
    """True: there are more than these."""
    tag_keys: tuple[tuple[str, int], ...] = ()
    """The commonest keys of tags, each with the number of machines that have it."""
    required: tuple[tuple[str, str, int], ...] = field(default=())
    """The commonest values of required tags: key, value, number of machines."""
    hint: str = ""
    """Which setting would find workbenches among them. Empty: none is known."""


class MachineSource(Protocol):
    """One source. Each method raises AWS errors, KubeError or SourceFailed if there is no whole answer."""

    @property
    def kind(self) -> SourceKind:
        """The kind of its machines."""

    @property
    def lag(self) -> timedelta:
        """How far an answer may lag behind events."""

    @property
    def trusts_empty(self) -> bool:
        """True: a list without any workbench is believed, because the source is consistent."""

    async def check_access(self) -> None:
        """Checks that the answers are about the right place. Raises SourceFailed if they are not."""

    async def list_workbenches(self) -> Sequence[Machine]:
        """Returns every workbench. A page that fails fails the whole call."""

    async def describe(self, references: Sequence[str]) -> Mapping[str, Machine]:
        """Returns those machines that the source shows, by reference, whatever their tags are."""

    async def describe_by_id(self, references: Sequence[str]) -> ById:
        """Asks for machines that may be gone, each by its reference."""

    async def survey(self) -> Survey | None:
        """Looks at what there is. None: it cannot be told."""
