"""Builds a Snapshot from plain objects, so that explanations are tested without an API server.

Everything is in the namespace `lab`, and it is 09:00 UTC on 2026-03-09. Times of objects are minutes before that.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from seatpool.api.base import Resource, format_instant
from seatpool.api.crd import RESOURCES
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.explain.snapshot import Snapshot, build_snapshot
from seatpool.explain.workbench_table import from_objects
from seatpool.text import TimeFormat

Raw = dict[str, Any]
NOW = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
TIMES = TimeFormat(zone=UTC, now=NOW)
KINDS: Mapping[str, type[Resource]] = {kind.kind: kind for kind in RESOURCES}
HOUR = 60.0
DAY = 24 * HOUR


def at(minutes: float) -> datetime:
    """Returns the time so many minutes from now; negative minutes are in the past."""
    return NOW + timedelta(minutes=minutes)


def ago(minutes: float) -> str:
    """Returns the time so many minutes before now, as the API server writes it."""
    return format_instant(at(-minutes))


def seen(*objects: Raw) -> Snapshot:
    """Returns a snapshot of these objects."""
    identity = IdentitySettings()
    rows = from_objects((raw for raw in objects if raw["kind"] == Workbench.kind), identity=identity)
    others = ((KINDS[raw["kind"]], raw) for raw in objects if raw["kind"] != Workbench.kind)
    return build_snapshot(others, rows, identity=identity, now=NOW)


def pool_in(snapshot: Snapshot, name: str = "matlab") -> LicensePool:
    return snapshot.store.pools[f"lab/{name}"]


def server_in(snapshot: Snapshot) -> LicenseServer:
    return snapshot.store.servers["lab/licenses"]


def server(*, conditions: Mapping[str, str] | None = None, status: Raw | None = None, **spec: Any) -> Raw:
    """`conditions` maps a type to `STATUS REASON MESSAGE`; each has been so for three minutes."""
    settings = {"target": {"instanceId": "i-0123456789abcdef0"}, "region": "eu-central-1"} | spec
    shown = {"Ready": "True InSync"} | dict(conditions or {})
    return _object("LicenseServer", "licenses", settings) | {
        "status": {"revision": 7, "conditions": _conditions(shown)} | (status or {})
    }


def pool(
    name: str = "matlab",
    *,
    seats: int = 2,
    conditions: Mapping[str, str] | None = None,
    status: Raw | None = None,
    age: float = HOUR,
    **spec: Any,
) -> Raw:
    """A pool that is in sync, unless its conditions say something else."""
    settings = {
        "serverRef": {"name": "licenses"}, "product": name, "seats": seats, "workbenchTypes": [f"vew-{name}"],
    }  # fmt: skip
    shown = {"InSync": "True InSync"} | dict(conditions or {})
    return _object("LicensePool", name, settings | spec, age=age) | {
        "status": {"observedGeneration": 1, "conditions": _conditions(shown)} | (status or {})
    }


def ledger(
    name: str = "matlab",
    *,
    assigned: Mapping[str, float] | None = None,
    idle: Mapping[str, float] | None = None,
    waiting: Mapping[str, float] | None = None,
    reason: str = "Granted",
    **others: Any,
) -> Raw:
    """`assigned`, `idle` and `waiting` are users, and for how many minutes each has a seat, needs none, or waits."""
    gone = dict(idle or {})
    grants = [
        {"user": user, "since": ago(since), "reason": reason} | ({"idleSince": ago(gone[user])} if user in gone else {})
        for user, since in (assigned or {}).items()
    ]
    places = [{"user": user, "since": ago(since)} for user, since in (waiting or {}).items()]
    memory = {"server": "licenses", "product": name, "pool": name, "assigned": grants, "waiting": places}
    return _object("SeatLedger", f"{name}-0", memory | others)


def workbench(owner: str, *, number: int = 1, kind: str = "vew-matlab", state: str = "running") -> Raw:
    spec = {
        "instanceId": f"i-{number:08x}", "account": "123456789012", "region": "eu-central-1", "owner": owner,
        "type": kind, "state": state, "stateChangedAt": ago(HOUR),
    }  # fmt: skip
    return _object("Workbench", f"i-{number:08x}", spec)


def workbenches(*owners: str) -> tuple[Raw, ...]:
    """Running workbenches, numbered from 1."""
    return tuple(workbench(owner, number=number) for number, owner in enumerate(owners, start=1))


def _conditions(shown: Mapping[str, str]) -> list[Raw]:
    return [_condition(kind, *f"{text}  ".split(" ", 2)) for kind, text in shown.items()]


def _condition(kind: str, status: str, reason: str, message: str) -> Raw:
    return {
        "type": kind, "status": status, "reason": reason, "message": message.strip(), "lastTransitionTime": ago(3),
    }  # fmt: skip


def _object(kind: str, name: str, spec: Raw, *, age: float = HOUR) -> Raw:
    metadata = {
        "name": name, "namespace": "lab", "uid": name, "resourceVersion": "1", "generation": 1,
        "creationTimestamp": ago(age),
    }  # fmt: skip
    return {"apiVersion": "seatpool.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def texts(messages: Iterable[Any]) -> list[str]:
    return [one.text for one in messages]
