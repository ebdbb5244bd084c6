"""Compares the table of the published pipeline with Seatpool's workbenches, so that a site can run both for a while.

The table counts workbenches up and down: one item for each product and user, with `workbench-count`. A user with a
count above 0 is on the pipeline's list. Nothing is imported. Differences are only reported, because as a rule the
counter is wrong.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import boto3

from seatpool.api.licensepool import LicensePool
from seatpool.api.workbench import Workbench
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.globs import matcher
from seatpool.domain.identity import InvalidUser

SHOWN = 10


class UnusableTable(SeatpoolError):
    """The table is not in the pipeline's format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Names of the table's attributes."""

    product: str = "product"
    user: str = "user-id"
    count: str = "workbench-count"


@dataclass(frozen=True, slots=True)
class Counted:
    """Both counts for one user of one product."""

    product: str
    user: str
    there: int
    """Counter in the pipeline's table."""
    here: int
    """Active workbenches that the product's pools serve, as Seatpool counts them."""

    @property
    def difference(self) -> str:
        """The kind of difference, as text."""
        if self.there < 0:
            return "counter below zero"
        if self.here and not self.there:
            return "only here"
        if self.there and not self.here:
            return "only there"
        return "other count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result of a comparison."""

    same: int
    different: tuple[Counted, ...]
    unknown_products: tuple[str, ...]
    """Products in the table without a pool."""
    refused_users: tuple[str, ...]
    """Owners on either side whose id no license server accepts."""

    @property
    def equal(self) -> bool:
        """True: both sides agree completely."""
        return not self.different and not self.unknown_products and not self.refused_users


def read_table(
    session: boto3.Session, table: str, *, attributes: Attributes, **client: Any
) -> dict[tuple[str, str], int]:
    """Returns the counter of each (product, user). Raises AWS errors and UnusableTable."""
    dynamodb: Any = session.client("dynamodb", **client)
    found: dict[tuple[str, str], int] = {}
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            product, user, count = _read(table, item, attributes)
            found[product, user] = found.get((product, user), 0) + count
    return found


def _read(table: str, item: Mapping[str, Any], attributes: Attributes) -> tuple[str, str, int]:
    try:
        count = Decimal(item[attributes.count]["N"])
        return item[attributes.product]["S"], item[attributes.user]["S"], int(count)
    except (KeyError, ArithmeticError, ValueError) as error:
        raise UnusableTable(
            f"table {table}: item {ascii(dict(item))[:200]} has no string {attributes.product}, string {attributes.user} and "
            f"number {attributes.count}; name the attributes with --product-attribute, --user-attribute, --count-attribute"
        ) from error


def compare(
    counters: Mapping[tuple[str, str], int],
    *,
    pools: Iterable[LicensePool],
    workbenches: Iterable[Workbench],
    normalise: Callable[[str], str],
) -> Comparison:
    """Compares the counters with the active workbenches of the pools. `normalise` raises InvalidUser."""
    refused: set[str] = set()
    products = {pool.spec.product for pool in pools}
    there = _by_user(((product, user, count) for (product, user), count in counters.items()), normalise, refused)
    here = _by_user(_active(list(pools), workbenches), normalise, refused)
    rows = [
        Counted(product, user, there.get((product, user), 0), here.get((product, user), 0))
        for product, user in sorted(there.keys() | here.keys())
        if product in products
    ]
    return Comparison(
        same=sum(row.there == row.here for row in rows),
        different=tuple(row for row in rows if row.there != row.here),
        unknown_products=tuple(sorted({product for product, _ in there} - products)),
        refused_users=tuple(sorted(refused)),
    )


def _active(pools: list[LicensePool], workbenches: Iterable[Workbench]) -> Iterable[tuple[str, str, int]]:
    """Yields each active workbench once for each product whose pools serve it."""
    serving = [(pool, matcher(pool.spec.workbench_types), _namespaces(pool)) for pool in pools]
    for workbench in workbenches:
        spec, namespace = workbench.spec, workbench.metadata.namespace
        products = {
            pool.spec.product
            for pool, matches, namespaces in serving
            if spec.state in pool.spec.active_states
            and matches(spec.type)
            and ("*" in namespaces or namespace in namespaces)
        }
        yield from ((product, spec.owner, 1) for product in products)


def _namespaces(pool: LicensePool) -> frozenset[str]:
    return frozenset(pool.spec.workbench_namespaces or (pool.metadata.namespace,))


def _by_user(
    counts: Iterable[tuple[str, str, int]], normalise: Callable[[str], str], refused: set[str]
) -> dict[tuple[str, str], int]:
    added: dict[tuple[str, str], int] = defaultdict(int)
    for product, owner, count in counts:
        try:
            added[product, normalise(owner)] += count
        except InvalidUser:
            refused.add(owner)
    return added
