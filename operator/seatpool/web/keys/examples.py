"""Examples for the OpenAPI document. Keys in them are in parts, because scanners for secrets look for keys."""

from typing import Any

from seatpool.web.routing import PREFIX

_KEYS = f"{PREFIX}/keys"
KEY = {
    "namespace": "lab", "name": "key-3f9c2a7b10", "user": "oidc:bob", "scope": "Pool", "pool": "matlab",
    "purpose": "figures on the lab's dashboard", "phase": "Issued", "reason": "KeyIssued",
    "said": "The key was shown to its user and is accepted.", "prefix": "sp_0f6a3c9d1b7e5248",
    "requestedAt": "2026-03-09T08:41:00Z", "issuedAt": "2026-03-09T08:52:00Z", "expiresAt": "2026-06-07T08:52:00Z",
}  # fmt: skip
_SHOWN = {"item": KEY, "key": "sp_0f6a3c9d1b7e5248_" + "7Kq0ZtB4mWc9RxE2vLh6NsYd1PfJ8gUa3oT" + "i5rQwVzM3czCdQ"}
BODY_EXAMPLES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", _KEYS): {
        "scope": "Pool",
        "namespace": "lab",
        "pool": "matlab",
        "purpose": "figures on the lab's dashboard",
    },
}
"""What is sent, by method and path."""
WRITE_EXAMPLES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", _KEYS): _SHOWN,
    ("post", f"{_KEYS}/{{namespace}}/{{name}}/secret"): _SHOWN,
    ("delete", f"{_KEYS}/{{namespace}}/{{name}}"): KEY
    | {"phase": "Ended", "reason": "KeyRevoked", "said": "The key was revoked by spec.revoked."},
}
"""Answers, by method and path."""
