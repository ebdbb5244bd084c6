"""Makes and reads the text of keys: `sp_`, 16 hexadecimal digits, `_`, 49 letters and digits.

The digits name the APIKey. The last six letters are a checksum of the rest, so that a scanner for secrets can tell a key from
other text without asking anybody, and a key with a typing error is refused before anything is looked up.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

PATTERN = r"sp_[0-9a-f]{16}_[0-9A-Za-z]{49}"
"""What every key matches, for scanners."""
_KEY = re.compile(r"(?P<signed>sp_(?P<id>[0-9a-f]{16})_(?P<secret>[0-9A-Za-z]{43}))(?P<check>[0-9A-Za-z]{6})")
_LOOK = re.compile(r"sp_[0-9a-f]{16}_")
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH = 43
"""Digits that 256 bits need."""
_CHECK_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Key:
    """A key. Only the part before the secret may be shown or stored."""

    id: str
    """Names the APIKey."""
    secret: str = field(repr=False)

    @property
    def prefix(self) -> str:
        """Returns the beginning of the key, by which it is recognised."""
        return f"sp_{self.id}"

    @property
    def hash(self) -> str:
        """Returns the SHA-256 of the secret. The secret is random, so it needs neither salt nor a slow hash."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    @property
    def text(self) -> str:
        """Returns the whole key."""
        signed = f"{self.prefix}_{self.secret}"
        return signed + _checksum(signed)


def make_key() -> Key:
    """Returns a new key with 256 random bits."""
    return Key(id=secrets.token_hex(8), secret=_digits(secrets.randbits(256), _SECRET_LENGTH))


def looks_like_key(text: str) -> bool:
    """Tells whether a text may be a key. Such a text is never sent to the API server."""
    return _LOOK.match(text) is not None


def read_key(text: str) -> Key | None:
    """Returns the key that a text is. None: it is none."""
    found = _KEY.fullmatch(text)
    if found is None or found["check"] != _checksum(found["signed"]):
        return None
    return Key(id=found["id"], secret=found["secret"])


def _checksum(text: str) -> str:
    return _digits(zlib.crc32(text.encode()), _CHECK_LENGTH)


def _digits(number: int, length: int) -> str:
    found = ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        found = _DIGITS[digit] + found
    return found
