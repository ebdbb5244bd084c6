"""Notes in the audit trail what happens to keys. No line has a secret or a hash."""

from seatpool.api.apikey import APIKey
from seatpool.api.base import format_instant
from seatpool.trail.trail import Action, Trail


def note(trail: Trail, action: Action, key: APIKey, *, by: str | None = None, reason: str | None = None) -> None:
    """Appends a line about an APIKey. `by`: the user of Kubernetes who did it; None: see the API server's own audit log."""
    spec, status = key.spec, key.status
    trail.note(
        action, key=key.key, keyUid=key.metadata.uid, keyResourceVersion=key.metadata.resource_version,
        prefix=status.prefix, user=spec.user, scope=spec.scope.value, opens=spec.pool, workbench=spec.workbench,
        purpose=spec.purpose, by=by, reason=reason,
        expiresAt=None if status.expires_at is None else format_instant(status.expires_at),
    )  # fmt: skip
