"""Reads the past from files of events: EventBridge envelopes, as in a queue or an archive, wrapped or not.

The parsers and the merge rule are those of the mirror. So a file with lines that are doubled, damaged or out of order
gives the same past as the clean file, and the lists that the operator would have had.
"""

import codecs
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from seatpool.api.identity import IdentitySettings
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import InvalidUser
from seatpool.history.text_lines import open_content
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.event_order import Fact, Stored, merge
from seatpool.mirror.messages import state_change, workbench_event
from seatpool.mirror.messages.envelope import BYTE_ORDER_MARK, Envelope, RejectedMessage, read_envelopes
from seatpool.mirror.messages.parsed import RejectReason, StateReport
from seatpool.planner.past import ActivePeriod, Past
from seatpool.text import format_count

_BETWEEN = re.compile(rf"[\s{BYTE_ORDER_MARK}]*")
OTHER_KIND = "other_kind"
UNKNOWN_OWNER = "unknown_owner"
BAD_USER = "bad_user"

Reader = Callable[[Envelope], StateReport]


class UnusableEvents(SeatpoolError):
    """A file cannot be read, or has no event about a workbench."""


def read_events(files: Iterable[Path], *, mirror: MirrorConfig, identity: IdentitySettings) -> Past:
    """Returns the past of all files together. Raises UnusableEvents."""
    names = list(files)
    reader = _EventReader(mirror)
    for file in names:
        try:
            for text in _texts(file):
                reader.read(text)
        except OSError as error:
            raise UnusableEvents(
                f"--events {file}: cannot be read: {error}; name a .jsonl or .jsonl.gz file"
            ) from error
    source = ", ".join(file.name for file in names)
    return reader.past(source, identity)


def _texts(file: Path) -> Iterator[str]:
    """Yields JSON texts: a line each, or one for the whole file if its documents are written over several lines."""
    with open_content(file) as raw:
        encoding = "utf-16" if raw.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    with open_content(file) as raw, io.TextIOWrapper(raw, encoding=encoding, errors="replace") as lines:
        first = next((line for line in lines if line.strip()), "")
        if not _is_json(first):
            whole = first + lines.read()
            yield from [whole] if _is_json(whole) else filter(str.strip, whole.split("\n"))
            return
        yield first
        yield from filter(str.strip, lines)


def _is_json(text: str) -> bool:
    """Returns whether a text is JSON documents one after the other, as Firehose writes them."""
    return not any(isinstance(one, RejectedMessage) and one.reason is RejectReason.NOT_JSON for one in _read(text))


def _read(text: str) -> Iterator[Envelope | RejectedMessage]:
    """Yields what is in the JSON documents of a text. What is not JSON ends it."""
    found = list(read_envelopes(text))
    if len(found) == 1 and isinstance(found[0], RejectedMessage) and found[0].reason is RejectReason.NOT_JSON:
        documents = _split(text)
        if len(documents) > 1:
            for document in documents:
                yield from read_envelopes(document)
            return
    yield from found


def _split(text: str) -> list[str]:
    """Splits documents that follow each other. The last part is what no document begins with."""
    decoder = json.JSONDecoder()
    documents: list[str] = []
    start = _BETWEEN.match(text).end()  # type: ignore[union-attr]
    while start < len(text):
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            documents.append(text[start:])
            break
        documents.append(text[start:end])
        start = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]  # it also matches nothing
    return documents


