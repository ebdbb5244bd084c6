"""The reference pages are what the tables say, and every reason has its line."""

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from seatpool.api.reasons import EVENT_SENTENCES, ConditionReason, EventReason
from seatpool.api.reasons import SENTENCES as CONDITION_SENTENCES
from seatpool.domain.reasons import Reason
from seatpool.explain.messages import MESSAGES
from seatpool.reference import pages
from seatpool.settings.settings import Settings

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


def fields_of(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every setting, those of models within models and of elements of lists too."""
    for name, field in model.model_fields.items():
        inner = [one for one in (field.annotation, *get_args(field.annotation)) if isinstance(one, type)]
        models = [one for one in inner if issubclass(one, BaseModel)]
        whole = isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        if not whole:
            yield f"{above}{name}"
        for one in models:
            yield from fields_of(one, f"{above}{name}{'' if whole else '[]'}.")


def test_every_setting_and_every_element_of_a_list_of_settings_has_its_line() -> None:
    page = pages.pages()["settings.md"]
    wanted = set(fields_of(Settings))
    assert {"mirror.accounts[].external_id", "servers.allowed[].role_arns"} <= wanted
    assert set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)) == wanted


def leaves(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from leaves(inner, f"{path}.{name}")
        yield from leaves(inner.get("items", {}), f"{path}.{name}[]")


def test_every_field_of_every_resource_has_its_line_with_a_meaning() -> None:
    page = pages.pages()["api.md"]
    chapters = dict(zip(*[iter(re.split(r"^## (\w+)$", page, flags=re.MULTILINE)[1:])] * 2, strict=True))
    for path in sorted((FOLDER.parents[1] / "crds").glob("*.yaml")):
        definition = yaml.safe_load(path.read_text())
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        wanted = {one for part in ("spec", "status") if part in schema for one in leaves(schema[part], part)}
        rows = re.findall(
            r"^\| `([^`]+)` \| (?:.*) \| (.*) \|$", chapters[definition["spec"]["names"]["kind"]], re.MULTILINE
        )
        assert {name for name, _ in rows} == wanted
        assert all(meaning.strip() for _, meaning in rows)


def test_a_page_says_lengths_and_regions_in_words() -> None:
    for name in ("api.md", "settings.md"):
        assert "(ms" not in pages.pages()[name]
        assert "il\\|mx" not in pages.pages()[name]
