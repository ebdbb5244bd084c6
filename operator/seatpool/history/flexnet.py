"""Parses FlexNet debug logs. Their lines have a time of day, and only some name the date.

    10:25:38 (MLM) OUT: "MATLAB" ann@ws1
    16:30:35 (MLM) TIMESTAMP 6/9/2022

So the day of a line is computed from the dates around it: where the clock goes back by hours a day has passed. Lines
before the first date are counted back from it. `lmgrd -datestamp` writes date and offset in each line, which is then
taken as it is. A log may be in pieces, in any order and overlapping. Users can influence its text, so a line that cannot
be read is counted by its fault.
"""

import re
from calendar import month_abbr
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from seatpool.history.daemons import LMGRD
from seatpool.history.log_events import LogAction, LogEvent
from seatpool.history.log_waits import POOL_FULL
from seatpool.history.schema import YEARS

LONGEST_LINE = 4000
NEXT_DAY = timedelta(minutes=90)
"""A clock that goes back by less was set to winter time, or the lines of two daemons were swapped."""
SWAPPED = timedelta(minutes=10)
"""Lines of two daemons can be so much out of order."""
DAY = timedelta(days=1)
MOST_LICENSES = 100_000
WAITING_CODES = {"-4": POOL_FULL, "-24": "UsersQueued", "-87": "LimitReached", "-101": "SeatsReserved"}
"""Codes of denials after which the user waits for a license, and the reasons of these waits."""

