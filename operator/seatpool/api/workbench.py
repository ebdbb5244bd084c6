"""Defines Workbench: one engineer's machine, mirrored from EC2, ECS or Kubernetes, or written by hand."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from seatpool.api.base import AGE_COLUMN, STATUS_COLUMN, Instant, Model, PrinterColumn, Resource, cel, column, rules
from seatpool.api.conditions import Conditions
from seatpool.api.regions import REGION_PATTERN


class InstanceState(StrEnum):
    """EC2's instance states, in the order of an instance's life. Machines of other sources have the nearest one."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"


class SourceKind(StrEnum):
    """Kinds of sources of workbenches."""

    EC2 = "EC2"
    """An EC2 instance."""
    ECS = "ECS"
    """A task of ECS."""
    KUBERNETES = "Kubernetes"
    """An object of the operator's own cluster, such as a Pod."""
    EXTERNAL = "External"
    """Any other machine. Another program writes its Workbench; the mirror never does."""


class SeatPhase(StrEnum):
    """State of a workbench owner's seat of one pool."""

    ASSIGNED = "Assigned"
    WAITING = "Waiting"
    DENIED = "Denied"
    RELEASING = "Releasing"


class WorkbenchSource(Model):
    """Where a workbench comes from."""

    kind: SourceKind
    """EC2, ECS, Kubernetes or External."""
    reference: Annotated[str, Field(min_length=1, max_length=512)]
    """Which machine of the source: an instance id, a task's ARN, rule/namespace/name of an object in the cluster, or any
    text for External."""


class WorkbenchSpec(Model):
    """The machine, its owner and its state. The mirror writes it from events and inventories."""

    source: WorkbenchSource | None = None
    """Where it comes from. Absent: EC2."""
    instance_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")] | None = None
    """EC2 instance id, for example i-0123456789abcdef0. Only EC2 has one, and has to."""
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    """AWS account number, 12 digits. Of EC2 and ECS."""
    region: Annotated[str, Field(pattern=REGION_PATTERN)] | None = None
    """AWS region, for example eu-central-1. Of EC2 and ECS."""
    owner: Annotated[str, Field(min_length=1, max_length=256)]
    """User id of the person who works on it, as the tag spells it. It is normalised and checked before it is used. An owner that
    no license server could take is refused, and a condition says why."""
    type: Annotated[str, Field(min_length=1, max_length=256)]
    """Type of the workbench. Pools select workbenches by it."""
    state: InstanceState
    """State of the machine, in EC2's words."""
    state_changed_at: Instant
    """Time of the newest event or inventory behind the state. Older news is ignored."""
    launched_at: Instant | None = None
    """When the machine became active, without a break since. It decides who came first."""

    @property
    def source_kind(self) -> SourceKind:
        """The kind of the source."""
        return self.source.kind if self.source is not None else SourceKind.EC2


class WorkbenchSeat(Model):
    """The owner's seat of one pool."""

    pool: str
    """The pool, as namespace/name."""
    phase: SeatPhase
    """Assigned, Waiting, Denied or Releasing."""
    position: int | None = None
    """Place in the waiting line. 1 is next."""
    since: Instant | None = None
    """Start of the phase."""
    reason: str
    """Reason of the phase, one word."""


class WorkbenchStatus(Model):
    """Seats of the workbench's owner."""

    observed_generation: int | None = None
    """The metadata.generation that this status was computed from."""
    user: str | None = None
    """User id of the owner, as it stands on lists. Absent: the owner can be no user id."""
    summary: str | None = None
    """Seats of the owner in a few words, for example: 1 of 2; addon: 3rd, PoolFull."""
    seats: Annotated[
        tuple[WorkbenchSeat, ...],
        Field(json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = ()
    """One entry for each pool that serves this workbench."""
    conditions: Conditions = ()


_KIND = "(has(self.source) ? self.source.kind : 'EC2')"
_FIELDS_BY_KIND = (
    cel(
        f"{_KIND} != 'EC2' || (has(self.instanceId) && has(self.account) && has(self.region))",
        "an EC2 instance needs instanceId, account and region; give all three, or another source.kind",
    ),
    cel(
        f"{_KIND} != 'ECS' || (has(self.account) && has(self.region) && !has(self.instanceId))",
        "an ECS task needs account and region, and has no instanceId",
    ),
    cel(
        f"{_KIND} != 'Kubernetes' || !(has(self.account) || has(self.region) || has(self.instanceId))",
        "an object of the cluster has no account, region or instanceId; leave them out",
    ),
)


class Workbench(Resource):
    """One engineer's machine, wherever it runs. Its owner is put on the named-user list of every licensed product that is
    installed on it, for as long as one of the owner's workbenches is active."""

    kind: ClassVar[str] = "Workbench"
    plural: ClassVar[str] = "workbenches"
    singular: ClassVar[str] = "workbench"
    short_names: ClassVar[tuple[str, ...]] = ("wb",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        column("Owner", ".spec.owner", "Who works on it."),
        column("Type", ".spec.type", "Type of the workbench."),
        column("State", ".spec.state", "State of the machine."),
        column("Seats", ".status.summary", "How many seats the owner has, and what the others wait for."),
        column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether every seat was given."),
        column("User", ".status.user", "User id of the owner, as it stands on lists.", wide=True),
        column("Source", ".spec.source.kind", "Where it comes from; empty is EC2.", wide=True),
        column("Account", ".spec.account", "AWS account.", wide=True),
        column("Region", ".spec.region", "AWS region.", wide=True),
        column("Namespace", ".metadata.namespace", "For programs that read a table of all namespaces.", wide=True),
        STATUS_COLUMN,
        AGE_COLUMN,
    )

    selectable: ClassVar[tuple[str, ...]] = (".spec.owner", ".spec.type", ".spec.state", ".status.user")

    spec: Annotated[
        WorkbenchSpec,
        Field(
            json_schema_extra=rules(
                *_FIELDS_BY_KIND,
                cel(
                    "has(self.instanceId) == has(oldSelf.instanceId) && "
                    "(!has(self.instanceId) || self.instanceId == oldSelf.instanceId)",
                    "instanceId cannot change; delete the Workbench and create another",
                ),
                cel(
                    "has(self.source) == has(oldSelf.source) && (!has(self.source) || self.source == oldSelf.source)",
                    "source cannot change; delete the Workbench and create another",
                ),
            )
        ),
    ]
    status: WorkbenchStatus = WorkbenchStatus()
