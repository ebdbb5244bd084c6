"""Holds back a change that would release suspiciously many users within a short time.

A wrong tag, a wrong account or a wiped cluster looks as if every user went home within minutes. So releases are counted over
`spec.guard.window`, for each pool and for the server, and compared with all users who had a seat in that time. An admin who
knows that a change is right approves it with an annotation that names this change.

A *token* names one change: its number on this server, and the instant until which it was seen. An approval is for the users
whose seats were over by that instant, and only while this change is held. So users who come to be released later stay held,
and an annotation that stays behind approves nothing else.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.api.base import format_duration
from seatpool.api.licenseserver import Guard, GuardStatus, LicenseServer
from seatpool.api.reasons import ConditionReason, message
from seatpool.domain.instants import before, to_milliseconds
from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason

_ORDERED = frozenset({Reason.SEATS_REDUCED, Reason.MADE_ROOM_FOR_PROTECTED, Reason.USER_DENIED})
"""Users who leave for these reasons leave because an admin said so. They do not count."""
_WRITTEN = re.compile(r"([0-9]{1,9})-([0-9]{8}T[0-9]{9}Z)")
_TIME = "%Y%m%dT%H%M%S%f"
_POOLS_NAMED = 5


@dataclass(frozen=True, slots=True)
class PoolChange:
    """What would change in one pool."""

    pool: str
    present: int
    """Users who have a seat."""
    gone: int
    """Users who lost their seat within the window, and have not returned."""
    leaving: Mapping[str, datetime]
    """Users who would lose their seat now, and when it was over."""

    def without(self, approved: Container[tuple[str, str]]) -> Self:
        """Returns what is left of the change after an approval, with which the window begins anew."""
        rest = {user: end for user, end in self.leaving.items() if (self.pool, user) not in approved}
        return type(self)(self.pool, self.present - len(self.leaving) + len(rest), 0, rest)


@dataclass(frozen=True, slots=True)
class Token:
    """Names one change, in annotations and messages."""

    number: int
    """The how manieth held change of the server it is."""
    seen: datetime
    """The end of the last seat of the change, UTC."""

    def __str__(self) -> str:
        seen = self.seen.replace(tzinfo=None).isoformat(timespec="milliseconds")
        return f"{self.number}-{re.sub('[-:.]', '', seen)}Z"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Returns the token of a text. None: it is none."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            return None
        try:
            seen = datetime.strptime(f"{found[2][:-1]}000", _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(int(found[1]), seen)

    def covers(self, end: datetime) -> bool:
        """Tells whether a user whose seat was over at this instant was part of the change."""
        return to_milliseconds(end) <= self.seen


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change that waits for the approval of an admin, or that one approved."""

    token: Token
    leaving: frozenset[tuple[str, str]]
    """The (pool, user) pairs that are concerned."""
    gone: int
    """Users who lost their seats within the window before."""
    present: int
    """Users who had a seat within the window."""
    guard: Guard
    pools: tuple[str, ...] = ()
    """The pools that lose too many. Empty: all pools together do."""

    def message(self, server: LicenseServer) -> str:
        """Returns the text of the condition and of the Event: the numbers, and the command that approves."""
        named = ", ".join(self.pools[:_POOLS_NAMED]) + (", ..." if len(self.pools) > _POOLS_NAMED else "")
        return message(
            ConditionReason.TOO_MANY_RELEASES,
            total=len(self.leaving) + self.gone,
            present=self.present,
            where=f" of {named}" if named else "",
            window=format_duration(self.guard.window),
            percent=self.guard.max_release_percent,
            leaving=len(self.leaving),
            gone=self.gone,
            server=server.metadata.name,
            namespace=server.metadata.namespace,
            token=self.token,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says of a change."""

    status: GuardStatus
    """What has to be stored of it."""
    held: HeldChange | None = None
    """What is held back; the rest may go on."""
    approved: HeldChange | None = None
    """What would be held back if no admin had approved it."""


def window_begin(server: LicenseServer, now: datetime) -> datetime:
    """Returns the instant after which releases count. What went before an approved change does not."""
    begin, approved = before(now, server.spec.guard.window), server.status.guard.approved_at
    return begin if approved is None or approved > now else max(begin, approved)


def count_gone(memory: PoolMemory, *, since: datetime) -> int:
    """Returns how many users lost their seat after an instant because their workbenches were gone, and did not return."""
    return sum(to_milliseconds(gone.at) > since for gone in memory.left.values() if gone.reason not in _ORDERED)


def none_held(server: LicenseServer) -> Verdict:
    """Returns what the guard says if it lets everything go on."""
    return Verdict(server.status.guard.model_copy(update={"held": None}))


def weigh(server: LicenseServer, changes: Iterable[PoolChange], *, now: datetime) -> Verdict:
    """Decides about the changes of all pools of a server."""
    weighed, stored = list(changes), server.status.guard
    number = stored.changes if stored.held is not None else stored.changes + 1
    held = _held(server.spec.guard, weighed, number)
    if held is None:
        return none_held(server)
    token = _approval(server, now)
    covered = _covered(held, weighed, token) if token is not None and stored.held is not None else frozenset()
    if token is None or not covered:
        return Verdict(_holding(stored, held), held=held)
    remaining = _held(server.spec.guard, [one.without(covered) for one in weighed], number + 1)
    used = stored.model_copy(update={"held": None, "approved": str(token), "approved_at": to_milliseconds(now)})
    return Verdict(
        used if remaining is None else _holding(used, remaining),
        held=remaining,
        approved=HeldChange(token, covered, held.gone, held.present, held.guard, held.pools),
    )


def _holding(stored: GuardStatus, held: HeldChange) -> GuardStatus:
    return stored.model_copy(update={"changes": held.token.number, "held": str(held.token)})


def _held(limits: Guard, changes: list[PoolChange], number: int) -> HeldChange | None:
    """Returns what must be held: all that leave if they are too many together, or else those of pools that lose too many."""
    pools: tuple[str, ...] = ()
    concerned = changes
    if not _is_too_much(limits, changes):
        concerned = [one for one in changes if one.leaving and _is_too_much(limits, [one])]
        pools = tuple(sorted(one.pool for one in concerned))
    leaving = {(one.pool, user): end for one in concerned for user, end in one.leaving.items()}
    if not leaving:
        return None
    return HeldChange(
        token=Token(number, to_milliseconds(max(leaving.values()))),
        leaving=frozenset(leaving),
        gone=sum(one.gone for one in concerned),
        present=sum(one.present + one.gone for one in concerned),
        guard=limits,
        pools=pools,
    )


def _is_too_much(limits: Guard, changes: list[PoolChange]) -> bool:
    had_seats = sum(one.present + one.gone for one in changes)
    lost = sum(len(one.leaving) + one.gone for one in changes)
    return had_seats >= limits.min_users and lost * 100 > had_seats * limits.max_release_percent


def _approval(server: LicenseServer, now: datetime) -> Token | None:
    """Returns the approval of the change that is held now. None: there is none, or it is of another change."""
    token = Token.parse(server.metadata.annotations.get(APPROVE_CHANGE, ""))
    return token if token is not None and token.number == server.status.guard.changes and token.seen <= now else None


def _covered(held: HeldChange, changes: list[PoolChange], token: Token) -> frozenset[tuple[str, str]]:
    ends = {(one.pool, user): end for one in changes for user, end in one.leaving.items()}
    return frozenset(pair for pair in held.leaving if token.covers(ends[pair]))
