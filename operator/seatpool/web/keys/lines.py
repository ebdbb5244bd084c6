"""Makes the answers about keys. None has a secret but the one that shows a new key, once."""

from dataclasses import dataclass
from datetime import datetime

from seatpool.api.apikey import APIKey, KeyPhase, KeyScope
from seatpool.web.keys.lifecycle import KeyState


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """One key, without its secret."""

    namespace: str
    """Namespace of the APIKey."""
    name: str
    """Name of the APIKey."""
    user: str
    """Who the key acts for, as the Kubernetes API knows it."""
    scope: KeyScope
    """What the key opens: Own, Pool or List."""
    pool: str | None
    """Name of the pool. Absent: the scope is not Pool."""
    workbench: str | None
    """Name of the workbench with which the key ends. Absent: none."""
    purpose: str
    """What the key is for."""
    phase: KeyPhase
    """Requested, Approved, Issued, Refused or Ended. Only a key that is Issued is accepted."""
    reason: str
    """Why, in one word."""
    said: str
    """Why, in a sentence."""
    prefix: str | None
    """Beginning of the key, by which it is recognised. Absent: it was not shown yet."""
    requested_at: datetime | None
    """When it was asked for."""
    issued_at: datetime | None
    """When it was shown. Absent: not yet."""
    expires_at: datetime | None
    """When it ends by itself. Absent: it was not shown yet."""
    last_used_at: datetime | None
    """When it was last used, to the hour. Absent: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage:
    """A page of keys, sorted by namespace and name."""

    items: tuple[KeyLine, ...]
    next_cursor: str | None
    """Send it as `cursor` to get the next page. Absent: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAnswer:
    """An APIKey, and the key itself if it is shown now."""

    item: KeyLine
    """The key without its secret."""
    key: str | None
    """The key. It is shown this once: store it as a secret. Absent: an admin has to approve it first."""


def line_of(key: APIKey, state: KeyState) -> KeyLine:
    """Returns the line of an APIKey."""
    spec, status = key.spec, key.status
    return KeyLine(
        namespace=key.metadata.namespace, name=key.metadata.name, user=spec.user, scope=spec.scope, pool=spec.pool,
        workbench=spec.workbench, purpose=spec.purpose, phase=state.phase, reason=state.ready.value, said=state.said,
        prefix=status.prefix, requested_at=key.metadata.creation_timestamp, issued_at=status.issued_at,
        expires_at=status.expires_at, last_used_at=status.last_used_at,
    )  # fmt: skip
