"""Lists what happened to a pool or a user, as far as the cluster knows: the ledger and the Events of the last hour.

The operator's audit trail knows more. A kubeconfig alone does not reach it, so the answer says what is missing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from seatpool.api.licensepool import LicensePool
from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason, sentence
from seatpool.explain.snapshot import Snapshot
from seatpool.text import JSON_NAME

GAPS = (
    "Kubernetes keeps Events for about an hour, and one Event may stand for several changes.",
    "Seats that were given and freed before that are only in the operator's audit file: seatpool statement --audit FILE.",
)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened."""

    at: datetime
    pool: str
    what: str
    source: str
    """`ledger` or `event`."""


@dataclass(frozen=True, slots=True)
class RecentHistory:
    """What happened to one pool or user."""

    of: str
    entries: tuple[HistoryEntry, ...] = field(metadata={JSON_NAME: "happenings"})
    """The newest one is the last."""
    not_known: tuple[str, ...] = GAPS


def recent_history(
    snapshot: Snapshot, events: Iterable[dict[str, Any]], *, pool: LicensePool | None, user: str | None
) -> RecentHistory:
    """Returns the history of a pool, or of a user in all pools."""
    keys = [pool.key] if pool is not None else sorted(snapshot.store.pools)
    found = [one for key in keys for one in _from_ledger(key, snapshot.memory(key) or PoolMemory.empty(), user)]
    found += _from_events(events, frozenset(keys), user)
    found.sort(key=lambda one: one.at)
    return RecentHistory(of=pool.key if pool is not None else user or "", entries=tuple(found))


def _from_ledger(pool: str, memory: PoolMemory, user: str | None) -> Iterator[HistoryEntry]:
    for grant in memory.assigned.values():
        if user in (None, grant.user):
            yield HistoryEntry(grant.since, pool, f"{grant.user} got the seat ({_why(grant.reason)})", "ledger")
            if grant.idle_since is not None:
                yield HistoryEntry(grant.idle_since, pool, f"the last workbench of {grant.user} stopped", "ledger")
    for place in memory.waiting.values():
        if user in (None, place.user):
            yield HistoryEntry(place.since, pool, f"{place.user} began to wait", "ledger")
    for seat in memory.vacated:
        if user in (None, seat.user):
            yield HistoryEntry(seat.at, pool, f"{seat.user} gave the seat back", "ledger")
    if user is None:
        for change in memory.reassignments:
            yield HistoryEntry(change.at, pool, "a seat passed to another person", "ledger")


def _why(reason: Reason) -> str:
    return sentence(reason).rstrip(".").lower()


def _from_events(events: Iterable[dict[str, Any]], pools: frozenset[str], user: str | None) -> Iterator[HistoryEntry]:
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
        yield HistoryEntry(
            datetime.fromisoformat(at).astimezone(UTC), key, f"{event.get('reason')}: {text}{times}", "event"
        )


def _words(text: str) -> set[str]:
    return {word.strip(",;:()") for word in text.split()}
