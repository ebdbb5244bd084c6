"""Tells whether the operator is alive, by the Lease that it renews every few seconds.

Statuses stay as they are when an operator dies. So nothing that they say is news before it is known that it lives.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from seatpool.api.identity import IdentitySettings
from seatpool.api.licenseserver import LicenseServer, OperatorStatus
from seatpool.text import TimeFormat

GRACE = timedelta(seconds=20)
"""Time beyond the Lease's own after which an operator counts as dead. The clocks of two machines differ by some seconds."""


class Life(StrEnum):
    """Whether an operator is alive."""

    ALIVE = "alive"
    LATE = "late"
    STOPPED = "stopped"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorLife:
    """The state of one operator."""

    life: Life
    holder: str = ""
    version: str = ""
    lease: str | None = None
    """Namespace and name of its Lease."""
    seconds_ago: float | None = None
    """When it last renewed the Lease, in seconds before now."""
    text: str

    @property
    def is_well(self) -> bool:
        """Tells whether it is alive, or not known to be dead."""
        return self.life in (Life.ALIVE, Life.NOT_KNOWN)


Reading = Mapping[str, Any] | str | None
"""A Lease as the API server has it, or why it cannot be read. None: there is none."""


def leases_of(servers: Iterable[LicenseServer]) -> tuple[str, ...]:
    """Returns namespace and name of the Leases that the servers' operators renew."""
    named = {server.status.operator.lease for server in servers if server.status.operator is not None}
    return tuple(sorted(lease for lease in named if lease is not None))


def operator_lives(
    servers: Iterable[LicenseServer], leases: Mapping[str, Reading], *, identity: IdentitySettings, times: TimeFormat
) -> tuple[OperatorLife, ...]:
    """Returns the state of each operator that wrote a status of these servers."""
    told: dict[str | None, OperatorStatus] = {}
    known = tuple(servers)
    for server in known:
        if server.status.operator is not None:
            told[server.status.operator.lease] = server.status.operator
    if not told:
        text = (
            "Whether an operator is alive is not known: the one that wrote these statuses is of an older version."
            if any(server.status.conditions for server in known)
            else "No operator has written a status yet: is one running?"
        )
        return (OperatorLife(life=Life.NOT_KNOWN, text=text),)
    return tuple(
        _life(one, leases.get(lease or ""), identity=identity, times=times)
        for lease, one in sorted(told.items(), key=lambda pair: pair[0] or "")
    )


def _life(told: OperatorStatus, lease: Reading, *, identity: IdentitySettings, times: TimeFormat) -> OperatorLife:
    other = (
        ""
        if told.identity in ("", identity.fingerprint)
        else (" It reads owners by other settings than this program: name its settings file with --config.")
    )
    known = OperatorLife(life=Life.NOT_KNOWN, holder=told.holder, version=told.version, lease=told.lease, text="")
    name = f"Operator {told.holder} ({told.version})"
    if told.lease is None:
        return _said(
            known, f"{name} has no Lease (leader_election.namespace), so it is not known whether it is alive.{other}"
        )
    if isinstance(lease, str):
        return _said(known, f"Whether {name} is alive is not known: {lease}.{other}")
    spec = (lease or {}).get("spec") or {}
    renewed = _instant(spec.get("renewTime"))
    if renewed is None:
        return _said(known, f"Whether {name} is alive is not known: there is no Lease {told.lease}.{other}")
    holder = str(spec.get("holderIdentity") or "")
    ago = max(timedelta(), times.now - renewed)
    since = f"{times.format_age(renewed)} ago"
    if not holder:
        return _said(known, f"No operator is running: {told.holder} stopped {since}.{other}", Life.STOPPED, ago)
    name = f"Operator {holder} ({told.version})"
    if ago > timedelta(seconds=float(spec.get("leaseDurationSeconds") or 0)) + GRACE:
        return _said(
            known,
            f"{name} was last alive {since}: nothing changes until one is running.{other}",
            Life.LATE,
            ago,
            holder,
        )
    return _said(known, f"{name} is alive ({since}).{other}", Life.ALIVE, ago, holder)


def _said(
    known: OperatorLife, text: str, life: Life = Life.NOT_KNOWN, ago: timedelta | None = None, holder: str = ""
) -> OperatorLife:
    return OperatorLife(
        life=life,
        holder=holder or known.holder,
        version=known.version,
        lease=known.lease,
        seconds_ago=None if ago is None else round(ago.total_seconds(), 1),
        text=text,
    )


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
