"""Objects as the API server sends them, in few words, and answers that the domain really gave."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from seatpool.api.base import format_instant
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import Guard, LicenseServer
from seatpool.control.state.pool_state import ObservedList, PoolState
from seatpool.domain.allocate import allocate
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules
from seatpool.policy.guard import HeldChange, Token
from seatpool.policy.ledger_codec import ledger_name

Raw = dict[str, Any]
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def raw_server(name: str = "licenses", *, version: int = 1, uid: str = "", meta: Raw | None = None, **spec: Any) -> Raw:
    settings = {"target": {"instanceId": "i-0123456789abcdef0"}, "region": "eu-central-1"} | spec
    return _object("LicenseServer", name, version, uid, meta, settings)


def raw_pool(
    name: str = "matlab", *, version: int = 1, uid: str = "", meta: Raw | None = None, age: float = 0, **spec: Any
) -> Raw:
    settings = {
        "serverRef": {"name": "licenses"},
        "product": name,
        "seats": 2,
        "workbenchTypes": [f"vew-{name}"],
    } | spec
    created = {"creationTimestamp": format_instant(NOW - timedelta(seconds=age))}
    return _object("LicensePool", name, version, uid, created | (meta or {}), settings)


def raw_workbench(
    number: int = 1, owner: str = "ann", *, version: int = 1, uid: str = "", meta: Raw | None = None, **spec: Any
) -> Raw:
    name = f"i-{number:017x}"
    settings = {
        "instanceId": name,
        "account": "123456789012",
        "region": "eu-central-1",
        "owner": owner,
        "type": "vew-matlab",
        "state": "running",
        "stateChangedAt": format_instant(NOW),
    } | spec
    return _object("Workbench", name, version, uid, meta, settings)


def raw_ledger(pool: str = "matlab", share: int = 0, *, version: int = 1, uid: str = "", users: str = "") -> Raw:
    grants = [{"user": user, "since": format_instant(NOW), "reason": "Granted"} for user in users.split()]
    spec = {"server": "licenses", "product": pool, "pool": pool, "assigned": grants}
    return _object("SeatLedger", ledger_name("licenses", pool, share), version, uid, None, spec)


def server(name: str = "licenses", *, annotations: Mapping[str, str] | None = None, **spec: Any) -> LicenseServer:
    return LicenseServer.model_validate(raw_server(name, meta={"annotations": dict(annotations or {})}, **spec))


def held_change(*, leaving: int = 12, gone: int = 0, present: int = 12, number: int = 1) -> HeldChange:
    """A change that the guard holds back: so many users of pool matlab would leave."""
    users = frozenset(("lab/matlab", f"user{index:02}") for index in range(leaving))
    return HeldChange(Token(number, NOW), users, gone, present, Guard())


def pool(name: str = "matlab", *, meta: Raw | None = None, **spec: Any) -> LicensePool:
    return LicensePool.model_validate(raw_pool(name, meta=meta, **spec))


def known(
    users: str = "", *, revision: int = 7, owner: str = "ours", odd: str = "", placeholder: bool = False
) -> ObservedList:
    return ObservedList(
        users=tuple(users.split()), revision=revision, owner=owner, odd=tuple(odd.split()), placeholder=placeholder
    )


def standing(
    needs: str | None = "", *, seats: int = 2, denied: str = "", memory: PoolMemory | None = None, **more: Any
) -> PoolState:
    """How a pool stands whose people came in this order, a second apart; None for one without an answer."""
    if needs is None:
        return PoolState(**more)
    unlistable = frozenset(more.get("unlistable", ()))
    rules = PoolRules(seats=seats, denied=frozenset(denied.split()), unlistable=unlistable)
    wanted = {user: Need(user, later(n)) for n, user in enumerate(needs.split())}
    answer = allocate(rules, wanted, memory or PoolMemory.empty(), later(60))
    return PoolState(memory=answer.memory, answer=answer, **more)


def conditions(status: Any) -> dict[str, tuple[str, str]]:
    return {item.type: (item.status.value, item.reason) for item in status.conditions}


def messages(status: Any) -> dict[str, str]:
    return {item.type: item.message for item in status.conditions}


def needs_of(users: Iterable[str]) -> dict[str, Need]:
    return {user: Need(user, NOW) for user in users}


def _object(kind: str, name: str, version: int, uid: str, meta: Raw | None, spec: Raw) -> Raw:
    metadata = {
        "name": name,
        "namespace": "lab",
        "uid": uid or f"{kind}-{name}",
        "resourceVersion": str(version),
        "generation": 1,
    }
    return {
        "apiVersion": "seatpool.io/v1alpha1",
        "kind": kind,
        "metadata": metadata | (meta or {}),
        "spec": spec,
    }
