"""Renders users for a reader. This is the only place that decides what a reader sees of other users.

A reader sees the own name. Names of others are in SeatLedgers and Workbenches: whoever may list these may see names, and
everybody else sees numbers. So the API shows nobody more than Kubernetes would.
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
"""What stands for a user whose name the reader may not see. It has a space, so no user has that id."""
ASK = "a license admin sees which"
"""What stands for a text that may name users."""


@dataclass(frozen=True, slots=True)
class Persons:
    """What one reader may see of users."""

    own: str | None
    """User id of the reader. None: the reader is no user of Seatpool."""
    all_named: bool
    """Whether the reader may see the names of all users."""

    def __call__(self, user: str) -> str:
        """Returns a user as the reader may see it."""
        return user if self.may_see(user) else HIDDEN

    def may_see(self, user: str) -> bool:
        """Tells whether the reader may see who this is."""
        return self.all_named or user == self.own

    def who(self, found: Who) -> Who:
        """Returns the holders and the waiting line as the reader may see them."""
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
    message = problem.message
    return replace(message, text=message.text.replace(problem.detail, ASK)) if problem.detail else message


ALL_NAMED = Persons(None, all_named=True)
"""What readers see who may see the names of all users."""
