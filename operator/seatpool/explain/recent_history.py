"""What happened to a pool or a person, as far as the cluster remembers: the ledger, and Events of the last hour.

The operator's audit file knows more; here is what a kubeconfig alone can answer, and what it cannot is said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seatpool.api.licensepool import LicensePool
from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason, sentence
from seatpool.explain.snapshot import Snapshot

GAPS = (
    "Kubernetes keeps Events for about an hour, and one Event may stand for several changes.",
    "Seats that were given and freed before that are only in the operator's audit file: seatpool statement --audit FILE.",
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something at one instant."""

    at: datetime
    pool: str
    what: str
    source: str
    """ledger or event."""


@dataclass(frozen=True, slots=True)
class History:
    """The newest is the last."""

    of: str
    happenings: tuple[Happening, ...]
    not_known: tuple[str, ...] = GAPS


def history(
    snapshot: Snapshot, events: Iterable[dict[str, Any]], *, pool: LicensePool | None, user: str | None
) -> History:
    """Of a pool, or of a person in all pools."""
    keys = [pool.key] if pool is not None else sorted(snapshot.store.pools)
    found = [one for key in keys for one in _remembered(key, snapshot.memory(key) or PoolMemory.empty(), user)]
    found += _told(events, frozenset(keys), user)
    found.sort(key=lambda one: one.at)
    return History(of=pool.key if pool is not None else user or "", happenings=tuple(found))


def _remembered(pool: str, memory: PoolMemory, user: str | None) -> Iterator[Happening]:
    for grant in memory.assigned.values():
        if user in (None, grant.user):
            yield Happening(grant.since, pool, f"{grant.user} got the seat ({_why(grant.reason)})", "ledger")
            if grant.idle_since is not None:
                yield Happening(grant.idle_since, pool, f"the last workbench of {grant.user} stopped", "ledger")
    for place in memory.waiting.values():
        if user in (None, place.user):
            yield Happening(place.since, pool, f"{place.user} began to wait", "ledger")
    for seat in memory.vacated:
        if user in (None, seat.user):
            yield Happening(seat.at, pool, f"{seat.user} gave the seat back", "ledger")
    if user is None:
        for at in memory.reassignments:
            yield Happening(at, pool, "a seat passed to another person, and counts against maxReassignments", "ledger")


def _why(reason: Reason) -> str:
    return sentence(reason).rstrip(".").lower()


def _told(events: Iterable[dict[str, Any]], pools: frozenset[str], user: str | None) -> Iterator[Happening]:
    for event in events:
        about = event.get("involvedObject", {})
        key = f"{about.get('namespace')}/{about.get('name')}"
        if about.get("kind") != LicensePool.kind or key not in pools:
            continue
        text = str(event.get("message", ""))
        if user is not None and user not in _words(text):
            continue
        times = f" ({count} times)" if (count := event.get("count") or 1) > 1 else ""
        at = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
        yield Happening(
            datetime.fromisoformat(at).astimezone(UTC), key, f"{event.get('reason')}: {text}{times}", "event"
        )


def _words(text: str) -> set[str]:
    return {word.strip(",;:()") for word in text.split()}
