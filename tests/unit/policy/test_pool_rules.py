"""Rules of a pool follow the identity settings."""

import pytest
from tests.unit.control.objects import pool

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePoolSpec
from seatpool.domain.identity import InvalidUser
from seatpool.policy.pool_rules import pool_rules


def spec(**others: object) -> LicensePoolSpec:
    return LicensePoolSpec.model_validate(
        {"serverRef": {"name": "s"}, "product": "matlab", "seats": 5, "workbenchTypes": ["*"], **others}
    )


def test_a_reservation_and_a_priority_in_capitals_are_for_the_users_that_they_name() -> None:
    rules = pool_rules(
        spec(
            reservations=[{"name": "oncall", "userPattern": "ONCALL-*", "seats": 1}],
            priorities=[{"userPattern": "PHD-*", "weight": 5}],
        ),
        IdentitySettings(),
    )
    assert [one.pattern for one in rules.reservations] == ["oncall-*"]
    assert [one.pattern for one in rules.priorities] == ["phd-*"]


@pytest.mark.parametrize(
    "others",
    [
        {"reservations": [{"name": "corp", "userPattern": "*@corp.example", "seats": 1}]},
        {"priorities": [{"userPattern": "*@corp.example", "weight": 1}]},
    ],
)
def test_a_pattern_for_nobody_is_refused(others: dict[str, object]) -> None:
    with pytest.raises(InvalidUser, match="can match no user id"):
        pool_rules(spec(**others), IdentitySettings())


@pytest.mark.parametrize("fold_case", [True, False])
def test_the_placeholder_of_the_server_gets_no_seat_even_if_it_is_protected(fold_case: bool) -> None:
    spec = pool(protectedUsers=["NoBody", "boss"], deniedUsers=["seatpool-placeholder", "eve"]).spec
    identity = IdentitySettings(fold_case=fold_case)
    rules = pool_rules(spec, identity, placeholder="NoBody")
    assert rules.always == {"boss"}
    assert identity.user("NoBody") in rules.denied
    assert "eve" in rules.denied


def test_a_protected_user_cannot_be_the_default_placeholder() -> None:
    with pytest.raises(InvalidUser, match="is no user"):
        pool_rules(pool(protectedUsers=["seatpool-placeholder"]).spec, IdentitySettings())
