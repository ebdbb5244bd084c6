"""Defines a user's need for a seat."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Need:
    """A user has had an active workbench of the pool's types without a break since then."""

    user: str
    since: datetime
