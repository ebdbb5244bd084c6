"""Defines LicenseServer: a machine on which lists of named users are applied, and how to reach it."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from seatpool.api.base import (
    AGE_COLUMN,
    READY_COLUMNS,
    STATUS_COLUMN,
    Duration,
    Instant,
    Model,
    PrinterColumn,
    Resource,
    cel,
    column,
    rules,
)
from seatpool.api.bounds import DurationBounds
from seatpool.api.conditions import Conditions
from seatpool.api.list_backends import (
    CustomSettings,
    FlexnetSettings,
    LdapSettings,
    ListBackendSettings,
    ListFileSettings,
    ScimSettings,
    SsmSettings,
    XlcSettings,
)
from seatpool.api.list_names import ListNames
from seatpool.api.regions import REGION_PATTERN

TIMEOUT = DurationBounds("5s", "2d", "60s")
"""Time limits that SSM agents accept. Any other value silently becomes an hour there."""
VERIFY_INTERVAL = DurationBounds("1s", "30d", "5m")
"""A read-back is a command on the license server, and a shorter interval would send one command after another."""
MIN_INTERVAL = DurationBounds("0s", "1d", "10s")
DEBOUNCE = DurationBounds("0s", "5s", "250ms")
GUARD_WINDOW = DurationBounds("0s", "1d", "10m")
DEFAULT_DOCUMENT = "Seatpool-ApplyUserLists"
SECTIONS = ("xlc", "flexnet", "listFile", "ldap", "scim", "custom")
"""Ways to reach lists. A LicenseServer has at most one of these fields."""
_GIVEN = " + ".join(f"(has(self.{section}) ? 1 : 0)" for section in SECTIONS)
_DIRECT = "(has(self.ldap) || has(self.scim) || has(self.custom))"


class Adapter(StrEnum):
    """Name of the section xlc in LicenseServers of former versions."""

    XLC = "xlc"


class Mode(StrEnum):
    """Whether lists are written or only computed and shown."""

    ENFORCE = "Enforce"
    DRY_RUN = "DryRun"


class Target(Model):
    """The managed node that the commands are sent to: its instance id, or the tag that exactly one node has."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "has(self.instanceId) != (has(self.tag) && has(self.value))", "give either instanceId, or tag and value"
            ),
            cel("has(self.tag) == has(self.value)", "tag and value go together"),
        )
    )

    instance_id: Annotated[str, Field(pattern=r"^(i|mi)-[0-9a-f]{8,17}$")] | None = None
    """Id of the EC2 instance or of the hybrid-activated node."""
    tag: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Tag key that names the node."""
    value: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """Tag value that names the node."""


class Guard(Model):
    """When a change is held back because it would release suspiciously many users within a short time."""

    max_release_percent: Annotated[int, Field(ge=1, le=100)] = 50
    """Percentage of the users who had a seat within the window. A change with which more of them would have lost it is
    held back: of one pool, or of all pools of the server together. 100 switches the guard off."""
    min_users: Annotated[int, Field(ge=0, le=100000)] = 10
    """A pool, or a server, with fewer users within the window is not guarded."""
    window: Annotated[Duration, GUARD_WINDOW.clamp, GUARD_WINDOW.rule] = timedelta(minutes=10)
    """How far back releases are counted. 0s: only those of one and the same instant count."""


class LicenseServerSpec(Model):
    """Where lists are applied and how."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("!has(self.externalId) || has(self.roleArn)", "externalId is only used together with roleArn"),
            cel(
                f"{_GIVEN} <= 1",
                "give one of xlc, flexnet, listFile, ldap, scim and custom; remove the others",
            ),
            cel(
                f"{_DIRECT} || (has(self.target) && has(self.region))",
                "target and region are missing: commands are sent there by SSM",
            ),
            cel(
                f"!{_DIRECT} || (!has(self.target) && !has(self.region) && !has(self.roleArn) && !has(self.adapter))",
                "ldap, scim and custom are reached directly: remove target, region, roleArn, externalId and adapter",
            ),
        )
    )

    adapter: Adapter | None = None
    """Only xlc, and only for LicenseServers of former versions: the section of the server tells what it is."""
    xlc: XlcSettings | None = None
    """The vendor's license client (xLC) on a machine that SSM reaches. Without any section it is this one with its
    defaults."""
    flexnet: FlexnetSettings | None = None
    """The options file of a FlexNet vendor daemon on a machine that SSM reaches. Not for RLM: its named-user licenses have
    no command that takes a whole list."""
    list_file: ListFileSettings | None = None
    """A file with names on a machine that SSM reaches."""
    ldap: LdapSettings | None = None
    """Groups of an LDAP directory or of Active Directory."""
    scim: ScimSettings | None = None
    """Groups of a SCIM 2.0 service."""
    custom: CustomSettings | None = None
    """A way that a package of your site brings."""
    names: ListNames = ListNames()
    """How the server writes users."""
    target: Target | None = None
    """The managed node that the commands are sent to. Only with xlc, flexnet and listFile."""
    region: Annotated[str, Field(pattern=REGION_PATTERN)] | None = None
    """AWS region of the node. Only with xlc, flexnet and listFile."""
    role_arn: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$")] | None = None
    """IAM role to assume before commands are sent, if the node is in another account."""
    external_id: Annotated[str, Field(min_length=2, max_length=1224)] | None = None
    """External id that the role's trust policy asks for."""
    document: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.:/-]{3,128}$")] = DEFAULT_DOCUMENT
    """Name of the SSM document with the apply script."""
    timeout: Annotated[Duration, TIMEOUT.clamp, TIMEOUT.rule] = timedelta(seconds=60)
    """How long one command may run on the node. SSM waits at least 30 s for delivery on top of it. The products of a
    command share the time: each may use half of what is left, and the last one all of it."""
    verify_interval: Annotated[Duration, VERIFY_INTERVAL.clamp, VERIFY_INTERVAL.rule] = timedelta(minutes=5)
    """How often the lists are read back if nothing changes."""
    debounce: Annotated[
        Duration,
        DEBOUNCE.clamp,
        Field(
            json_schema_extra=rules(
                cel(
                    "self.matches('^([0-9]{1,3}ms|[0-5]s|[1-4][0-9]{3}ms|5000ms)$')",
                    "must be at most 5s, for example 250ms",
                )
            )
        ),
    ] = timedelta(milliseconds=250)
    """How long changes are collected between two commands that follow each other. A single change is sent at once. While a
    command is in flight, changes are collected anyway."""
    min_interval: Annotated[Duration, MIN_INTERVAL.clamp, MIN_INTERVAL.rule] = timedelta(0)
    """Least time between two commands, for fragile servers."""
    mode: Mode = Mode.ENFORCE
    """Enforce writes lists; DryRun computes and shows them only."""
    suspend: bool = False
    """Stop sending commands. Lists stay as they are."""
    guard: Guard = Guard()
    """When a change is held back because it would release suspiciously many users within a short time."""

    @property
    def settings(self) -> ListBackendSettings:
        """The one section that is given. None is: the default of xlc."""
        given = (self.flexnet, self.list_file, self.ldap, self.scim, self.custom)
        return next((section for section in given if section is not None), self.xlc or XlcSettings())

    @property
    def uses_ssm(self) -> bool:
        """Whether commands are sent to a node."""
        return self.ldap is None and self.scim is None and self.custom is None

    @property
    def node(self) -> tuple[Target, str]:
        """Target and region of a LicenseServer that uses SSM. The API server refuses one without them."""
        assert self.target is not None  # noqa: S101
        assert self.region is not None  # noqa: S101
        return self.target, self.region

    @property
    def state_dir(self) -> str | None:
        """Folder on the node that holds the fence. None: there is no node."""
        settings = self.settings
        return settings.state_dir if isinstance(settings, SsmSettings) else None

    @property
    def placeholder_user(self) -> str | None:
        """The entry that stands for an empty list, as a user id. None: it is no user id there."""
        settings = self.settings
        return settings.placeholder_user if isinstance(settings, SsmSettings) else None


