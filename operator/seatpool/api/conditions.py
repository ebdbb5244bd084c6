"""Defines conditions by the Kubernetes API conventions and kstatus, so that kubectl, Flux and Argo CD can read them."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from seatpool.api.base import Instant, Model
from seatpool.text import escape_unprintable


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One fact about an object, with a reason for programs and a message for people."""

    type: Annotated[str, Field(min_length=1, max_length=64)]
    """What the condition is about, for example Ready."""
    status: ConditionStatus
    """True, False or Unknown."""
    reason: Annotated[str, Field(min_length=1, max_length=128)]
    """One CamelCase word that programs can rely on."""
    message: Annotated[str, Field(max_length=2048)] = ""
    """A sentence for people: what is wrong and what to do."""
    observed_generation: int | None = None
    """The metadata.generation that the condition was computed from."""
    last_transition_time: Instant
    """When the status last changed between True, False and Unknown."""


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        description="The object's conditions.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]


def condition(
    type: str,  # noqa: A002
    holds: bool | None,
    reason: str,
    message: str,
    *,
    generation: int | None = None,
    now: datetime,
) -> Condition:
    """Returns a condition with `now` as its transition time. `merge` keeps the older time if the status is the same.

    The message may hold foreign text, so it is escaped.
    """
    status = {True: ConditionStatus.TRUE, False: ConditionStatus.FALSE, None: ConditionStatus.UNKNOWN}[holds]
    return Condition(
        type=type,
        status=status,
        reason=reason,
        message=escape_unprintable(message)[:2048],
        observed_generation=generation,
        last_transition_time=now,
    )


def merge(previous: Iterable[Condition], current: Iterable[Condition]) -> tuple[Condition, ...]:
    """Returns `current`. A condition whose status did not change keeps its previous transition time."""
    before = {item.type: item for item in previous}
    merged = []
    for item in current:
        old = before.get(item.type)
        if old is not None and old.status == item.status:
            item = item.model_copy(update={"last_transition_time": old.last_transition_time})
        merged.append(item)
    return tuple(merged)
