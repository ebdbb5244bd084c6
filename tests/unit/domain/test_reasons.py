"""Every reason can be told to people."""

import pytest

from seatpool.domain.reasons import Reason, sentence


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_one_plain_sentence(reason: Reason) -> None:
    text = sentence(reason)
    assert text[0].isupper()
    assert text.endswith(".")
    assert ". " not in text


def test_no_two_reasons_say_the_same() -> None:
    assert len({sentence(reason) for reason in Reason}) == len(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_can_be_the_reason_of_a_condition(reason: Reason) -> None:
    assert reason.value.isalpha()
    assert reason.value[0].isupper()
    assert Reason(reason.value) is reason
