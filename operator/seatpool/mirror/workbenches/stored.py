"""One Workbench object of the mirror as the API server stores it, and its spec to and from what rules weigh."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from seatpool.api.workbench import WorkbenchSpec
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Invalid
from seatpool.mirror.event_order import Held


@dataclass(slots=True)
class Entry:
    """One object of ours."""

    namespace: str
    name: str
    uid: str
    version: str
    held: Held
    confirmed_at: datetime | None = None
    terminated_since: datetime | None = None
    """When we learned that the instance is terminated, which is not when it was."""
    misses: int = 0
    """Complete inventories in a row that did not show it."""

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"


def to_spec(name: str, held: Held) -> dict[str, Any]:
    try:
        return WorkbenchSpec(
            instance_id=name,
            account=held.account,
            region=held.region,
            owner=held.owner,
            type=held.type,
            state=held.state,
            state_changed_at=held.changed_at,
            launched_at=held.launched_at,
        ).wire()
    except ValidationError as error:
        raise Invalid(status=422, reason="Invalid", message=str(error), what=f"workbench {name}") from error


def from_spec(spec: WorkbenchSpec) -> Held:
    return Held(
        account=spec.account,
        region=spec.region,
        owner=spec.owner,
        type=spec.type,
        state=spec.state,
        changed_at=to_milliseconds(spec.state_changed_at),
        launched_at=to_milliseconds(spec.launched_at) if spec.launched_at is not None else None,
    )
