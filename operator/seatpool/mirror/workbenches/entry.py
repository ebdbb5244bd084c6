"""Values of the writer: one object in memory, its conversion from and to a spec, and the results of a write."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from seatpool.api.workbench import SourceKind, WorkbenchSpec
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Invalid
from seatpool.mirror.event_order import Stored
from seatpool.mirror.regions import AccountRegion, rule_key


class UpsertResult(StrEnum):
    """Results of an upsert. They are also labels of a metric."""

    WRITTEN = "written"
    SAME = "same"
    OLDER = "older"
    UNKNOWN_INSTANCE = "unknown_instance"
    OTHER_ACCOUNT_REGION = "other_place"
    OTHER_SOURCE = "other_source"
    GONE = "gone"
    HAND_WRITTEN = "hand_written"


NOT_WRITTEN = frozenset({UpsertResult.OTHER_ACCOUNT_REGION, UpsertResult.OTHER_SOURCE, UpsertResult.HAND_WRITTEN})
"""Results that say that an object of this name is another's."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """One upsert: its result, and what the object said before and says now."""

    result: UpsertResult
    before: Stored | None = None
    after: Stored | None = None


@dataclass(slots=True)
class Entry:
    """One Workbench object of the mirror, as the API server stores it."""

    namespace: str
    name: str
    uid: str
    version: str
    stored: Stored
    confirmed_at: datetime | None = None
    """Time up to which an inventory found the object right."""
    terminated_since: float | None = None
    """Monotonic time at which the mirror learned that the instance is terminated. The instance ended earlier."""
    misses: int = 0
    """Complete inventories in a row that did not show the instance."""

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def reference(self) -> str:
        """Reference of the machine in its source."""
        return self.stored.source.reference if self.stored.source is not None else self.name


def to_spec(name: str, stored: Stored) -> dict[str, Any]:
    """Returns the spec in wire format. Raises Invalid."""
    in_aws = stored.kind in (SourceKind.EC2, SourceKind.ECS)
    try:
        return WorkbenchSpec(
            source=stored.source,
            instance_id=name if stored.kind is SourceKind.EC2 else None,
            account=stored.account if in_aws else None,
            region=stored.region if in_aws else None,
            owner=stored.owner,
            type=stored.type,
            state=stored.state,
            state_changed_at=stored.changed_at,
            launched_at=stored.launched_at,
        ).wire()
    except ValidationError as error:
        raise Invalid(status=422, reason="Invalid", message=str(error), what=f"workbench {name}") from error


def from_spec(spec: WorkbenchSpec) -> Stored:
    """Returns what a spec says. Raises ValueError if no source can be meant."""
    if spec.source is not None and spec.source.kind is SourceKind.KUBERNETES:
        rule, _, _ = spec.source.reference.partition("/")
        place = rule_key(rule)
    elif spec.account is None or spec.region is None:
        raise ValueError(f"a workbench of {spec.source_kind} without account and region")
    else:
        place = AccountRegion(spec.account, spec.region)
    return Stored(
        account=place.account,
        region=place.region,
        source=spec.source,
        owner=spec.owner,
        type=spec.type,
        state=spec.state,
        changed_at=to_milliseconds(spec.state_changed_at),
        launched_at=to_milliseconds(spec.launched_at) if spec.launched_at is not None else None,
    )
