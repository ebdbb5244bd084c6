"""Receivers that could not work are refused when the settings are read."""

from typing import Any

import pytest

from seatpool.settings.settings import InvalidSettings, load_settings


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"bus": "seats"}, "region is not given"),
        ({"webhook": {"url": "https://portal.example/hook"}}, "url is given without secret_file"),
        ({"webhook": {"url": "portal.example"}}, "notify.webhook.url"),
        (
            {"bus": "seats", "region": "eu-central-1", "external_id": "x"},
            "external_id is only used together with role_arn",
        ),
        ({"capacity": 0}, "notify.capacity"),
    ],
)
def test_a_receiver_that_could_not_work_is_refused_with_its_reason(given: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidSettings, match=named):
        load_settings(flags={"notify": given})


def test_an_arn_of_a_bus_needs_no_region() -> None:
    arn = "arn:aws:events:eu-central-1:123456789012:event-bus/seats"
    assert load_settings(flags={"notify": {"bus": arn}}).notify.bus == arn
