"""Lists the rights of each role in the Kubernetes API, as `seatpool check` asks for them.

The objects that give them are `examples/install/rbac.yaml` and `people.yaml`, and the chart. A test compares.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from seatpool.api.base import GROUP


class Role(StrEnum):
    """Roles that Seatpool ships."""

    VIEWER = "viewer"
    LICENSE_ADMIN = "license-admin"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource."""

    group: str
    resource: str
    verb: str
    subresource: str = ""
    is_cluster_wide: bool = False
    """The resource is in no namespace."""
    name: str = ""
    """The one object that it is about. Empty: any."""

    def __str__(self) -> str:
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {what}"


_LOOK = ("get", "list", "watch")


def _rights(group: str, resources: Iterable[str], verbs: Sequence[str]) -> tuple[Right, ...]:
    named = (one.partition("/") for one in resources)
    return tuple(Right(group, resource, verb, sub) for resource, _, sub in named for verb in verbs)


RIGHTS: dict[Role, tuple[Right, ...]] = {
    Role.VIEWER: (
        *_rights(GROUP, ("licensepools", "licenseservers", "seatledgers", "workbenches"), _LOOK),
        *_rights("", ("events",), _LOOK),
    ),
    Role.LICENSE_ADMIN: _rights(GROUP, ("licensepools", "licenseservers"), ("patch", "decide")),
    Role.OPERATOR: (
        *_rights(GROUP, ("licensepools", "licenseservers"), _LOOK),
        *_rights(GROUP, ("licensepools/status", "licenseservers/status", "workbenches/status"), ("patch",)),
        *_rights(GROUP, ("licensepools",), ("patch",)),
        *_rights(GROUP, ("workbenches",), (*_LOOK, "create", "patch", "delete")),
        *_rights(GROUP, ("seatledgers",), (*_LOOK, "create", "update", "delete")),
        *_rights("", ("events",), ("create", "patch")),
    ),
}
ROLE_NAMES = {
    Role.VIEWER: "seatpool-viewer",
    Role.LICENSE_ADMIN: "seatpool-license-admin",
    Role.OPERATOR: "seatpool",
}
"""The names of the roles as they ship."""


def format_rights(rights: Iterable[Right]) -> str:
    """Returns rights as text, those on one resource together: `list and watch events`."""
    verbs: dict[str, list[str]] = {}
    for right in rights:
        verb, _, what = str(right).partition(" ")
        verbs.setdefault(what, []).append(verb)
    return ", ".join(f"{'/'.join(every)} {what}" for what, every in verbs.items())
