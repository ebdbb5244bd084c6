"""Defines APIKey: a request for a key of the HTTP API, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from seatpool.api.base import (
    AGE_COLUMN,
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

VALID_FOR = DurationBounds("1m", "365d", "30d")


class KeyScope(StrEnum):
    """What a key opens. It is never more than its user may see."""

    OWN = "Own"
    """The user's own seats and workbenches."""
    POOL = "Pool"
    """One pool: numbers, and no names of users."""
    LIST = "List"
    """The pools and servers of the key's namespace: numbers, and no names of users."""


class KeyPhase(StrEnum):
    """Where a key is in its life."""

    REQUESTED = "Requested"
    """An admin has to approve it."""
    APPROVED = "Approved"
    """Its user can take the key."""
    ISSUED = "Issued"
    """The key was shown, and is accepted."""
    REFUSED = "Refused"
    """No key comes of this request."""
    ENDED = "Ended"
    """The key is not accepted any more, and never again."""


_PRINTABLE = cel("self.matches('^[[:^cntrl:]]*$')", "must be text without control characters")


class APIKeySpec(Model):
    """What is asked for. Only approved and revoked can change."""

    user: Annotated[str, Field(min_length=1, max_length=256, json_schema_extra=rules(_PRINTABLE))]
    """Who the key acts for: the name of a user or ServiceAccount, as the Kubernetes API knows it."""
    scope: KeyScope
    """What the key opens: Own (the user's own seats), Pool (one pool) or List (pools and servers of this namespace)."""
    pool: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name of the LicensePool, in this namespace. Only with scope Pool."""
    purpose: Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=rules(_PRINTABLE))]
    """What the key is for, for those who approve it and those who find it later."""
    valid_for: Annotated[Annotated[Duration, VALID_FOR.clamp] | None, VALID_FOR.rule] = None
    """How long the key is valid from its issue. Absent, without expiresAt: as long as web.keys.longest allows."""
    expires_at: Instant | None = None
    """When the key ends. Absent: see validFor."""
    workbench: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name of a Workbench of the user, in this namespace. The key ends when it stops or is gone. Only with scope Own."""
    approved: bool | None = None
    """The decision: true approves, false refuses. Absent: web.keys.approve decides, or an admin later."""
    revoked: bool = False
    """True ends the key at once and for good."""


class APIKeyStatus(Model):
    """What became of the request. `seatpool web` writes it."""

    observed_generation: int | None = None
    """The metadata.generation that this status was computed from."""
    phase: KeyPhase | None = None
    """Requested, Approved, Issued, Refused or Ended."""
    prefix: str | None = None
    """Beginning of the key, by which it is recognised. It opens nothing."""
    hash: str | None = None
    """SHA-256 of the key's secret, in hexadecimal digits. The secret itself is stored nowhere."""
    groups: Annotated[tuple[str, ...], Field(json_schema_extra={"x-kubernetes-list-type": "atomic"})] = ()
    """Groups of the user when the key was issued. The key acts with them."""
    workbench_uid: str | None = None
    """The metadata.uid of the workbench when the key was issued."""
    issued_at: Instant | None = None
    """When the key was shown."""
    expires_at: Instant | None = None
    """When the key ends by itself."""
    last_used_at: Instant | None = None
    """When the key was last used, to the hour."""
    conditions: Conditions = ()


_FIXED = " && ".join(
    [f"self.{name} == oldSelf.{name}" for name in ("user", "scope", "purpose")]
    + [
        f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})"
        for name in ("pool", "validFor", "expiresAt", "workbench")
    ]
)


class APIKey(Resource):
    """A request for a key of the HTTP API. Once it is approved, its user takes the key from the API, which shows it once.
    It needs `seatpool web` with web.keys.enabled."""

    kind: ClassVar[str] = "APIKey"
    plural: ClassVar[str] = "apikeys"
    singular: ClassVar[str] = "apikey"
    short_names: ClassVar[tuple[str, ...]] = ("key",)
    categories: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        column("User", ".spec.user", "Who the key acts for."),
        column("Scope", ".spec.scope", "What the key opens."),
        column("Approved", '.status.conditions[?(@.type=="Approved")].status', "Whether it is approved."),
        column("Phase", ".status.phase", "Where it is in its life."),
        column("Expires", ".status.expiresAt", "When the key ends by itself."),
        column("Last-Used", ".status.lastUsedAt", "How long ago it was used, to the hour.", type="date"),
        column("Purpose", ".spec.purpose", "What it is for.", wide=True),
        column("Prefix", ".status.prefix", "Beginning of the key.", wide=True),
        STATUS_COLUMN,
        AGE_COLUMN,
    )
    selectable: ClassVar[tuple[str, ...]] = (".spec.user", ".spec.scope")

    spec: Annotated[
        APIKeySpec,
        Field(
            json_schema_extra=rules(
                cel("has(self.pool) == (self.scope == 'Pool')", "pool goes with scope Pool, and with no other"),
                cel("!has(self.workbench) || self.scope == 'Own'", "workbench goes with scope Own, and with no other"),
                cel("!has(self.validFor) || !has(self.expiresAt)", "give validFor or expiresAt, and not both"),
                cel(_FIXED, "only approved and revoked can change; create another APIKey, and delete this one"),
                cel(
                    "!(has(oldSelf.revoked) && oldSelf.revoked) || (has(self.revoked) && self.revoked)",
                    "a revoked key stays revoked; create another APIKey",
                ),
            )
        ),
    ]
    status: APIKeyStatus = APIKeyStatus()

    @property
    def is_issued(self) -> bool:
        """Tells whether a key was shown."""
        return self.status.hash is not None

    def end(self, longest: datetime) -> datetime:
        """Returns when a key that is issued now would end. `longest`: if the spec does not say, and at the latest."""
        return min(self.spec.expires_at or longest, longest)
