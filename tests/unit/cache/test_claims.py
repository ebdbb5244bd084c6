"""Two LicenseServers for one machine and folder count as one server."""

from typing import Any

import pytest
from tests.unit.control.objects import pool, server

from seatpool.cache.claims import ProductClaims, place_of

TAG: dict[str, Any] = {"target": {"tag": "role", "value": "licenses"}}
ROLE = "arn:aws:iam::123456789012:role/licenses"
PLACES = {
    "the same": ({}, {}, True),
    "another machine": ({}, {"target": {"instanceId": "i-0fedcba9876543210"}}, False),
    "a tag": (TAG, TAG, True),
    "another value of the tag": (TAG, {"target": {"tag": "role", "value": "others"}}, False),
    "another region": (TAG, TAG | {"region": "eu-west-1"}, False),
    "another account": (TAG, TAG | {"roleArn": ROLE}, False),
    "another folder": ({}, {"xlc": {"stateDir": "/srv/seatpool"}}, False),
    "another spelling of the folder": ({}, {"xlc": {"stateDir": "/var//lib/./seatpool/"}}, True),
    "another document and client": ({}, {"document": "Mine", "xlc": {"list": ["other", "{product}"]}}, True),
}


@pytest.mark.parametrize(("one", "other", "same"), PLACES.values(), ids=PLACES)
def test_where_lists_are_is_machine_and_folder(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    places = place_of("lab/a", server("a", **one)), place_of("lab/b", server("b", **other))
    assert (places[0] == places[1]) is same


def test_a_server_that_does_not_exist_shares_no_list() -> None:
    assert place_of("lab/a", None) != place_of("lab/b", None)


def test_the_oldest_pool_of_a_place_and_product_manages_the_list() -> None:
    claims = ProductClaims()
    created = "2026-01-01T00:00:0{}Z"
    young = pool("young", product="matlab", meta={"creationTimestamp": created.format(2)})
    old = pool("old", product="matlab", meta={"creationTimestamp": created.format(1)})
    cad = pool("cad", meta={"creationTimestamp": created.format(0)})
    assert claims.put(young, ("here",)) == {"lab/young"}
    assert claims.put(cad, ("here",)) == {"lab/cad"}
    assert claims.put(old, ("there",)) == {"lab/old"}
    assert claims.owner("lab/young") == "lab/young"
    assert claims.put(old, ("here",)) == {"lab/young", "lab/old"}
    assert {key: claims.owner(key) for key in ("lab/young", "lab/old", "lab/cad")} == {
        "lab/young": "lab/old", "lab/old": "lab/old", "lab/cad": "lab/cad"
    }  # fmt: skip
    assert claims.put(old, ("there",)) == {"lab/young", "lab/old"}
    assert claims.owner("lab/young") == "lab/young"
    assert claims.remove("lab/young") == set()
    assert claims.remove("lab/young") == set()
