"""What becomes of an APIKey, case by case."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.explain.cluster import NOW
from tests.unit.web.keys.objects import SETTINGS, api_key, state

from seatpool.api.apikey import APIKey, KeyPhase, KeyScope
from seatpool.api.base import format_duration, format_instant
from seatpool.web.keys.lifecycle import end_of, status_of

POOL = {"scope": "Pool", "pool": "matlab"}


def at(days: float) -> str:
    return format_instant(NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("what", "phase", "reason", "approved"),
    [
        ({}, "Approved", "KeyNotTaken", "True"),
        (POOL, "Requested", "ApprovalNeeded", "Unknown"),
        (POOL | {"approved": True}, "Approved", "KeyNotTaken", "True"),
        (POOL | {"approved": False}, "Refused", "ApprovalRefused", "False"),
        ({"approved": False}, "Refused", "ApprovalRefused", "False"),
        ({"validFor": "91d"}, "Refused", "TooLong", "False"),
        (POOL | {"validFor": "91d", "approved": True}, "Refused", "TooLong", "False"),
        ({"expiresAt": at(91)}, "Refused", "TooLong", "False"),
        ({"validFor": "90d"}, "Approved", "KeyNotTaken", "True"),
        ({"expiresAt": at(-1)}, "Ended", "KeyExpired", "True"),
        ({"revoked": True}, "Ended", "KeyRevoked", "True"),
        ({"issued": True}, "Issued", "KeyIssued", "True"),
        (POOL | {"issued": True}, "Issued", "KeyIssued", "True"),
        (POOL | {"issued": True, "approved": False}, "Refused", "ApprovalRefused", "False"),
        ({"issued": True, "revoked": True}, "Ended", "KeyRevoked", "True"),
        ({"issued": True, "expires": NOW}, "Ended", "KeyExpired", "True"),
        ({"issued": True, "phase": "Ended"}, "Ended", "KeyRevoked", "True"),
        ({"workbench": "w"}, "Approved", "KeyNotTaken", "True"),
        ({"status": {"hash": "0" * 64}}, "Ended", "KeyExpired", "True"),
    ],
)
def test_each_case(what: dict[str, Any], phase: str, reason: str, approved: str) -> None:
    key = api_key(**what)
    found = state(key)
    assert (found.phase.value, found.ready.value) == (phase, reason)
    status = status_of(key, found, now=NOW)
    assert {one.type: one.status.value for one in status.conditions} == {
        "Ready": {"Issued": "True", "Requested": "Unknown"}.get(phase, "False"),
        "Approved": approved,
    }
    assert status_of(key.model_copy(update={"status": status}), found, now=NOW + timedelta(hours=1)) == status
    for said in (found.said, found.approval_said):
        assert said
        assert "{" not in said.replace('{"spec":{"approved":true}}', "")
        assert "None" not in said


def test_a_key_ends_with_its_workbench_and_does_not_come_back_with_it() -> None:
    key = api_key(issued=True, workbench="w")
    assert state(key).phase is KeyPhase.ISSUED
    ended = state(key, has_workbench=False)
    assert ended.ready.value == "WorkbenchEnded"
    again = key.model_copy(update={"status": status_of(key, ended, now=NOW)})
    assert state(again, has_workbench=True).ready.value == "WorkbenchEnded"


def test_what_was_approved_by_settings_stays_so_when_they_change() -> None:
    strict = SETTINGS.model_copy(update={"approve": (), "longest": timedelta(minutes=1)})
    assert state(api_key(issued=True), strict).phase is KeyPhase.ISSUED
    assert state(api_key(), SETTINGS.model_copy(update={"approve": ()})).phase is KeyPhase.REQUESTED


@given(
    approves=st.lists(st.sets(st.sampled_from(KeyScope)), min_size=2, max_size=3),
    longest=st.lists(st.integers(min_value=1, max_value=365), min_size=2, max_size=3),
    scope=st.sampled_from(KeyScope),
    approved=st.sampled_from([True, False, None]),
    valid_for=st.integers(min_value=1, max_value=365) | st.none(),
)
def test_replicas_with_different_settings_come_to_one_status(
    approves: list[set[KeyScope]], longest: list[int], scope: KeyScope, approved: bool | None, valid_for: int | None
) -> None:
    """Replicas write in turns. What one of them approved, the others do not take back."""
    replicas = [
        SETTINGS.model_copy(update={"approve": tuple(scopes), "longest": timedelta(days=days)})
        for scopes, days in zip(approves, longest, strict=False)
    ]
    spec: dict[str, Any] = {"scope": scope.value, "approved": approved}
    if scope is KeyScope.POOL:
        spec["pool"] = "matlab"
    if valid_for is not None:
        spec["validFor"] = format_duration(timedelta(days=valid_for))
    key = api_key(**spec)
    seen = []
    for settings in replicas * 3:
        key = key.model_copy(update={"status": status_of(key, state(key, settings), now=NOW)})
        seen.append(key.status.phase)
    if KeyPhase.APPROVED in seen:
        assert set(seen[seen.index(KeyPhase.APPROVED) :]) == {KeyPhase.APPROVED}


def test_a_request_is_not_good_for_ever() -> None:
    assert state(api_key(), now=NOW + timedelta(days=89)).phase is KeyPhase.APPROVED
    assert state(api_key(), now=NOW + timedelta(days=90)).ready.value == "KeyExpired"


DAYS = st.integers(min_value=1, max_value=365)


@given(DAYS | st.none(), DAYS | st.none(), DAYS, st.sampled_from(KeyScope), st.sampled_from([True, False, None]))
def test_no_key_is_valid_longer_than_the_settings_allow(
    valid_for: int | None, until: int | None, longest: int, scope: KeyScope, approved: bool | None
) -> None:
    settings = SETTINGS.model_copy(update={"longest": timedelta(days=longest), "approve": tuple(KeyScope)})
    spec: dict[str, Any] = {"scope": scope.value, "approved": approved}
    if valid_for is not None:
        spec["validFor"] = format_duration(timedelta(days=valid_for))
    elif until is not None:
        spec["expiresAt"] = at(until)
    key: APIKey = api_key(**spec)
    end = end_of(key, settings, now=NOW)
    assert end <= NOW + settings.longest
    if approved is False:
        assert state(key, settings).phase is KeyPhase.REFUSED
    elif state(key, settings).phase is KeyPhase.APPROVED and valid_for is not None:
        assert end == NOW + timedelta(days=valid_for)
