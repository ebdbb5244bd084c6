"""One statement of a policy that says for what it is, as data: policies and reference pages are made from the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Actions on resources; the name is the statement's Sid."""

    name: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)
    on: str
    why: str
    without: str
    wildcard: str | None = None
    """Why a resource has to hold a `*`; None when no resource does."""
