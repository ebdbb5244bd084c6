"""What the pipeline's counters say beside the workbenches that are active."""

from typing import Any

import pytest

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.workbench import Workbench
from seatpool.mirror.pipeline_table import Comparison, Counted, compare


def pool(product: str, types: tuple[str, ...], *, namespace: str = "seats", **spec: Any) -> LicensePool:
    body = {"serverRef": {"name": "licenses"}, "product": product, "seats": 5, "workbenchTypes": types}
    return LicensePool.model_validate({"metadata": {"name": product, "namespace": namespace}, "spec": body | spec})


def bench(
    number: int,
    owner: str,
    *,
    type: str = "vew-matlab",  # noqa: A002
    state: str = "running",
    namespace: str = "seats",
) -> Workbench:
    name = f"i-{number:017x}"
    spec = {
        "instanceId": name,
        "account": "111122223333",
        "region": "eu-central-1",
        "owner": owner,
        "type": type,
        "state": state,
        "stateChangedAt": "2026-01-05T09:00:00Z",
    }
    return Workbench.model_validate({"metadata": {"name": name, "namespace": namespace}, "spec": spec})


def compared(
    counters: dict[tuple[str, str], int], *workbenches: Workbench, pools: tuple[LicensePool, ...] = ()
) -> Comparison:
    return compare(
        counters,
        pools=pools or (pool("matlab", ("vew-matlab",)),),
        workbenches=workbenches,
        normalise=IdentitySettings().user,
    )


def test_both_agree_when_every_counter_is_the_number_of_active_workbenches() -> None:
    found = compared({("matlab", "ann"): 2, ("matlab", "gone"): 0}, bench(1, "ann"), bench(2, "ann", state="pending"))
    assert found.equal
    assert found.same == 2


@pytest.mark.parametrize(
    ("there", "here", "difference"),
    [(1, 0, "only there"), (0, 1, "only here"), (3, 1, "other count"), (-1, 0, "counter below zero")],
)
def test_a_difference_says_which_way_it_is(there: int, here: int, difference: str) -> None:
    found = compared({("matlab", "ann"): there}, *(bench(n, "ann") for n in range(here)))
    assert found.different == (Counted("matlab", "ann", there, here),)
    assert found.different[0].difference == difference
    assert not found.equal


def test_two_spellings_of_one_person_are_added_up_on_both_sides() -> None:
    assert compared(
        {("matlab", "CORP\\Ann"): 1, ("matlab", "ann"): 1}, bench(1, "ANN"), bench(2, "ann@corp.example")
    ).equal


def test_a_type_with_two_products_counts_for_both_and_a_stopped_workbench_for_none() -> None:
    pools = (pool("matlab", ("vew-*",)), pool("simulink", ("vew-matlab",)))
    found = compared(
        {("matlab", "ann"): 1, ("simulink", "ann"): 1}, bench(1, "ann"), bench(2, "ann", state="stopped"), pools=pools
    )
    assert found.equal


def test_a_pool_serves_its_own_namespace_unless_it_says_otherwise() -> None:
    assert compared({}, bench(1, "ann", namespace="elsewhere")).equal
    everywhere = (pool("matlab", ("vew-matlab",), workbenchNamespaces=["*"]),)
    assert not compared({}, bench(1, "ann", namespace="elsewhere"), pools=everywhere).equal


def test_a_product_that_no_pool_has_is_named() -> None:
    found = compared({("ansys", "ann"): 1})
    assert found.unknown_products == ("ansys",)
    assert not found.equal


def test_a_user_that_no_license_server_could_take_is_named_and_counted_nowhere() -> None:
    found = compared({("matlab", "two words"): 1})
    assert (found.refused_users, found.different) == (("two words",), ())
    assert not found.equal
