"""The CRDs in the tree are what the models say, and every field is explained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatpool.api import crd
from seatpool.api.base import Resource

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