class _EventReader:
    """Collects events by instance."""

    def __init__(self, mirror: MirrorConfig) -> None:
        self._mirror = mirror
        self._facts: dict[str, list[Fact]] = {}
        self._passed_over: Counter[str] = Counter()
        self._details: dict[RejectReason, str] = {}
        """What the first refusal of each reason said."""
        self._read = 0
        self._readers: Mapping[tuple[str, str], Reader] = {
            (state_change.SOURCE, state_change.DETAIL_TYPE): state_change.read_state_change,
            (mirror.custom_source, mirror.custom_detail_type): workbench_event.read_workbench_event,
        }

    def read(self, text: str) -> None:
        """Reads all events in a text, and counts what is none."""
        for found in _read(text):
            self._read += 1
            self._take(found)

    def _take(self, found: Envelope | RejectedMessage) -> None:
        try:
            if isinstance(found, RejectedMessage):
                raise found
            read = self._readers.get((found.source, found.detail_type))
            if read is None:
                self._passed_over[OTHER_KIND] += 1
                return
            report = read(found)
        except RejectedMessage as rejected:
            self._passed_over[rejected.reason.value] += 1
            self._details.setdefault(rejected.reason, rejected.detail)
            return
        self._facts.setdefault(report.source.reference, []).append(self._fact(report))

    def past(self, source: str, identity: IdentitySettings) -> Past:
        """Returns the past of all that was read so far. Raises UnusableEvents."""
        instants = [fact.at for facts in self._facts.values() for fact in facts]
        ownerless = self._ownerless()
        if ownerless == len(self._facts):
            counts = self._passed_over + Counter({UNKNOWN_OWNER: ownerless})
            if not self._read:
                raise UnusableEvents(f"--events {source}: there is no event in it: the file is empty")
            raise UnusableEvents(
                f"--events {source}: no event in {format_count(self._read, 'line')} says whose workbench it is about "
                f"({format_counts(counts)}); it needs EventBridge events in JSON, one a line, with source "
                f"{self._mirror.custom_source!r} and detail-type {self._mirror.custom_detail_type!r}{self._first_detail()}"
            )
        since, until = min(instants), max(instants)
        users = _Users(identity)
        periods = []
        for facts in self._facts.values():
            for period in _periods(facts, until=until):
                user = users.user_of(period.user)
                if user is not None:
                    periods.append(ActivePeriod(user, period.type, period.state, period.begin, period.end))
        passed_over = self._passed_over + Counter({BAD_USER: users.refused, UNKNOWN_OWNER: ownerless})
        if not periods:
            counted = f" ({format_counts(passed_over)})" if passed_over.total() else ""
            raise UnusableEvents(
                f"--events {source}: no user has a workbench for any time in {self._read} events{counted}; name a file that "
                "covers at least one start, and something after it"
            )
        return Past(periods, since, until, source, self._read, passed_over)

    def _first_detail(self) -> str:
        commonest = max(self._details, key=lambda reason: self._passed_over[reason.value], default=None)
        return (
            ""
            if commonest is None
            else f". The first that was {commonest.value.replace('_', ' ')}: {self._details[commonest]}"
        )

    def _fact(self, report: StateReport) -> Fact:
        of_type = self._mirror.type_aliases.get(report.type, report.type) if report.type is not None else None
        return Fact(
            account=report.account,
            region=report.region,
            state=report.state,
            at=report.at,
            owner=report.owner,
            type=of_type,
        )

    def _ownerless(self) -> int:
        return sum(all(fact.owner is None for fact in facts) for facts in self._facts.values())


class _Users:
    """Maps owners to user ids and remembers each."""

    def __init__(self, identity: IdentitySettings) -> None:
        self._identity = identity
        self._known: dict[str, str | None] = {}

    @property
    def refused(self) -> int:
        return sum(user is None for user in self._known.values())

    def user_of(self, owner: str) -> str | None:
        if owner not in self._known:
            try:
                self._known[owner] = self._identity.user(owner)
            except InvalidUser:
                self._known[owner] = None
        return self._known[owner]


def _periods(facts: Iterable[Fact], *, until: datetime) -> Iterator[ActivePeriod]:
    """Yields the active periods of one instance. Of several states at one instant the last one counts."""
    states: dict[datetime, Stored] = {}
    stored: Stored | None = None
    for fact in sorted(facts, key=lambda fact: fact.at):
        merged = merge(stored, fact)
        if isinstance(merged, Stored):
            stored = states[merged.changed_at] = merged
    instants = [*states, until]
    for (begin, one), end in zip(states.items(), instants[1:], strict=True):
        if begin < end:
            yield ActivePeriod(one.owner, one.type, one.state.value, begin, end)


def format_counts(counts: Counter[str]) -> str:
    """Formats reasons as `3 not json, 1 bad field`, the most frequent first."""
    return ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in counts.most_common())
