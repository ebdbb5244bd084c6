"""The reference pages are what the tables say, and every reason has its line."""

import re
import string
from pathlib import Path

import pytest

from seatpool.api.reasons import EVENT_SENTENCES, ConditionReason, EventReason
from seatpool.api.reasons import SENTENCES as CONDITION_SENTENCES
from seatpool.domain.reasons import Reason
from seatpool.explain.messages import MESSAGES
from seatpool.reference import pages

FOLDER = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("name", pages.pages())
def test_a_page_in_the_tree_is_what_the_tables_say(name: str) -> None:
    assert (FOLDER / name).read_text() == pages.pages()[name], "run make generate"


def test_every_reason_of_a_condition_and_of_an_event_has_a_sentence() -> None:
    assert set(CONDITION_SENTENCES) == set(ConditionReason)
    assert set(EVENT_SENTENCES) == set(EventReason)


def test_every_reason_of_a_seat_can_be_told_with_the_pools_own_numbers() -> None:
    assert {str(reason) for reason in Reason} <= {str(key) for key in MESSAGES}


@pytest.mark.parametrize("key", MESSAGES)
def test_a_sentence_is_whole_and_its_placeholders_have_names(key: str) -> None:
    template = MESSAGES[key].template
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    assert all(re.fullmatch(r"[a-z]+", name) for name in names)
    assert template.endswith((".", "?"))


def test_pages_are_written_once_and_then_only_where_they_differ(tmp_path: Path) -> None:
    assert len(pages.write(tmp_path / "reference")) == len(pages.pages())
    assert pages.write(tmp_path / "reference") == []
