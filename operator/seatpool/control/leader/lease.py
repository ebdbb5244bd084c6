"""What a Lease says, and when it may be taken. Pure, because a mistake here makes two leaders.

No clock of another machine is believed. A Lease is over when this process has seen it unchanged, by its own clock, for as
long as its holder asked for; the holder stops earlier by *its* own clock, counted from before it asked for the renewal.
So neither wrong clocks nor slow answers let the two overlap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from seatpool.api.annotations import INVENTORIED

RELEASED_DURATION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """As it is stored."""

    holder: str = ""
    """Empty when nobody holds it."""
    duration: float = 0.0
    """Seconds that its holder asked to be respected for, without a renewal."""
    acquired: str = ""
    renewed: str = ""
    transitions: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """With the resource version: what a compare-and-swap sends back. People may add to it without renewing anything."""

    @property
    def is_inventoried(self) -> bool:
        return (self.metadata.get("annotations") or {}).get(INVENTORIED) == "true"

    def spec(self) -> dict[str, Any]:
        """For the API server, which does not take an empty holder."""
        named = {"holderIdentity": self.holder} if self.holder else {}
        return named | {
            "leaseDurationSeconds": round(self.duration),
            "acquireTime": self.acquired,
            "renewTime": self.renewed,
            "leaseTransitions": self.transitions,
        }


def from_wire(raw: Mapping[str, Any]) -> Lease:
    """Read what the API server sent; people may have made a Lease with nothing in it."""
    spec = raw.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        duration=float(spec.get("leaseDurationSeconds") or 0),
        acquired=spec.get("acquireTime") or "",
        renewed=spec.get("renewTime") or "",
        transitions=spec.get("leaseTransitions") or 0,
        metadata=raw["metadata"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The Lease as this process last saw it."""

    lease: Lease | None
    """What it last said, although it may be gone by now; None when there never was one."""
    since: float
    """When it was first seen to say so, on this process' own clock, after the answer came."""
    is_there: bool
    moved: bool
    """It changed before our eyes: somebody held it while we looked."""


def look(before: Sighting | None, seen: Lease | None, *, now: float) -> Sighting:
    """What is known after another look."""
    if before is None:
        return Sighting(lease=seen, since=now, is_there=seen is not None, moved=False)
    if seen is None:
        return replace(before, is_there=False)
    if seen == before.lease:
        return replace(before, lease=seen, is_there=True)
    return Sighting(lease=seen, since=now, is_there=True, moved=True)


def seconds_left(sighting: Sighting, *, me: str, now: float, unstated: float) -> float:
    """How long to leave it alone; 0 when it may be taken now.

    A Lease that vanished is left alone for as long as if it had not: its holder may not know yet. `unstated` is
    how long one is respected that does not say.
    """
    lease = sighting.lease
    if lease is None or lease.holder in ("", me):
        return 0.0
    return max(0.0, sighting.since + (lease.duration or unstated) - now)


def taken(before: Lease | None, *, by: str, at: datetime, duration: float, inventoried: bool) -> Lease:
    """The Lease as its holder renews it, or as its next one takes it."""
    before = before or Lease()
    is_renewal = before.holder == by
    return Lease(
        holder=by,
        duration=duration,
        acquired=before.acquired if is_renewal and before.acquired else micro_time(at),
        renewed=micro_time(at),
        transitions=before.transitions + (not is_renewal and bool(before.acquired)),
        metadata=_annotated(before.metadata, inventoried=inventoried),
    )


def released(before: Lease, *, at: datetime) -> Lease:
    """The Lease as its holder leaves it: anybody may take it at once."""
    return replace(before, holder="", duration=RELEASED_DURATION, renewed=micro_time(at))


def micro_time(at: datetime) -> str:
    """Kubernetes' MicroTime, which has exactly six digits after the point."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _annotated(metadata: Mapping[str, Any], *, inventoried: bool) -> Mapping[str, Any]:
    others = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != INVENTORIED}
    ours = {INVENTORIED: "true"} if inventoried else {}
    return {**metadata, "annotations": others | ours}
