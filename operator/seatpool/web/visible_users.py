"""Renders users for a caller. This is the only place that decides what a caller sees of other users.

A caller sees the own name. Names of others are in SeatLedgers and Workbenches. A caller who may list both sees names, and
others see numbers. So the API shows no caller more than Kubernetes would.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from seatpool.explain.messages import Message
from seatpool.explain.problems import Problem
from seatpool.explain.who import HolderLine, WaiterLine, Who
from seatpool.explain.why import Explanation, PoolExplanation

L = TypeVar("L", HolderLine, WaiterLine)
HIDDEN = "another user"
"""What stands for a user whose name the caller may not see. It has a space, so no user has that id."""
ASK = "a license admin sees which"
"""What stands for a text that may name users."""


@dataclass(frozen=True, slots=True)
class VisibleUsers:
    """What one caller may see of users."""

    own: str | None
    """User id of the caller. None: the caller is no user of Seatpool."""
    all_named: bool
    """Whether the caller may see the names of all users."""

    def __call__(self, user: str) -> str:
        """Returns a user as the caller may see it."""
        return user if self.may_see(user) else HIDDEN

    def may_see(self, user: str) -> bool:
        """Tells whether the caller may see who this is."""
        return self.all_named or user == self.own

    def who(self, found: Who) -> Who:
        """Returns the holders and the waiting line as the caller may see them."""
        return replace(
            found,
            holders=tuple(self._line(one) for one in found.holders),
            waiting=tuple(self._line(one) for one in found.waiting),
            denied=tuple(dict.fromkeys(self(one) for one in found.denied)),
            problems=self.problems(found.problems),
        )

    def explanation(self, found: Explanation) -> Explanation:
        """Returns an explanation that was made with this object as `named`. Nothing else in it names others either."""
        return found if self.all_named else replace(found, pools=tuple(self._pool(one) for one in found.pools))

    def problems(self, found: Iterable[Problem]) -> tuple[Problem, ...]:
        """Returns the problems. Details come from conditions, and may name users."""
        if self.all_named:
            return tuple(found)
        return tuple(replace(one, message=_without_detail(one), detail="") for one in found)

    def _pool(self, found: PoolExplanation) -> PoolExplanation:
        return replace(found, stop=None, problems=self.problems(found.problems))

    def _line(self, line: L) -> L:
        if self.may_see(line.user):
            return line
        return replace(line, user=HIDDEN, workbenches=())


def _without_detail(problem: Problem) -> Message:
    """Returns the message of a problem without its detail, which some messages have in them."""
    before, detail, after = problem.message.text.rpartition(problem.detail) if problem.detail else ("", "", "")
    return replace(problem.message, text=before + ASK + after) if detail else problem.message


ALL_NAMED = VisibleUsers(None, all_named=True)
"""What callers see who may see the names of all users."""
