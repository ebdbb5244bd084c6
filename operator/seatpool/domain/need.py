"""What a person needs from a pool."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Need:
    """A person has an active workbench of the pool's types, without a break since then."""

    user: str
    since: datetime
