"""Holds codes that sign a reader in: a caller who opens a link with one is signed in with the token that it stands for.

`seatpool web` makes none. A program that embeds it and has a token for its user can. A code can be taken once, unless the
program says that it can be taken again and again, as the demo does on its own machine.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

LASTS = 600.0
"""Seconds for which a code can be taken."""


@dataclass
class SignInCodes:
    """The codes that were not taken yet."""

    monotonic: Callable[[], float] = time.monotonic
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict, init=False, repr=False)
    _lasting: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def make(self, token: str, *, once: bool = True) -> str:
        """Returns a new code for a token. `once` False: it can be taken as long as this process lives."""
        code = secrets.token_urlsafe(24 if once else 12)
        if once:
            self._tokens[code] = token, self.monotonic() + LASTS
        else:
            self._lasting[code] = token
        return code

    def take(self, code: str) -> str | None:
        """Returns the token of a code. None: there is no such code, it was taken, or it has ended."""
        token, until = self._tokens.pop(code, ("", 0.0))
        if token:
            return token if self.monotonic() < until else None
        return self._lasting.get(code)
