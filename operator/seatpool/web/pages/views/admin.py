"""What the page of an admin shows: what needs a hand first, then a held change, servers, lists that differ, and pools."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason
from seatpool.explain.held_change import ApprovalRequest
from seatpool.explain.list_diff import Diff
from seatpool.explain.overview import Overview, ServerLine
from seatpool.text import format_count, format_names
from seatpool.web.pages.views.badge import Badge, Tone
from seatpool.web.pages.views.pool import PoolRow, pool_row

MOST_USERS = 200
"""Users of a held change that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that needs a hand, or that an admin set on purpose."""

    text: str
    object: str = ""
    detail: str = ""
    is_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldChange:
    """A change that the operator holds back until an admin approves it."""

    server: str
    message: str
    since: datetime
    users: tuple[tuple[str, str, bool], ...]
    """Pool, user, and whether the user has no workbench any more."""
    more: int
    later: int
    """Users who came to leave later. They are not approved with it."""
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRow:
    """The line of a license server."""

    id: str
    name: str
    badge: Badge
    lists: int
    users: int
    revision: int
    last_changed: datetime | None
    last_verified: datetime | None
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """The list of a pool: as it should be and as it was read back."""

    id: str
    pool: str
    badge: Badge
    desired: int | None
    read_back: int | None
    hash: str
    revision: int | None
    verified: datetime | None
    difference: str
    """Who is missing or too many. Empty: nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminView:
    """The whole page."""

    badge: Badge
    headline: str
    troubles: tuple[Trouble, ...]
    notes: tuple[Trouble, ...]
    held: tuple[HeldChange, ...]
    operators: tuple[tuple[bool, str], ...]
    servers: tuple[ServerRow, ...]
    lists: tuple[ListRow, ...]
    pools: tuple[PoolRow, ...]


def admin_view(
    found: Overview, held: Iterable[HeldChange], lists: Iterable[ListRow]
) -> AdminView:  # fmt: skip
    """Returns what the page shows."""
    changes = tuple(held)
    troubles = tuple(_troubles(found, {f"{LicenseServer.kind} {one.server}" for one in changes}))
    count = len(troubles) + len(changes)
    return AdminView(
        badge=Badge(Tone.BAD, "Needs a hand") if count else Badge(Tone.GOOD, "All well"),
        headline=f"{format_count(count, 'thing')} to look at" if count else "Nothing needs a hand",
        troubles=troubles,
        notes=tuple(_notes(found)),
        held=changes,
        operators=tuple((one.is_well, one.text) for one in found.operators),
        servers=tuple(_server(one) for one in found.servers),
        lists=tuple(lists),
        pools=tuple(pool_row(one) for one in found.pools),
    )


def held_change(
    request: ApprovalRequest, named: Mapping[str, Callable[[str], str]], has_workbench: Callable[[str], bool]
) -> HeldChange:
    """Returns a held change. `named` returns by pool what the reader may see of a user's id."""
    shown = request.leaving[:MOST_USERS]
    namespace, _, name = request.server.partition("/")
    return HeldChange(
        server=request.server,
        message=request.message,
        since=request.since,
        users=tuple((pool, named[pool](user), not has_workbench(user)) for pool, user in shown),
        more=len(request.leaving) - len(shown),
        later=len(request.held_on),
        command=f"kubectl seatpool approve server/{quote(name)} -n {quote(namespace)}",
    )


def list_row(found: Diff, named: Callable[[str], str]) -> ListRow:
    """Returns the line of a pool's list. `named` returns what the reader may see of a user's id."""
    should, _, read = found.states
    well = found.is_well
    return ListRow(
        id=f"list:{found.pool}",
        pool=found.pool,
        badge=Badge(Tone.GOOD, "In sync") if well else Badge(Tone.BAD, found.reason or "No status yet"),
        desired=should.people,
        read_back=read.people,
        hash=(should.hash or "")[:12],
        revision=read.revision,
        verified=read.at,
        difference=_difference(found, named),
    )


def _difference(found: Diff, named: Callable[[str], str]) -> str:
    differs = found.difference
    if differs is None:
        return ""
    parts = []
    for users, number, what in ((differs.add, differs.adds, "missing"), (differs.remove, differs.removes, "too many")):
        if number:
            names = format_names(dict.fromkeys(named(user) for user in users))
            parts.append(f"{number} {what}: {names}")
    return "; ".join(parts)


def _troubles(found: Overview, held: Container[str]) -> Iterable[Trouble]:
    """Yields what needs a hand, without the held changes: each has a place of its own, with its users."""
    yield from (Trouble(text=one.text) for one in found.operators if not one.is_well)
    for problem in found.problems:
        if problem.object in held and problem.message.id == ConditionReason.TOO_MANY_RELEASES:
            continue
        text = problem.message.text
        yield Trouble(text=text, object=problem.object, detail="" if problem.detail in text else problem.detail)
    for refused in found.refused_owners:
        active = format_count(refused.workbenches, "active workbench", "active workbenches")
        yield Trouble(text=f"{active} get no seat: {refused.problem}", object=f"Workbench {refused.example}")
    yield from (Trouble(text=f"Cannot be read: {text}") for text in found.unreadable)


def _notes(found: Overview) -> Iterable[Trouble]:
    yield from (Trouble(text=one.message.text, object=one.object, is_note=True) for one in found.notes)
    for unserved in found.unserved_types:
        active = format_count(unserved.workbenches, "active workbench", "active workbenches")
        yield Trouble(
            text=f"{active} of type {unserved.type}: no pool serves this type", object=f"Workbench {unserved.example}",
            is_note=True,
        )  # fmt: skip


def _server(line: ServerLine) -> ServerRow:
    if line.problems:
        badge = Badge(Tone.BAD, format_count(line.problems, "problem"))
    elif line.ready == "yes":
        badge = Badge(Tone.GOOD, "Ready")
    else:
        badge = Badge(Tone.QUIET, "Not known yet" if line.ready != "no" else "Not ready")
    return ServerRow(
        id=f"server:{line.name}", name=line.name, badge=badge, lists=line.lists, users=line.people, revision=line.revision,
        last_changed=line.last_changed, last_verified=line.last_verified, mode=line.mode,
    )  # fmt: skip
