"""Rules of a pool follow the identity settings."""

import pytest

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
