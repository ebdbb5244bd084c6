"""Reads the past from a file of events: EventBridge envelopes, as in a queue or an archive.

There is one a line, or several without anything between them as Firehose writes them, or all in a JSON array.
The parsers and the merge rule are those of the mirror. So a file with lines that are doubled, damaged or out of order
gives the same past as the clean file, and the lists that the operator would have had.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from seatpool.api.identity import IdentitySettings
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import InvalidUser
from seatpool.history.text_lines import read_lines
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.event_order import Fact, Stored, merge
from seatpool.mirror.messages import state_change, workbench_event
from seatpool.mirror.messages.envelope import Envelope, RejectedMessage, read_envelope
from seatpool.mirror.messages.parsed import RejectReason, StateReport
from seatpool.planner.past import ActivePeriod, Past

LONGEST_LINE = 256 * 1024 * 1024
"""Characters of a line, or of a file that is a JSON array."""
OTHER_KIND = "other_kind"
UNKNOWN_OWNER = "unknown_owner"
BAD_USER = "bad_user"

Reader = Callable[[Envelope], StateReport]
_WHOLE_LINE = frozenset({RejectReason.NOT_JSON, RejectReason.NOT_AN_ENVELOPE, RejectReason.TOO_LARGE})
"""Rejections of a line that may be several documents."""


class UnusableEvents(SeatpoolError):
    """A file cannot be read, or has no event about a workbench."""


def read_events(files: Iterable[Path], *, mirror: MirrorConfig, identity: IdentitySettings) -> Past:
    """Returns the past of all files together. Raises UnusableEvents."""
    names = list(files)
    reader = _EventReader(mirror)
    for file in names:
        try:
            for line in _lines(file):
                reader.read_line(line)
        except OSError as error:
            raise UnusableEvents(
                f"--events {file}: cannot be read: {error}; name a .jsonl or .jsonl.gz file"
            ) from error
    source = ", ".join(file.name for file in names)
    return reader.past(source, identity)


def _lines(file: Path) -> Iterator[str]:
    """Yields the lines that are not empty. A file that is a JSON array is one line."""
    lines = filter(None, map(str.strip, read_lines(file, longest=LONGEST_LINE)))
    first = next(lines, None)
    if first is None:
        return
    if not first.startswith("["):
        yield first
        yield from lines
        return
    texts, length = [first], len(first)
    for line in lines:
        texts.append(line)
        length += len(line)
        if length > LONGEST_LINE:
            raise UnusableEvents(
                f"--events {file}: a JSON array of more than {LONGEST_LINE} characters; write one event a line"
            )
    yield "\n".join(texts)


def _documents(text: str) -> list[str]:
    """Returns the JSON documents in a text, which may follow each other or be in an array. Empty: they cannot be told."""
    decoder, position = json.JSONDecoder(), 0
    found: list[str] = []
    while True:
        while position < len(text) and text[position] in _BETWEEN:
            position += 1
        if position == len(text):
            return found
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return []
        found.append(text[position:end])
        position = end


_BETWEEN = " \t\r\n[],"


class _EventReader:
    """Collects events by instance."""

    def __init__(self, mirror: MirrorConfig) -> None:
        self._mirror = mirror
        self._facts: dict[str, list[Fact]] = {}
        self._passed_over: Counter[str] = Counter()
        self._lines = 0
        self._readers: Mapping[tuple[str, str], Reader] = {
            (state_change.SOURCE, state_change.DETAIL_TYPE): state_change.read_state_change,
            (mirror.custom_source, mirror.custom_detail_type): workbench_event.read_workbench_event,
        }

    def read_line(self, line: str) -> None:
        try:
            self._read_event(line)
        except RejectedMessage as rejected:
            documents = _documents(line) if rejected.reason in _WHOLE_LINE else []
            if documents in ([], [line]):
                self._count(rejected)
            else:
                for document in documents:
                    self._read_one_of(document)

    def _read_one_of(self, document: str) -> None:
        try:
            self._read_event(document)
        except RejectedMessage as rejected:
            self._count(rejected)

    def _count(self, rejected: RejectedMessage) -> None:
        self._lines += 1
        self._passed_over[rejected.reason.value] += 1

    def _read_event(self, text: str) -> None:
        """Takes one event. Raises RejectedMessage."""
        envelope = read_envelope(text)
        read = self._readers.get((envelope.source, envelope.detail_type))
        if read is None:
            self._passed_over[OTHER_KIND] += 1
        else:
            report = read(envelope)
            self._facts.setdefault(report.instance_id, []).append(self._fact(report))
        self._lines += 1

    def past(self, source: str, identity: IdentitySettings) -> Past:
        """Returns the past of all lines read so far."""
        instants = [fact.at for facts in self._facts.values() for fact in facts]
        if not instants:
            told = format_counts(self._passed_over) or "they are empty"
            raise UnusableEvents(
                f"--events {source}: none of {self._lines} lines tells of a workbench ({told}); it needs EventBridge "
                "envelopes, one JSON object a line, with source "
                f"{self._mirror.custom_source!r} and detail-type {self._mirror.custom_detail_type!r}"
            )
        since, until = min(instants), max(instants)
        users = _Users(identity)
        periods = []
        for facts in self._facts.values():
            for period in _periods(facts, until=until):
                user = users.user_of(period.user)
                if user is not None:
                    periods.append(ActivePeriod(user, period.type, period.state, period.begin, period.end))
        passed_over = self._passed_over + Counter({BAD_USER: users.refused, UNKNOWN_OWNER: self._ownerless()})
        if not periods:
            raise UnusableEvents(
                f"--events {source}: no user has a workbench for any time in {self._lines} lines "
                f"({format_counts(passed_over) or 'there is nothing after the start'}); EC2's own events name no user, so "
                f"it needs those with source {self._mirror.custom_source!r} and detail-type "
                f"{self._mirror.custom_detail_type!r}, and something after a start"
            )
        return Past(periods, since, until, source, self._lines, passed_over)

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
    """Formats reasons as `3 not_json, 1 bad_field`, the most frequent first."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
