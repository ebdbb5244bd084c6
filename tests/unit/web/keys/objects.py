"""APIKeys as the API server has them. It is 09:00 UTC on 2026-03-09, and each was asked for an hour ago."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.unit.explain.cluster import NOW, ago

from seatpool.api.apikey import APIKey
from seatpool.api.base import format_instant
from seatpool.settings.web import KeySettings
from seatpool.web.keys.lifecycle import KeyState, state_of
from seatpool.web.keys.text import Key

Raw = dict[str, Any]
SETTINGS = KeySettings(enabled=True)
KEY = Key(id="00112233445566aa", secret="s" * 43)
_VERSIONS = count(1)


def raw_key(
    *, name: str = "k", namespace: str = "lab", uid: str = "", phase: str | None = None, issued: bool = False,
    expires: datetime = NOW + timedelta(days=1), key: Key = KEY, status: Raw | None = None, **spec: Any,
) -> Raw:  # fmt: skip
    """`issued`: its key is KEY, and ends in a day."""
    shown: Raw = {} if phase is None else {"phase": phase}
    if issued:
        shown |= {
            "prefix": key.prefix, "hash": key.hash, "groups": ["team"], "issuedAt": ago(30), "phase": phase or "Issued",
            "expiresAt": format_instant(expires),
        }  # fmt: skip
    metadata = {
        "name": name, "namespace": namespace, "uid": uid or f"uid-{name}", "resourceVersion": str(next(_VERSIONS)),
        "generation": 1, "creationTimestamp": ago(60),
    }  # fmt: skip
    made = {"user": "ann", "scope": "Own", "purpose": "a test"} | spec
    return {"kind": "APIKey", "metadata": metadata, "spec": made, "status": shown | (status or {})}


def api_key(**values: Any) -> APIKey:
    """An APIKey, by the arguments of raw_key."""
    return APIKey.model_validate(raw_key(**values))


def state(
    key: APIKey, settings: KeySettings = SETTINGS, *, has_workbench: bool = True, now: datetime = NOW
) -> KeyState:
    """What an APIKey is now."""
    return state_of(key, settings, has_workbench=has_workbench, now=now)
