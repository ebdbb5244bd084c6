"""People's names in the history: as they are, or as pseudonyms where nobody may be judged by what they did.

A pseudonym is a keyed hash. Whoever has the salt can compute it from a name, to find one person's seats when that is allowed;
without it nobody can, not even by trying all names. The ids of rows are made from the pseudonym too.
"""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from seatpool.domain.errors import SeatpoolError

LENGTH = 16
SHORTEST_SALT = 16


class UnusableSalt(SeatpoolError):
    """The file with the salt cannot be used; nobody's name may be recorded instead."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """How people are called in the history."""

    salt: bytes | None = None

    @classmethod
    def from_file(cls, file: Path | None) -> Self:
        """With the salt in a file; without a file people keep their names."""
        if file is None:
            return cls()
        try:
            salt = file.read_bytes().strip()
        except OSError as error:
            raise UnusableSalt(f"salt file {file}: {error.strerror or error}; name a file that can be read") from error
        if len(salt) < SHORTEST_SALT:
            raise UnusableSalt(
                f"salt file {file}: {len(salt)} bytes are too few to keep a secret; write {SHORTEST_SALT} or more"
            )
        return cls(salt)

    def of(self, user: str) -> str:
        """The name for the history."""
        if self.salt is None:
            return user
        return "p-" + hmac.new(self.salt, user.encode(), hashlib.sha256).hexdigest()[:LENGTH]
