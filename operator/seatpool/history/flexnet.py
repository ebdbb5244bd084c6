"""Parses FlexNet debug logs. Their lines have a time of day, and only some name the date.

    10:25:38 (MLM) OUT: "MATLAB" ann@ws1
    16:30:35 (MLM) TIMESTAMP 6/9/2022

So the day of a line is computed from the dates around it: where the clock goes back by hours a day has passed. Lines
before the first date are counted back from it. A log may be in pieces, in any order and overlapping. Users can
influence its text, so a line that cannot be read is counted by its fault.
"""

import re
from calendar import month_abbr
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from seatpool.history.license_log import LogAction, LogEvent

LONGEST_LINE = 4000
NEXT_DAY = timedelta(minutes=90)
"""A clock that goes back by less was set to winter time, or the lines of two daemons were swapped."""
MOST_LICENSES = 100_000

_LINE = re.compile(r"\s*(\d{1,2}):(\d{2}):(\d{2}) \(([^()]{1,64})\) (.*)")
_ACT = re.compile(r"(OUT|IN|DENIED):\s*(.*)")
_WHAT = re.compile(r'(?:"([^"]{1,128})"|(\S{1,128})) (.*)')
_WHO = re.compile(r"(.{1,128})@([^\s@]{1,255})")
_DETAILS = re.compile(r"\s+(?=\(|\[|\^\^\^)")
_COUNT = re.compile(r"\((\d{1,9}) licenses?\)")
_CODE = re.compile(r"\((-\d+)[,:)]")
_NUMBERS = re.compile(
    r"(?:TIMESTAMP |FlexNet Licensing .{1,200} started on .{1,300}\()(\d{1,2})/(\d{1,2})/(\d{4})\b", re.IGNORECASE
)
_WORDS = re.compile(
    r"(?:\(@[^()]{1,64}-SLOG@\) (?:Start-Date|Time)|Server's System Date and Time): "
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d{4}) "
)
_SERVER = re.compile(r"Server started on (\S{1,255}) for")
_MONTHS = {name: number for number, name in enumerate(month_abbr) if name}
_ALL_IN_USE = "-4"
YEARS = range(1990, 2101)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with a date or an event: time of day, number of midnights before it, and its date if it names one."""

    clock: timedelta
    midnights: int
    fold: int
    says: date | None
    use: LogEvent | None


@dataclass(frozen=True, slots=True)
class ParsedLog:
    """Content of a file."""

    uses: Sequence[LogEvent]
    servers: frozenset[str]
    lines: int
    passed_over: Counter[str]
    dated: bool
    """Tells whether any line names a date."""

    @property
    def first(self) -> datetime:
        return min(use.at for use in self.uses)

    @property
    def last(self) -> datetime:
        return max(use.at for use in self.uses)


def parse_log(lines: Iterable[str], *, zone: tzinfo, user_of: Callable[[str], str]) -> ParsedLog:
    """Parses one file in its own order. `user_of` makes a user id of a name."""
    reader = _LogReader(user_of)
    count = 0
    for count, line in enumerate(lines, start=1):  # noqa: B007
        reader.read_line(line)
    days = _days(reader.lines)
    if days is None:
        return ParsedLog((), frozenset(reader.servers), count, reader.passed_over, dated=False)
    uses = [
        replace(line.use, at=_instant(day, line, zone))
        for day, line in zip(days, reader.lines, strict=True)
        if line.use is not None
    ]
    return ParsedLog(uses, frozenset(reader.servers), count, reader.passed_over, dated=True)


def merge_logs(logs: Iterable[ParsedLog]) -> list[LogEvent]:
    """Merges the events of several files in the order of time.

    Where files overlap, an event that both have counts once. Files that only meet in one second are pieces of one log.
    Equal lines on both sides of such a cut are different events.
    """
    times: Counter[LogEvent] = Counter()
    until: datetime | None = None
    for log in sorted((log for log in logs if log.uses), key=lambda log: (log.first, log.last)):
        if until is None or log.first >= until:
            times += Counter(log.uses)
        else:
            times |= Counter(log.uses)
        until = log.last if until is None else max(until, log.last)
    return sorted(times.elements(), key=lambda use: use.at)


class _LogReader:
    """Parses the lines of one file."""

    def __init__(self, user_of: Callable[[str], str]) -> None:
        self._user_of = user_of
        self._clock: timedelta | None = None
        self._midnights = 0
        self._fold = 0
        self.lines: list[_Line] = []
        self.servers: set[str] = set()
        self.passed_over: Counter[str] = Counter()

    def read_line(self, text: str) -> None:
        if len(text) > LONGEST_LINE:
            self.passed_over["too_long"] += 1
            return
        found = _LINE.fullmatch(text.rstrip())
        if found is None:
            self.passed_over["not_a_log_line"] += bool(text.strip())
            return
        hours, minutes, seconds, daemon, message = found.groups()
        if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 59:
            self.passed_over["bad_time"] += 1
            return
        self._tick(timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds)))
        try:
            says, use = _date_in(message), self._use(daemon, message)
        except ValueError as error:
            self.passed_over[str(error)] += 1
            return
        if says is not None or use is not None:
            assert self._clock is not None  # noqa: S101
            self.lines.append(_Line(self._clock, self._midnights, self._fold, says, use))

    def _tick(self, clock: timedelta) -> None:
        if self._clock is not None and clock < self._clock:
            back = self._clock - clock
            if back > NEXT_DAY:
                self._midnights, self._fold = self._midnights + 1, 0
            elif back > NEXT_DAY / 3:
                self._fold = 1
        self._clock = clock

    def _use(self, daemon: str, message: str) -> LogEvent | None:
        started = _SERVER.match(message)
        if started is not None:
            self.servers.add(started[1])
            return LogEvent(act=LogAction.RESTART, at=_UNKNOWN, daemon=daemon)
        found = _ACT.fullmatch(message)
        return None if found is None else self._act(daemon, found[1], found[2])

    def _act(self, daemon: str, word: str, rest: str) -> LogEvent:
        what = _WHAT.fullmatch(rest)
        who, *details = _DETAILS.split(what[3]) if what is not None else ("",)
        person = _WHO.fullmatch(who.strip())
        if what is None or person is None:
            raise ValueError("bad_" + word.lower())
        user = self._user_of(person[1])
        if not user or not user.isprintable():
            raise ValueError("bad_user")
        told = " ".join(details)
        count = _COUNT.search(told)
        licenses = int(count[1]) if count is not None else 1
        if not 0 < licenses <= MOST_LICENSES:
            raise ValueError("bad_count")
        act, reason = LogAction(word), None
        if act is LogAction.DENIED:
            code = _CODE.search(told)
            reason = code[1] if code is not None else None
            act = LogAction.FULL if reason == _ALL_IN_USE else LogAction.DENIED
        return LogEvent(
            act=act, at=_UNKNOWN, daemon=daemon, feature=what[1] or what[2], user=user, host=person[2].lower(),
            count=licenses, reason=reason,
        )  # fmt: skip


_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)


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


def _days(lines: Sequence[_Line]) -> list[date] | None:
    """Returns the day of each line. None: no line names a date."""
    first = next((line for line in lines if line.says is not None), None)
    if first is None or first.says is None:
        return None
    zero = _shifted(first.says, -first.midnights)
    days = []
    for line in lines:
        if line.says is not None:
            zero = _shifted(line.says, -line.midnights)
        days.append(_shifted(zero, line.midnights))
    return days


def _shifted(day: date, by: int) -> date:
    return day + timedelta(days=by)


def _instant(day: date, line: _Line, zone: tzinfo) -> datetime:
    local = datetime.combine(day, time(fold=line.fold)) + line.clock
    return local.replace(tzinfo=zone, fold=line.fold).astimezone(UTC)


def decode_lines(raw: Iterable[bytes]) -> Iterator[str]:
    """Decodes lines: UTF-8 with or without a byte order mark, else Windows-1252."""
    for number, line in enumerate(raw):
        content = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        try:
            yield content.decode("utf-8")
        except UnicodeDecodeError:
            yield content.decode("cp1252", errors="replace")