_LINE = re.compile(
    r"\s*(?:(\d{4}-\d\d-\d\d)[T ])?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)? \(([^()]{1,64})\) (.*)"
)
_ACT = re.compile(r"(OUT|IN|DENIED|UNSUPPORTED|QUEUED|DEQUEUED):\s*(.*)")
_OTHER_ACT = re.compile(r'[A-Z][A-Z_-]{1,20}:\s*"')
_WHAT = re.compile(r'(?:"([^"]{1,128})"|(?!\d+ )(\S{1,128})) (.*)')
_OLD_DENIAL = re.compile(r"(\d{1,9}) (\S{1,128}) to (.*)")
_CHECKSUM = re.compile(r"\s*\([0-9A-Fa-f ]{1,64}\) ")
_WHO = re.compile(r"(.{0,128})@([^\s@]{1,255})")
_DETAILS = re.compile(r"\s+(?=\(|\[|\^\^\^)")
_COUNT = re.compile(r"\((\d{1,9}) licenses?\)")
_VERBOSE = "^^^"
_VERBOSE_COUNT = re.compile(r"\((\d{1,9})\)")
_VERBOSE_USER = re.compile(
    r"\^\^\^ \S+ (.{1,128}?) (?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Za-z:.%]{1,60}) \d{1,10} \S+ "
)
_CODE = re.compile(r"\((-\d+)[,:)]")
_NUMBERS = re.compile(
    r"(?:TIMESTAMP |FlexNet Licensing .{1,200} started on .{1,300}\()(\d{1,2})/(\d{1,2})/(\d{4})\b", re.IGNORECASE
)
_WORDS = re.compile(
    r"(?:\(@[^()]{1,64}-SLOG@\) (?:Start-Date|Time)|Server's System Date and Time): "
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d{4}) "
)
_SERVER = re.compile(r"Server started on (\S{1,255}) for")
_BANNER = re.compile(r"FlexNet Licensing (?:version |.{1,200} started on )", re.IGNORECASE)
_STARTED = re.compile(r"Started (\S{1,64}) \(.{0,200}\bpid \d+\)")
_REREAD = "Rereading license file"
_MONTHS = {name: number for number, name in enumerate(month_abbr) if name}


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with a date or an event: time of day, number of midnights before it, and its date if it names one."""

    clock: timedelta
    midnights: int
    fold: int
    says: date | None
    use: LogEvent | None
    at: datetime | None
    """The instant, if the line says it. None: it follows from the dates."""


@dataclass(frozen=True, slots=True)
class ParsedLog:
    """Content of a file."""

    uses: Sequence[LogEvent]
    servers: frozenset[str]
    lines: int
    passed_over: Counter[str]
    dated: bool
    """Tells whether any line names a date."""
    messages: int = 0
    """Number of lines in which the server says something that is neither a date nor about a license."""

    @property
    def first(self) -> datetime:
        return min(use.at for use in self.uses)

    @property
    def last(self) -> datetime:
        return max(use.at for use in self.uses)


def parse_log(lines: Iterable[str], *, zone: tzinfo, user_of: Callable[[str], str]) -> ParsedLog:
    """Parses one file in its own order. `user_of` makes a user id of a name."""
    reader = _LogReader(zone, user_of)
    count = 0
    for count, line in enumerate(lines, start=1):  # noqa: B007
        reader.read_line(line)
    days = _days(reader.lines)
    uses = []
    for day, parsed in zip(days or (), reader.lines, strict=days is not None):
        if day is None:
            reader.passed_over["bad_date"] += 1
        elif parsed.use is not None:
            uses.append(replace(parsed.use, at=parsed.at or _instant(day, parsed, zone)))
    return ParsedLog(
        uses, frozenset(reader.servers), count, reader.passed_over, dated=days is not None, messages=reader.messages
    )


def merge_logs(logs: Iterable[ParsedLog]) -> list[LogEvent]:
    """Merges the events of several files in the order of time, and those of one instant in the order of their file.

    Where files overlap, an event that both have counts once. Files that only meet in one second are pieces of one log.
    Equal lines on both sides of such a cut are different events.
    """
    merged: dict[datetime, list[LogEvent]] = {}
    until: datetime | None = None
    for log in sorted((log for log in logs if log.uses), key=lambda log: (log.first, log.last)):
        overlaps = until is not None and log.first < until
        for at, uses in _by_instant(log.uses).items():
            known = merged.setdefault(at, [])
            known += _additional(known, uses) if overlaps else uses
        until = log.last if until is None else max(until, log.last)
    return [use for at in sorted(merged) for use in merged[at]]


def _by_instant(uses: Iterable[LogEvent]) -> dict[datetime, list[LogEvent]]:
    found: dict[datetime, list[LogEvent]] = {}
    for use in uses:
        found.setdefault(use.at, []).append(use)
    return found


def _additional(known: Sequence[LogEvent], uses: Sequence[LogEvent]) -> Iterator[LogEvent]:
    """Yields the events of an instant that another file does not have."""
    counts = Counter(known)
    for use in uses:
        if counts[use]:
            counts[use] -= 1
        else:
            yield use


class _LogReader:
    """Parses the lines of one file."""

    def __init__(self, zone: tzinfo, user_of: Callable[[str], str]) -> None:
        self._zone = zone
        self._user_of = user_of
        self._clock: timedelta | None = None
        self._midnights = 0
        self._fold = 0
        self._is_late = False
        self.lines: list[_Line] = []
        self.servers: set[str] = set()
        self.passed_over: Counter[str] = Counter()
        self.messages = 0

    def read_line(self, text: str) -> None:
        if len(text) > LONGEST_LINE:
            self.passed_over["too_long"] += 1
            return
        found = _LINE.fullmatch(text.rstrip())
        if found is None or (found[5] is not None and found[1] is None):
            if text.strip():
                self.passed_over["not_a_log_line"] += 1
            return
        day, hours, minutes, seconds, offset, daemon, message = found.groups()
        if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:
            self.passed_over["bad_time"] += 1
            return
        clock = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
        try:
            at = None if day is None else self._stamp(day, clock, offset)
            local = None if at is None else at.astimezone(self._zone)
            clock = clock if local is None else _time_of_day(local)
            self._tick(clock)
            named, use = _date_in(message), self._use(daemon, message)
        except ValueError as error:
            self.passed_over[str(error)] += 1
            return
        says = named if local is None else local.date()
        if says is not None or use is not None:
            midnights = self._midnights - self._is_late
            self.lines.append(_Line(clock, midnights, self._fold, says, use, at))
        self.messages += named is None and use is None

    def _stamp(self, day: str, clock: timedelta, offset: str | None) -> datetime:
        """Returns the instant of a line of `lmgrd -datestamp`. Raises ValueError."""
        try:
            midnight = datetime.fromisoformat(f"{day}T00:00:00{offset or ''}")
        except ValueError:
            raise ValueError("bad_date") from None
        if midnight.year not in YEARS:
            raise ValueError("bad_date")
        local = midnight + clock
        return (local if offset is not None else local.replace(tzinfo=self._zone)).astimezone(UTC)

    def _tick(self, clock: timedelta) -> None:
        self._is_late = self._clock is not None and clock - self._clock > DAY - SWAPPED
        if self._is_late:
            return  # of the day before, and written just after midnight
        if self._clock is not None and clock < self._clock:
            back = self._clock - clock
            if back > NEXT_DAY:
                self._midnights, self._fold = self._midnights + 1, 0
            elif back > NEXT_DAY / 3:
                self._fold = 1
        self._clock = clock

    def _use(self, daemon: str, message: str) -> LogEvent | None:
        if (act := _ACT.fullmatch(message)) is not None:
            return self._act(daemon, act[1], act[2])
        if _OTHER_ACT.match(message) is not None:
            raise ValueError("other_event")
        return self._state(daemon, message)

    def _state(self, daemon: str, message: str) -> LogEvent | None:
        """Returns what the line says about the daemon itself."""
        if (server := _SERVER.match(message)) is not None:
            self.servers.add(server[1])
            return LogEvent(act=LogAction.SERVES, at=_UNKNOWN, daemon=daemon)
        if message.startswith(_REREAD):
            return LogEvent(act=LogAction.REREAD, at=_UNKNOWN, daemon=daemon)
        started = _STARTED.match(message) if daemon == LMGRD else None
        if started is not None or _BANNER.match(message) is not None:
            return LogEvent(act=LogAction.STARTED, at=_UNKNOWN, daemon=daemon if started is None else started[1])
        return None

    def _act(self, daemon: str, word: str, rest: str) -> LogEvent:
        count: int | None = None
        if word == LogAction.DENIED and (old := _OLD_DENIAL.fullmatch(rest)) is not None:
            count, feature, told = int(old[1]), old[2], old[3]
        elif (what := _WHAT.fullmatch(rest)) is not None:
            feature, told = what[1] or what[2], what[3]
        else:
            raise ValueError("bad_" + word.lower())
        if word == _UNSUPPORTED:
            told = _CHECKSUM.sub("", told, count=1) if _CHECKSUM.match(told) else told
        who, *details = _DETAILS.split(told)
        person = _WHO.fullmatch(who.strip())
        name = person and (person[1] or _verbose_user(details))
        if person is None or not name:
            raise ValueError("bad_" + word.lower())
        user = self._user_of(name)
        if not user or not user.isprintable():
            raise ValueError("bad_user")
        if not feature.isprintable():
            raise ValueError("bad_feature")
        licenses = count if count is not None else _licenses(details)
        if not 0 < licenses <= MOST_LICENSES:
            raise ValueError("bad_count")
        act, reason = _meaning(word, details)
        return LogEvent(
            act=act, at=_UNKNOWN, daemon=daemon, feature=feature, user=user, host=person[2].lower(), count=licenses,
            reason=reason,
        )  # fmt: skip


def _time_of_day(local: datetime) -> timedelta:
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)


_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)
_UNSUPPORTED = "UNSUPPORTED"


def _meaning(word: str, details: Sequence[str]) -> tuple[LogAction, str | None]:
    """Returns the action, and for a denial or a wait its reason."""
    if word in (LogAction.DENIED, _UNSUPPORTED):
        code = _CODE.search(" ".join(details))
        reason = code[1] if code is not None else None
        if word == LogAction.DENIED and reason in WAITING_CODES:
            return LogAction.FULL, WAITING_CODES[reason]
        return LogAction.DENIED, reason
    return LogAction(word), POOL_FULL if word == LogAction.QUEUED else None


def _licenses(details: Sequence[str]) -> int:
    """Returns the number of licenses, which verbose lines write without a word."""
    told = " ".join(details)
    count = _COUNT.search(told)
    if count is None and _VERBOSE in told:
        count = next((found for one in details if (found := _VERBOSE_COUNT.fullmatch(one)) is not None), None)
    return int(count[1]) if count is not None else 1


def _verbose_user(details: Sequence[str]) -> str | None:
    """Returns the user between the marks of a verbose line, which need not have one before the host."""
    found = _VERBOSE_USER.search(" ".join(details))
    return None if found is None else found[1]


def _date_in(message: str) -> date | None:
    """Returns the date that the server wrote. Text that users can influence is not searched. Raises ValueError."""
    try:
        if (numbers := _NUMBERS.match(message)) is not None:
            month, day, year = map(int, numbers.groups())
        elif (words := _WORDS.match(message)) is not None:
            month, day, year = _MONTHS[words[1]], int(words[2]), int(words[3])
        else:
            return None
        if year not in YEARS:
            raise ValueError
        return date(year, month, day)
    except (ValueError, KeyError):
        raise ValueError("bad_date") from None


def _days(lines: Sequence[_Line]) -> list[date | None] | None:
    """Returns the day of each line, or None for a day that no log can be of. None: no line names a date."""
    first = next((line for line in lines if line.says is not None), None)
    if first is None or first.says is None:
        return None
    anchor, at_anchor = first.says, first.midnights
    days = []
    for line in lines:
        if line.says is not None:
            anchor, at_anchor = line.says, line.midnights
        days.append(_shifted(anchor, line.midnights - at_anchor))
    return days


def _shifted(day: date, by: int) -> date | None:
    try:
        shifted = day + timedelta(days=by)
    except OverflowError:
        return None
    return shifted if shifted.year in YEARS else None


def _instant(day: date, line: _Line, zone: tzinfo) -> datetime:
    local = datetime.combine(day, time(fold=line.fold)) + line.clock
    return local.replace(tzinfo=zone, fold=line.fold).astimezone(UTC)
