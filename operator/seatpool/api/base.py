"""Defines what all resources share: camelCase names, durations, instants, and the base class of a kind.

The pydantic models of this package are the only source of the CRDs (see `crd.py`). `kubectl explain` prints the description of
a field. The API server enforces its constraints.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

GROUP = "seatpool.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FIELD_MANAGER = "seatpool"
MANAGED_BY = "app.kubernetes.io/managed-by"

DURATION_PATTERN = r"^([0-9]+(ms|s|m|h|d))+$"
_PART = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_UNIT = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def parse_duration(text: str) -> timedelta:
    """Parses `15m`, `1h30m`, `250ms` or `365d`. Raises a ValueError that shows valid durations."""
    if not re.fullmatch(DURATION_PATTERN, text):
        raise ValueError(f"{text!r} is not a duration; write for example 250ms, 30s, 15m, 1h30m or 365d")
    try:
        return sum((int(count) * _UNIT[unit] for count, unit in _PART.findall(text)), timedelta())
    except OverflowError as error:
        raise ValueError(f"{text!r} is longer than any duration that can be kept; use at most 36500d") from error


def format_duration(value: timedelta) -> str:
    """Returns the shortest text that `parse_duration` parses to the same value, to the millisecond."""
    rest = round(value / _UNIT["ms"])
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, round(_UNIT[unit] / _UNIT["ms"]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def format_instant(value: datetime) -> str:
    """Formats an instant for the API server: RFC 3339 in UTC, with milliseconds if there are any."""
    value = value.astimezone(UTC)
    spec = "milliseconds" if value.microsecond // 1000 else "seconds"
    return value.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def _read_duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _aware(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{value.isoformat()} is no time of the years 1 to 9999 in UTC") from error


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "maxLength": 32}),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_aware),
    AfterValidator(_in_utc),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def cel(rule: str, message: str, *, field_path: str | None = None) -> dict[str, str]:
    """Returns an `x-kubernetes-validations` entry. The message must say what is valid."""
    entry = {"rule": rule, "message": message}
    if field_path is not None:
        entry["fieldPath"] = field_path
    return entry


def rules(*entries: dict[str, str], **extra: Any) -> dict[str, Any]:
    """Returns the `json_schema_extra` of a field or model with CEL rules."""
    return {"x-kubernetes-validations": list(entries), **extra}


class Model(BaseModel):
    """A part of a resource. It is camelCase on the wire and snake_case in Python. Unknown fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    def wire(self) -> dict[str, Any]:
        """Returns the form for JSON, without absent values."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class OwnerReference(Model):
    """The object that this one belongs to."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None


class Metadata(Model):
    """The part of Kubernetes object metadata that Seatpool reads."""

    name: str
    namespace: str = "default"
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Instant | None = None
    deletion_timestamp: Instant | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: list[str] = Field(default_factory=list)

    @property
    def key(self) -> str:
        """`namespace/name`, as the cache and the logs name an object."""
        return f"{self.namespace}/{self.name}"


def key_of(metadata: Mapping[str, Any]) -> str:
    """Returns `namespace/name` from metadata as the API server sends it."""
    return f"{metadata['namespace']}/{metadata['name']}"


class PrinterColumn(Model):
    """One column of `kubectl get`."""

    name: str
    type: str
    json_path: str
    description: str
    priority: int = 0


class Resource(Model):
    """One object of a Seatpool kind."""

    kind: ClassVar[str]
    plural: ClassVar[str]
    singular: ClassVar[str]
    short_names: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[PrinterColumn, ...]]
    selectable: ClassVar[tuple[str, ...]] = ()
    """JSON paths of the fields that `kubectl get --field-selector` takes."""
    has_status: ClassVar[bool] = True
    categories: ClassVar[tuple[str, ...]] = ("seatpool",)
    """What `kubectl get` takes for this and other kinds. A user who may not list one of them gets an error."""

    metadata: Metadata

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return self.metadata.key


def column(name: str, json_path: str, description: str, *, type: str = "string", wide: bool = False) -> PrinterColumn:  # noqa: A002
    """Returns a printer column. `wide`: it is shown with `-o wide` only."""
    return PrinterColumn(name=name, type=type, json_path=json_path, description=description, priority=1 if wide else 0)


READY_COLUMNS = (
    column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether the object is as it should be."),
    column("Reason", '.status.conditions[?(@.type=="Ready")].reason', "Why, in one word."),
)
STATUS_COLUMN = column("Status", '.status.conditions[?(@.type=="Ready")].message', "Why, in a sentence.", wide=True)
AGE_COLUMN = column("Age", ".metadata.creationTimestamp", "How long the object has existed.", type="date")
