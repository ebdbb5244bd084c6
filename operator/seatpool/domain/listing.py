"""What a list is compared by."""

import hashlib
from collections.abc import Iterable


def list_hash(users: Iterable[str]) -> str:
    """SHA-256, as hex, of the users in order, each followed by a newline: what `sort | sha256sum` says on a server."""
    return hashlib.sha256("".join(f"{user}\n" for user in sorted(users)).encode()).hexdigest()
