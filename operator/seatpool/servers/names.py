"""Turns user ids into the names that a license server has, and back.

Both ways are one value, so a server that changes case or adds a domain is in sync. A user id that would not come back as it
went cannot be on the list, and the caller is told why.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from seatpool.api.list_names import LetterCase, ListNames
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.commands import is_user

_USER = "{user}"


class Unlistable(SeatpoolError):
    """A list cannot have a user. The message says why."""


@dataclass(frozen=True, slots=True)
class NameRendering:
    """The names of one license server."""

    before: str = ""
    after: str = ""
    case: LetterCase = LetterCase.AS_IS

    @classmethod
    def of(cls, names: ListNames, *, ignores_case: bool = False) -> Self:
        """Returns the rendering that a LicenseServer asks for. `ignores_case`: the server tells no case apart."""
        before, _, after = names.template.partition(_USER)
        case = LetterCase.LOWER if ignores_case and names.case is LetterCase.AS_IS else names.case
        return cls(before, after, case)

    @property
    def is_plain(self) -> bool:
        """Whether every name is the user id itself."""
        return self == PLAIN

    def name(self, user: str) -> str:
        """Returns the name of a user. Raises Unlistable."""
        if self.case is LetterCase.AS_IS:
            return f"{self.before}{user}{self.after}"
        if user != user.lower():
            raise Unlistable(f"{user} has capital letters, which the names of this license server do not tell apart")
        cased = user.upper() if self.case is LetterCase.UPPER else user
        return f"{self.before}{cased}{self.after}"

    def user(self, name: str) -> str | None:
        """Returns the user of a name. None: the name is not of this server's form, so it is no user of ours."""
        before, after = self.before, self.after
        compared = name
        if self.case is not LetterCase.AS_IS:
            before, after, compared = before.lower(), after.lower(), name.lower()
        if len(compared) <= len(before) + len(after):
            return None
        if not compared.startswith(before) or not compared.endswith(after):
            return None
        return compared[len(before) : len(compared) - len(after)]

    def users(self, names: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Returns the users of names, each once, and the names that are not of this server's form. Both are sorted."""
        named = {name: name if self.is_plain else self.user(name) for name in names}
        users = {user for user in named.values() if user is not None and is_user(user)}
        strangers = {name for name, user in named.items() if user is None or not is_user(user)}
        return tuple(sorted(users)), tuple(sorted(strangers))


PLAIN = NameRendering()
"""Every name is the user id itself."""
