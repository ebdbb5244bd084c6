"""Computes the hash by which lists are compared."""

import hashlib
from collections.abc import Iterable


def list_hash(users: Iterable[str]) -> str:
    """Returns the SHA-256 in hex of the sorted users, each with a newline, as `sort | sha256sum` does on a server."""
    return hashlib.sha256("".join(f"{user}\n" for user in sorted(users)).encode()).hexdigest()
