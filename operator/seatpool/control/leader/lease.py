"""The content of a Lease and when it may be acquired. Pure, because a mistake here makes two leaders.

The clock of another machine is never trusted. A Lease has expired if this process saw it unchanged for its whole duration, by
its own clock. The holder stops earlier, by *its* own clock, counted from before it requested the renewal. So neither wrong
clocks nor slow answers let two leaders overlap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from seatpool.api.annotations import INVENTORIED

RELEASED_DURATION = 1
"""Seconds: the duration that a released Lease states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A Lease as it is stored."""

    holder: str = ""
    """Identity of the holder. Empty: no process holds it."""
    duration: float = 0.0
    """Seconds for which others leave it alone after a renewal. 0: not stated."""
    acquire_time: str = ""
    renew_time: str = ""
    transitions: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Includes the resourceVersion that a compare-and-swap sends back.

    It is not compared: an annotation that an admin adds renews nothing.
    """

    @property
    def is_inventoried(self) -> bool:
        """Whether its last holder had a full inventory."""
        return (self.metadata.get("annotations") or {}).get(INVENTORIED) == "true"

    def to_wire(self) -> dict[str, Any]:
        """Returns the spec for the API server, which refuses an empty holder."""
        named = {"holderIdentity": self.holder} if self.holder else {}
        return named | {
            "leaseDurationSeconds": round(self.duration),
            "acquireTime": self.acquire_time,
            "renewTime": self.renew_time,
            "leaseTransitions": self.transitions,
        }


def from_wire(raw: Mapping[str, Any]) -> Lease:
    """Parses a Lease from the API server. Every field may be missing, because an admin may have created it."""
    spec = raw.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or 0),
        acquire_time=spec.get("acquireTime") or "",
        renew_time=spec.get("renewTime") or "",
        transitions=spec.get("leaseTransitions") or 0,
        metadata=raw["metadata"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLease:
    """The Lease as this process last saw it."""

    lease: Lease | None
    """Its last content, even if it was deleted since. None: it never existed."""
    since: float
    """Uptime of this process when it first saw that content, taken after the answer came."""
    exists: bool
    has_changed: bool
    """It changed while this process watched it, so its holder was alive."""


def observe(before: ObservedLease | None, read: Lease | None, *, now: float) -> ObservedLease:
    """Returns the observation after another read. `read` None: there is no Lease."""
    if before is None:
        return ObservedLease(lease=read, since=now, exists=read is not None, has_changed=False)
    if read is None:
        return replace(before, exists=False)
    if read == before.lease:
        return replace(before, lease=read, exists=True)
    return ObservedLease(lease=read, since=now, exists=True, has_changed=True)


def seconds_left(observed: ObservedLease, *, identity: str, now: float, default_duration: float) -> float:
    """Returns the seconds until this process may acquire the Lease. 0: it may now.

    A deleted Lease is left alone for as long as an existing one: its holder may not know yet. `default_duration` counts for a
    Lease that states none.
    """
    lease = observed.lease
    if lease is None or lease.holder in ("", identity):
        return 0.0
    return max(0.0, observed.since + (lease.duration or default_duration) - now)


def with_holder(before: Lease | None, *, identity: str, at: datetime, duration: float, inventoried: bool) -> Lease:
    """Returns the Lease as `identity` writes it, to renew or to acquire it."""
    before = before or Lease()
    is_renewal = before.holder == identity
    return Lease(
        holder=identity,
        duration=duration,
        acquire_time=before.acquire_time if is_renewal and before.acquire_time else micro_time(at),
        renew_time=micro_time(at),
        transitions=before.transitions + (not is_renewal and bool(before.acquire_time)),
        metadata=_annotated(before.metadata, inventoried=inventoried),
    )


def without_holder(before: Lease, *, at: datetime) -> Lease:
    """Returns the Lease as its holder gives it back. Any process may acquire it at once."""
    return replace(before, holder="", duration=RELEASED_DURATION, renew_time=micro_time(at))


def micro_time(at: datetime) -> str:
    """Formats an instant as Kubernetes' MicroTime, with exactly six digits after the point."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _annotated(metadata: Mapping[str, Any], *, inventoried: bool) -> Mapping[str, Any]:
    others = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != INVENTORIED}
    ours = {INVENTORIED: "true"} if inventoried else {}
    return {**metadata, "annotations": others | ours}
