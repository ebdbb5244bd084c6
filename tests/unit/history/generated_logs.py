"""Generated logs of a license server, and a simple matcher that says what they mean.

A log has what real ones have: lines that are lost, doubled or swapped, several in one second, rereads and restarts. The
matcher shares no code with the importer. It knows the instants that the generator chose and keeps one list of open
check-outs for each host.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
LONGEST = timedelta(days=1)
REREAD = ("Rereading license file...", "Server started on lic1 for: F")
RESTART = ("FlexNet Licensing version v11.19.0.0 build 1 x64_lsb", "Server started on lic1 for: F")

Covered = dict[tuple[str, str], list[tuple[datetime, datetime]]]


@dataclass(frozen=True)
class Line:
    at: datetime
    text: str
    event: tuple[str, ...] = ()
    """OUT or IN with feature, user and host; REREAD; RESTART; or nothing."""

    def __str__(self) -> str:
        return f"{self.at.hour:2d}:{self.at:%M:%S} ({'lmgrd' if 'TIMESTAMP' in self.text else 'vend'}) {self.text}"


def generated_log(random: Random) -> list[Line]:
    """A log of a few days."""
    lines = list(_blocks(random))
    lines = list(_damaged(lines, random))
    for index in range(len(lines) - 1):
        one, other = lines[index : index + 2]
        close = other.at - one.at < timedelta(minutes=5)
        if random.random() < 0.03 and close and _is_use(one) and _is_use(other):
            lines[index : index + 2] = other, one
    return lines


def _blocks(random: Random) -> Iterator[Line]:
    at, stamped = MIDNIGHT + timedelta(hours=random.randrange(24)), MIDNIGHT - timedelta(days=1)
    people = [(user, host) for user in ("ann", "bob", "Jo Doe") for host in ("ws1", "ws2")]
    for _ in range(random.choice((5, 30, 120))):
        step = random.choice((0, 0, 1, 60, 1200, 7200, 20_000))
        for _ in range(step // 7200):
            at += timedelta(seconds=7200)
            if at - stamped > timedelta(hours=4):
                yield Line(at, f"TIMESTAMP {at.month}/{at.day}/{at.year}")
                stamped = at
        at += timedelta(seconds=step % 7200)
        if at - stamped > timedelta(hours=4):
            yield Line(at, f"TIMESTAMP {at.month}/{at.day}/{at.year}")
            stamped = at
        kind = random.random()
        if kind < 0.04:
            yield Line(at, REREAD[0], ("REREAD",))
            yield Line(at + timedelta(seconds=1), REREAD[1], ("SERVES",))
            at += timedelta(seconds=1)
        elif kind < 0.07:
            yield Line(at, RESTART[0])
            yield Line(at + timedelta(seconds=1), RESTART[1], ("RESTART",))
            at += timedelta(seconds=1)
        else:
            user, host = random.choice(people)
            act, feature = random.choice(("OUT", "IN")), random.choice("FG")
            yield Line(at, f'{act}: "{feature}" {user}@{host}', (act, feature, user.lower(), host))


def _damaged(lines: Iterable[Line], random: Random) -> Iterator[Line]:
    for line in lines:
        if not (_is_use(line) and random.random() < 0.05):
            yield line
        if _is_use(line) and random.random() < 0.03:
            yield line


def _is_use(line: Line) -> bool:
    return bool(line.event) and line.event[0] in ("OUT", "IN")


def pieces(lines: Sequence[Line], random: Random) -> list[list[Line]]:
    """The log in files that meet or overlap. Each has a date, and no lines are swapped across a cut."""
    parts = [list(lines)]
    for _ in range(random.randrange(4)):
        cut = random.randrange(len(lines))
        back = random.choice((0, 40))
        if max((line.at for line in lines[:cut]), default=MIDNIGHT) > min(line.at for line in lines[cut:]):
            continue
        if cut > back and _is_dated(lines[:cut]) and _is_dated(lines[cut - back :]) and len(parts) == 1:
            parts = [list(lines[:cut]), list(lines[cut - back :])]
    random.shuffle(parts)
    return parts


def _is_dated(lines: Iterable[Line]) -> bool:
    return any("TIMESTAMP" in line.text for line in lines)


def simply_matched(lines: Iterable[Line]) -> tuple[Covered, Counter[str]]:
    """The time in which each user had each feature, and the number of lines that do not fit."""
    opened: dict[tuple[str, ...], list[datetime]] = {}
    covered: Covered = {}
    odd: Counter[str] = Counter()
    alive = last = MIDNIGHT

    def lost(host: tuple[str, ...], since: datetime, limit: datetime) -> None:
        odd["out_without_in"] += 1
        covered.setdefault((host[0], host[1]), []).append((since, min(limit, since + LONGEST)))

    for line in sorted((line for line in lines if line.event), key=lambda line: line.at):
        act, *host_words = line.event
        host = tuple(host_words)
        if act == "RESTART":
            for key, sinces in opened.items():
                for since in sinces:
                    if since + LONGEST <= alive:
                        lost(key, since, alive)
                    else:
                        covered.setdefault((key[0], key[1]), []).append((since, alive))
            opened.clear()
        elif act == "OUT":
            opened.setdefault(host, []).append(line.at)
        elif act == "IN" and opened.get(host):
            covered.setdefault((host[0], host[1]), []).append((opened[host].pop(), line.at))
        elif act == "IN":
            odd["in_without_out"] += 1
        alive = last = line.at
    for key, sinces in opened.items():
        for since in sinces:
            lost(key, since, last)
    return {key: joined(found) for key, found in covered.items()}, odd


def joined(found: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The union of intervals, without those of no length."""
    union: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(found):
        if union and begin <= union[-1][1]:
            union[-1] = union[-1][0], max(union[-1][1], end)
        elif begin < end:
            union.append((begin, end))
    return union
