"""The pools that a file of events gets."""

import re

import pytest
from tests.unit.sim_demo.happenings import event

from seatpool.api.licensepool import LicensePoolSpec
from seatpool.sim.demo.event_file import EventFile, Line
from seatpool.sim.demo.options import DemoError
from seatpool.sim.demo.replay import pool_facts, pool_objects


def file(*told: tuple[str, str]) -> EventFile:
    return EventFile(tuple(Line("", event(n, user, "running", n, kind=kind)) for n, (user, kind) in enumerate(told)))


def test_without_being_told_there_are_seats_for_everybody() -> None:
    made = pool_facts(file(("ann", "cad"), ("ANN", "cad"), ("bob", "cad"), ("$(x)", "cad"), ("ann", "sim")), {})
    assert {product: pool.seats for product, pool in made.items()} == {"cad": 2, "sim": 1}


def test_seats_that_were_asked_for_are_taken() -> None:
    assert pool_facts(file(("ann", "cad"), ("bob", "cad")), {"cad": 1})["cad"].seats == 1


def test_seats_for_a_type_that_the_file_does_not_have_are_refused() -> None:
    with pytest.raises(DemoError, match="it has cad"):
        pool_facts(file(("ann", "cad")), {"cda": 1})


def test_a_type_that_can_be_no_product_has_no_pool() -> None:
    assert set(pool_facts(file(("ann", "cad"), ("ann", "../cad"), ("ann", "*")), {})) == {"cad"}


def test_each_pool_has_a_name_of_its_own_and_a_spec_that_the_models_take() -> None:
    pools = pool_facts(file(("ann", "Cad"), ("ann", "cad"), ("ann", "c.a+d_"), ("ann", "c-a-d")), {})
    made = pool_objects(pools, linger="1s")
    names = [one["metadata"]["name"] for one in made]
    assert len(set(names)) == 4
    assert all(
        LicensePoolSpec.model_validate(one["spec"]).product == product for one, product in zip(made, pools, strict=True)
    )
    assert all(re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", name) for name in names)
