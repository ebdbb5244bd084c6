"""An object that cannot be read is told of in our words."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.unit.control.objects import raw_ledger, raw_pool, raw_server, raw_workbench

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.problems import problem_of
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench

KINDS = {LicenseServer: raw_server, LicensePool: raw_pool, SeatLedger: raw_ledger, Workbench: raw_workbench}
LIBRARY = re.compile(r"pydantic|Input should|input_|Value error|valid |\{[a-z_]+\}")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def problem(kind: type[Resource], raw: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(raw)
    return problem_of(refused.value)


TOLD = {
    "a duration that is too long": (
        LicensePool, raw_pool(minimumHold="99999999999d"),
        "spec.minimumHold: '99999999999d' cannot be used: '99999999999d' is longer than any duration that can be kept; "
        "use at most 36500d",
    ),
    "a time that is none": (
        Workbench, raw_workbench(stateChangedAt="2026-02-30T00:00:00Z"),
        "spec.stateChangedAt: '2026-02-30T00:00:00Z' cannot be used: write a time of the years 1 to 9999 in UTC, such as "
        "2026-03-09T08:00:00Z",
    ),
    "a time outside the calendar": (
        Workbench, raw_workbench(launchedAt="0001-01-01T00:00:00+14:00"),
        "spec.launchedAt: '0001-01-01T00:00:00+14:00' cannot be used: 0001-01-01T00:00:00+14:00 is no time of the years 1 to "
        "9999 in UTC",
    ),
    "a word of a list of words": (
        Workbench, raw_workbench(state="asleep"),
        "spec.state: 'asleep' cannot be used: write 'pending', 'running', 'stopping', 'stopped', 'shutting-down' or "
        "'terminated'",
    ),
    "a number that is too large": (
        LicensePool, raw_pool(seats=5001), "spec.seats: 5001 cannot be used: write 5000 or less",
    ),
    "control characters": (
        Workbench, raw_workbench(state="\x1b[2J\u202e"),
        "spec.state: '\\x1b[2J\\u202e' cannot be used: write 'pending', 'running', 'stopping', 'stopped', 'shutting-down' or "
        "'terminated'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "raw", "told"), TOLD.values(), ids=TOLD)
def test_the_field_the_value_and_what_would_be_right_are_told(
    kind: type[Resource], raw: dict[str, Any], told: str
) -> None:
    assert problem(kind, raw) == told


@given(kind=st.sampled_from(list(KINDS)), data=st.data())
def test_no_text_of_the_library_is_told_whatever_is_wrong(kind: type[Resource], data: st.DataObject) -> None:
    raw = KINDS[kind]()
    value = data.draw(VALUES)
    raw["spec"][data.draw(st.sampled_from(sorted(raw["spec"])))] = value
    try:
        kind.model_validate(raw)
    except ValidationError as refused:
        text = problem_of(refused).replace(ascii(value)[:60], "").removeprefix("spec.")
        assert not LIBRARY.search(text.partition(" cannot be used: ")[2]), text
        assert text.isprintable()
