"""Replaces the names of users in the history by pseudonyms, if the settings name a salt.

A pseudonym is a keyed hash. With the salt it can be computed from a name, to find one user's seats when that is
allowed. Without the salt it cannot, not even by trying all names. The ids of rows are made from the pseudonym too.
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
    """The salt file cannot be used. Recording under the real names instead would be wrong."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names of users in the history."""

    salt: bytes | None = None
    """None: users keep their names."""

    @classmethod
    def from_file(cls, file: Path | None) -> Self:
        """Reads the salt from a file. None: users keep their names. Raises UnusableSalt."""
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
        """Returns the name of a user in the history."""
        if self.salt is None:
            return user
        return "p-" + hmac.new(self.salt, user.encode(), hashlib.sha256).hexdigest()[:LENGTH]