class ProductState(Model):
    """One product's list on the server."""

    product: str
    """The licensed product."""
    hash: str
    """SHA-256 of the list: users in order, each followed by a newline."""
    count: int = 0
    """Number of users on it."""
    revision: int = 0
    """The revision that wrote it."""


class InFlight(Model):
    """The command in flight, written before it is sent."""

    revision: int
    """The revision that it carries."""
    sent_at: Instant
    """When the intent was written."""
    command_id: str | None = None
    """SSM command id. Absent until SSM has answered."""
    instance_id: str | None = None
    """The node that it was sent to."""
    products: tuple[ProductState, ...] = ()
    """The lists that it carries."""


class GuardStatus(Model):
    """What the guard did."""

    changes: int = 0
    """Number of changes that were held back so far. The number of the last one is part of its token."""
    held: str | None = None
    """Token of the change that is held back. Absent: none is."""
    approved: str | None = None
    """Token of the last approval that was used. It is worth nothing any more."""
    approved_at: Instant | None = None
    """When it was used. Releases before that do not count for the guard."""


class OperatorStatus(Model):
    """The operator that wrote this status, and where to see whether it is alive."""

    holder: str
    """Identity of the process."""
    version: str
    """Version of the operator."""
    lease: str | None = None
    """Namespace and name of the Lease that it renews every few seconds while it is alive. Absent: it has none."""
    identity: str = ""
    """Fingerprint of its settings `identity`. A program with another one reads owners otherwise than the operator."""


class LicenseServerStatus(Model):
    """State of the server as the operator knows it."""

    observed_generation: int | None = None
    """The metadata.generation that this status was computed from."""
    revision: int = 0
    """Highest revision that was ever intended. It only grows."""
    holder: str | None = None
    """Identity of the operator process that wrote the revision."""
    in_flight: InFlight | None = None
    """The command in flight, if any."""
    last_applied: Instant | None = None
    """When a list was last written and read back as intended."""
    last_verified: Instant | None = None
    """When the lists were last read back."""
    applied: Annotated[
        tuple[ProductState, ...],
        Field(json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = ()
    """The lists that were read back from the server."""
    users: int = 0
    """Number of users on the server's lists. A user counts once for each list."""
    guard: GuardStatus = GuardStatus()
    """What the guard did."""
    operator: OperatorStatus | None = None
    """The operator that wrote this status."""
    conditions: Conditions = ()


class LicenseServer(Resource):
    """A license server and how to reach it. Only the operator writes to its lists, and only with the vendor's
    permission to do so."""

    kind: ClassVar[str] = "LicenseServer"
    plural: ClassVar[str] = "licenseservers"
    singular: ClassVar[str] = "licenseserver"
    short_names: ClassVar[tuple[str, ...]] = ("licsrv", "licsrvs")
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        *READY_COLUMNS,
        column("InSync", '.status.conditions[?(@.type=="InSync")].status', "Whether its lists are as they should be."),
        column("Users", ".status.users", "Users on its lists.", type="integer"),
        column("Revision", ".status.revision", "Newest revision of its lists.", type="integer"),
        column("Last-Applied", ".status.lastApplied", "When a list was last written.", type="date"),
        column("Mode", ".spec.mode", "Enforce or DryRun.", wide=True),
        STATUS_COLUMN,
        AGE_COLUMN,
    )

    spec: LicenseServerSpec
    status: LicenseServerStatus = LicenseServerStatus()
