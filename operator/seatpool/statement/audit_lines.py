"""Reads the operator's audit trail. A file may hold lines of other pools, other logs, and what is no log at all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from seatpool.history.schema import YEARS
from seatpool.text import format_count, format_names
from seatpool.trail.trail import Action


def _in_range(value: datetime) -> datetime:
    if value.year not in YEARS[1:-1]:
        raise ValueError(f"the year {value.year} is not possible")
    return value


class Line(BaseModel):
    """A line. What is not asked for is ignored: an operator of a later version may write more."""

    model_config = ConfigDict(frozen=True, strict=True)

    logger: Literal["audit"]
    action: str
    at: Annotated[AwareDatetime, AfterValidator(_in_range)]
    pool: str | None = None


class SeatLine(Line):
    """A seat was given or freed."""

    user: str
    rule: str
    reassignments_used: Annotated[int | None, Field(alias="reassignmentsUsed")] = None


class ApplyLine(Line):
    """A list was written and read back."""

    revision: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    people: int
    hash_before: Annotated[str | None, Field(alias="hashBefore")] = None
    hash_after: Annotated[str, Field(alias="hashAfter")]
    placeholder_before: Annotated[str | None, Field(alias="placeholderBefore")] = None
    """The entry that stood for an empty list. Empty: none did. None: not known."""
    placeholder_after: Annotated[str | None, Field(alias="placeholderAfter")] = None
    command_id: Annotated[str | None, Field(alias="ssmCommandId")] = None


class DriftLine(Line):
    """The list was changed by hand."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


_KINDS: dict[str, type[Line]] = {
    Action.GRANT: SeatLine,
    Action.RELEASE: SeatLine,
    Action.APPLY: ApplyLine,
    Action.DRIFT: DriftLine,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFile:
    """What was found in one file, asked about one pool."""

    name: str
    lines: tuple[Line, ...]
    """Those about the pool."""
    others: tuple[str, ...] = ()
    """Other pools that it has lines about."""
    unreadable: int = 0
    """Number of lines about the pool whose fields are missing or wrong."""
    foreign: int = 0
    """Number of lines that are not of the audit trail."""

    @property
    def is_audit(self) -> bool:
        return bool(self.lines or self.others or self.unreadable)

    @property
    def found(self) -> str:
        """Returns what is in the file, in words."""
        parts = [
            format_count(len(self.lines), "line") + " about this pool" if self.lines else "no line about this pool"
        ]
        if self.unreadable:
            parts.append(f"{format_count(self.unreadable, 'line')} about it that cannot be read")
        if self.others:
            parts.append(f"lines about {format_names(self.others)}")
        if self.foreign:
            parts.append(f"{format_count(self.foreign, 'line')} not of the audit trail")
        return ", ".join(parts) if self.is_audit or self.foreign else "the file is empty"


def read_audit(name: str, texts: Iterable[str], *, pool: str) -> AuditFile:
    """Reads a file's lines. `pool` is the pool's `namespace/name`."""
    lines: list[Line] = []
    others: set[str] = set()
    counts: Counter[str] = Counter()
    for text in texts:
        if not text.strip():
            continue
        try:
            line = Line.model_validate_json(text)
        except ValidationError:
            counts["foreign"] += 1
            continue
        if line.pool != pool:
            others.add(line.pool or "license servers")
            continue
        kind = _KINDS.get(line.action)
        try:
            lines.append(line if kind is None else kind.model_validate_json(text))
        except ValidationError:
            counts["unreadable"] += 1
    return AuditFile(
        name=name,
        lines=tuple(lines),
        others=tuple(sorted(others)),
        unreadable=counts["unreadable"],
        foreign=counts["foreign"],
    )
