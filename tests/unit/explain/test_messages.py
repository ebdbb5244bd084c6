"""Every message can be filled, has its place in the answer, and exists once."""

import re
import string

import pytest

from seatpool.api.licensepool import LicensePoolSpec
from seatpool.api.licenseserver import LicenseServerSpec
from seatpool.api.reasons import CONDITIONS, ConditionReason
from seatpool.domain.reasons import Reason
from seatpool.explain.messages import MESSAGES, MessageId, Part, message

FIELDS = {
    field.alias for spec in (LicensePoolSpec, LicenseServerSpec) for field in spec.model_fields.values()
}  # fmt: skip


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_a_message_is_its_template_with_the_values_in_place(key: str) -> None:
    values = {name: f"<{name}>" for name in placeholders(MESSAGES[key].template)}
    found = message(key, **values)
    assert found.id == key
    assert found.text == re.sub(r"\{(\w+)\}", r"<\1>", MESSAGES[key].template)


@pytest.mark.parametrize("key", MESSAGES)
def test_the_field_that_decides_exists(key: str) -> None:
    assert MESSAGES[key].field in FIELDS | {""}


def test_every_id_and_every_reason_of_a_seat_has_a_message() -> None:
    assert set(MessageId) | set(Reason) <= set(MESSAGES)


def test_no_message_id_hides_the_reason_of_a_seat_or_of_a_condition() -> None:
    why = {reason.value for reason, text in CONDITIONS.items() if text.why}
    assert len(MESSAGES) == len(set(MessageId)) + len(set(Reason)) + len(why)


def test_every_rule_is_the_rule_line_and_every_condition_is_a_problem() -> None:
    assert {MESSAGES[reason].part for reason in Reason} == {Part.RULE}
    assert {MESSAGES[reason].part for reason, text in CONDITIONS.items() if text.why} == {Part.PROBLEM}


def test_the_text_about_a_condition_comes_from_the_catalogue_of_reasons() -> None:
    for reason in (ConditionReason.SUSPENDED, "Suspended"):
        found = message(reason, pool="lab/matlab")
        assert found.id == "Suspended"
        assert found.text == CONDITIONS[ConditionReason.SUSPENDED].why.format(pool="lab/matlab")


def test_values_that_a_template_does_not_use_do_no_harm() -> None:
    assert message(Reason.POOL_FULL, seats="2", user="ann").text == "All 2 seats are taken."
