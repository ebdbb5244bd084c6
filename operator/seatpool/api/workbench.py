"""Defines Workbench: one engineer's cloud machine, mirrored from EC2 or written by hand."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from seatpool.api.base import AGE_COLUMN, STATUS_COLUMN, Instant, Model, PrinterColumn, Resource, column, rules
from seatpool.api.conditions import Conditions
from seatpool.api.regions import REGION_PATTERN


class InstanceState(StrEnum):
    """EC2's instance states, in the order of an instance's life."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"


class SeatPhase(StrEnum):
    """State of a workbench owner's seat of one pool."""

    ASSIGNED = "Assigned"
    WAITING = "Waiting"
    DENIED = "Denied"
    RELEASING = "Releasing"


class WorkbenchSpec(Model):
    """The instance, its owner and its state. The mirror writes it from events and inventories."""

    instance_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")]
    """EC2 instance id, for example i-0123456789abcdef0."""
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    """AWS account number, 12 digits."""
    region: Annotated[str, Field(pattern=REGION_PATTERN)]
    """AWS region, for example eu-central-1."""
    owner: Annotated[str, Field(min_length=1, max_length=256)]
    """User id of the person who works on it, as the tag spells it. It is normalised and checked before it is used. An owner that
    no license server could take is refused, and a condition says why."""
    type: Annotated[str, Field(min_length=1, max_length=256)]
    """Type of the workbench. Pools select workbenches by it."""
    state: InstanceState
    """EC2 instance state."""
    state_changed_at: Instant
    """Time of the newest event or inventory behind the state. Older news is ignored."""
    launched_at: Instant | None = None
    """When the instance became active, without a break since. It decides who came first."""


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


class Workbench(Resource):
    """One engineer's cloud machine. Its owner is put on the named-user list of every licensed product that is
    installed on it, for as long as one of the owner's workbenches is active."""

    kind: ClassVar[str] = "Workbench"
    plural: ClassVar[str] = "workbenches"
    singular: ClassVar[str] = "workbench"
    short_names: ClassVar[tuple[str, ...]] = ("wb",)
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        column("Owner", ".spec.owner", "Who works on it."),
        column("Type", ".spec.type", "Type of the workbench."),
        column("State", ".spec.state", "EC2 instance state."),
        column("Seats", ".status.summary", "How many seats the owner has, and what the others wait for."),
        column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether every seat was given."),
        column("User", ".status.user", "User id of the owner, as it stands on lists.", wide=True),
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
                {
                    "rule": "self.instanceId == oldSelf.instanceId",
                    "message": "instanceId cannot change; delete the Workbench and create another",
                }
            )
        ),
    ]
    status: WorkbenchStatus = WorkbenchStatus()
