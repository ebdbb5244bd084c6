"""A field that the cluster's CRD does not know is found, wherever it is."""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from seatpool.api.crd import crd
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.control.runtime.crd_check import _missing

KINDS = (LicenseServer, LicensePool, SeatLedger, Workbench)


@cache
def generated(kind: Any) -> dict[str, Any]:
    found: dict[str, Any] = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def schema(kind: Any) -> dict[str, Any]:
    """One to change at will."""
    return copy.deepcopy(generated(kind))


def properties(node: dict[str, Any], path: str = "") -> Iterator[tuple[dict[str, Any], str, str]]:
    """Every property, with the mapping that holds it and its path."""
    for name, below in node.get("properties", {}).items():
        yield node["properties"], name, f"{path}{name}"
        yield from properties(below, f"{path}{name}.")
    if "items" in node:
        yield from properties(node["items"], f"{path.rstrip('.')}[].")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_missing_from_the_schema_that_we_generate(kind: Any) -> None:
    assert _missing(schema(kind), schema(kind)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_single_field_is_missed(kind: Any) -> None:
    paths = [path for _, _, path in properties(schema(kind))]
    assert len(paths) > 10
    for path in paths:
        older = schema(kind)
        holder, name = next((holder, name) for holder, name, found in properties(older) if found == path)
        del holder[name]
        assert _missing(schema(kind), older) == [path]


def test_fields_that_a_newer_schema_has_besides_are_no_harm() -> None:
    newer = schema(LicensePool)
    newer["properties"]["spec"]["properties"]["fromTheFuture"] = {"type": "string"}
    assert _missing(schema(LicensePool), newer) == []


def test_a_schema_that_keeps_what_it_does_not_know_lacks_nothing() -> None:
    ours = {"properties": {"status": {"properties": {"a": {}, "b": {}}}}}
    theirs = {"properties": {"status": {"x-kubernetes-preserve-unknown-fields": True}}}
    assert _missing(ours, theirs) == []
