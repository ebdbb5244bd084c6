"""Holds one-time codes that sign a reader in: whoever opens a link with one is signed in with the token that it stands for.

`seatpool web` makes none. A program that embeds it and has a token for its user can.
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

    def make(self, token: str) -> str:
        """Returns a new code for a token."""
        code = secrets.token_urlsafe(24)
        self._tokens[code] = token, self.monotonic() + LASTS
        return code

    def take(self, code: str) -> str | None:
        """Returns the token of a code, once. None: there is no such code, it was taken, or it has ended."""
        token, until = self._tokens.pop(code, ("", 0.0))
        return token if token and self.monotonic() < until else None
