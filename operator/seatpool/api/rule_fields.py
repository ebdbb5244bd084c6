"""Table of the rules that decide how long a seat is kept, blocked or limited.

Every place that names a rule reads this table: the CRD's field descriptions, the options of `seatpool plan`, the messages of
`seatpool why`, and the statement for the vendor. A new rule is one line here, its field in `licensepool.py`, and its check in
the domain. The command line imports this module at every start, so it imports nothing but the standard library.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any


class Unit(Enum):
    """The kind of value that a rule has."""

    DURATION = auto()
    BUDGET = auto()
    """A count and a window."""


@dataclass(frozen=True, slots=True)
class RuleField:
    """One rule under each of its names."""

    spec: str
    """Name in the LicensePool's spec and in texts for users."""
    attribute: str
    """Name in `LicensePoolSpec` and in the domain's `PoolRules`."""
    option: str
    """Option of `seatpool plan`."""
    unit: Unit
    text: str
    """Description of the spec's field."""

    @property
    def metavar(self) -> str:
        """The placeholder of the option's value."""
        return "DURATION" if self.unit is Unit.DURATION else "N/DURATION"


MINIMUM_HOLD = RuleField(
    "minimumHold", "minimum_hold", "--hold", Unit.DURATION,
    "Vendor's rule: a seat once given is kept at least so long.",
)  # fmt: skip
LINGER = RuleField(
    "linger", "linger", "--linger", Unit.DURATION,
    "How long a seat is kept after the last workbench stops. A few minutes spare flapping.",
)  # fmt: skip
SEAT_COOL_DOWN = RuleField(
    "seatCoolDown", "seat_cool_down", "--cool-down", Unit.DURATION,
    "Vendor's rule: a freed seat is blocked for other people so long; the same person may come back.",
)  # fmt: skip
READMIT_AFTER = RuleField(
    "readmitAfter", "readmit_after", "--readmit", Unit.DURATION,
    "Vendor's rule: how long a user who left may not return.",
)  # fmt: skip
MAX_REASSIGNMENTS = RuleField(
    "maxReassignments", "max_reassignments", "--budget", Unit.BUDGET,
    "Vendor's rule: a budget of re-assignments that is never exceeded. Absent means no limit.",
)  # fmt: skip

RULE_FIELDS = (MINIMUM_HOLD, LINGER, SEAT_COOL_DOWN, READMIT_AFTER, MAX_REASSIGNMENTS)
DURATIONS = tuple(rule for rule in RULE_FIELDS if rule.unit is Unit.DURATION)
BY_SPEC_NAME = {rule.spec: rule for rule in RULE_FIELDS}


def duration_of(rules: Any, spec_name: str) -> timedelta | None:
    """Returns the duration of a rule in a pool's spec or rules. None: the field is no duration."""
    rule = BY_SPEC_NAME.get(spec_name)
    if rule is None or rule.unit is not Unit.DURATION:
        return None
    found: timedelta = getattr(rules, rule.attribute)
    return found
