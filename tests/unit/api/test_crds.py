"""The CRDs in the tree are what the models say, and every field is explained."""

import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api import crd
from seatpool.api.base import DURATION_PATTERN, Resource
from seatpool.api.formats import FORMATS
from seatpool.api.regions import REGION_PATTERN

CRDS = Path(__file__).resolve().parents[3] / "crds"
STANDARD = {"apiVersion", "kind", "metadata"}


def test_the_files_are_what_the_models_say() -> None:
    generated = dict(crd.files())
    assert {path.name for path in CRDS.glob("*.yaml")} == set(generated)
    for name, text in generated.items():
        assert (CRDS / name).read_text() == text, f"{name}: run make generate"


def test_each_file_is_small_enough_to_be_applied_by_a_client() -> None:
    for path in CRDS.glob("*.yaml"):
        assert path.stat().st_size < 100_000


def fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        if name not in STANDARD:
            yield f"{path}.{name}", field
            yield from fields(field, f"{path}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{path}[]")


@pytest.mark.parametrize("resource", crd.RESOURCES, ids=lambda resource: resource.kind)
def test_every_field_has_a_description_that_is_a_sentence(resource: type[Resource]) -> None:
    schema = crd.crd(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    found = list(fields(schema, resource.kind))
    assert found
    for path, field in found:
        text = field.get("description", "")
        assert text.endswith((".", ")")), f"{path}: {text!r}"
        assert len(text) > 10, path


@pytest.mark.parametrize("resource", crd.RESOURCES, ids=lambda resource: resource.kind)
def test_an_object_that_nobody_has_looked_at_is_not_taken_for_ready(resource: type[Resource]) -> None:
    version = crd.crd(resource)["spec"]["versions"][0]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    if resource.has_status:
        assert properties["status"]["default"] == {"observedGeneration": -1}
        assert version["subresources"] == {"status": {}}


@pytest.mark.parametrize("resource", crd.RESOURCES, ids=lambda resource: resource.kind)
def test_no_field_of_a_spec_is_refused_with_a_bare_expression(resource: type[Resource]) -> None:
    schema = crd.crd(resource)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for path, field in nodes(schema, "spec"):
        assert "pattern" not in field, f"{path}: say in api/formats.py what {field['pattern']} stands for"


def nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields every node, also the elements of lists."""
    for name, field in fields(schema, path):
        yield name, field
        if "items" in field:
            yield f"{name}[]", field["items"]


LETTERS = string.ascii_letters + string.digits + "._@+-/ :*_\n"


@given(st.text(LETTERS, max_size=6) | st.text(LETTERS, min_size=126, max_size=130) | st.text(max_size=6))
def test_a_shorter_expression_takes_the_same_values(text: str) -> None:
    for pattern, known in FORMATS.items():
        if known.short is not None:
            taken = len(text) <= known.longest and re2.search(known.short, text) is not None
            assert taken == (re2.search(pattern, text) is not None), text


@given(st.data())
def test_no_value_of_a_format_is_longer_than_its_limit(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(list(FORMATS)))
    if pattern in (DURATION_PATTERN, REGION_PATTERN) or pattern.startswith("^arn:"):
        return  # these have no end of their own
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)).rstrip("\n")
    assert len(text) <= FORMATS[pattern].longest
