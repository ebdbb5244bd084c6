"""Every reason is one word and has one sentence."""

import re

from seatpool.api.reasons import SENTENCES, ConditionReason, EventReason


def test_every_condition_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(ConditionReason)
    for sentence in SENTENCES.values():
        assert sentence.endswith(".")
    assert len(set(SENTENCES.values())) == len(ConditionReason)


def test_reasons_are_words_that_the_api_conventions_allow() -> None:
    for reason in (*ConditionReason, *EventReason):
        assert re.fullmatch(r"([A-Z][a-z]+)+", reason.value)
