"""Creates the large installation: 500 pools on 20 servers, 6,000 users, and any number of workbenches."""

import json
from datetime import UTC, datetime, timedelta

from benchmarks.site import ACCOUNT, REGION, Body, Place, at_once, pool, resource
from seatpool.api.workbench import Workbench

SERVERS = 20
POOLS = 500
TYPES = 100
USERS = 6_000
SEATS = 60
FULL_EVERY = 10
"""Every so many pools has fewer seats than users, so that there are waiting lines."""
NAMESPACE = "fleet"


def pools(namespace: str = NAMESPACE, *, seats: int = 250, full: int = SEATS) -> list[Body]:
    """Returns the pools. Each workbench type is on five products of five servers."""
    return [
        pool(
            namespace,
            f"pool-{number}",
            server=number % SERVERS,
            product=f"product-{number}" if namespace == NAMESPACE else f"{namespace}-{number}",
            seats=full if number % FULL_EVERY == 0 else seats,
            types=[type_of(number)],
        )
        for number in range(POOLS)
    ]


def type_of(number: int) -> str:
    return f"vew-{number % TYPES}"


def owner_of(number: int) -> str:
    return f"user{number % USERS}"


def instance(number: int) -> str:
    return f"i-{number:017x}"


def workbench(number: int, *, namespace: str = NAMESPACE) -> Body:
    since = datetime(2026, 1, 5, 8, tzinfo=UTC) + timedelta(seconds=number)
    text = since.isoformat().replace("+00:00", "Z")
    spec = {
        "instanceId": instance(number),
        "account": ACCOUNT,
        "region": REGION,
        "owner": owner_of(number),
        "type": type_of(number),
        "state": "running",
        "stateChangedAt": text,
        "launchedAt": text,
    }
    body = resource("Workbench", namespace, instance(number), spec)
    body["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "seatpool-mirror"}
    return body


async def create_workbenches(place: Place, numbers: range, *, namespace: str = NAMESPACE) -> None:
    """Creates the workbenches as fast as the API server takes them."""
    kube = await place.kube()
    try:
        await at_once(
            [
                lambda number=number: kube.create(Workbench, namespace, workbench(number, namespace=namespace))
                for number in numbers
            ]
        )
    finally:
        await kube.close()


def workbenches_of(place: Place, namespace: str) -> list[Body]:
    """Returns all workbenches as they are stored."""
    path = f"/apis/seatpool.io/v1alpha1/namespaces/{namespace}/workbenches"
    found: list[Body] = json.loads(place.plane.kubectl("get", "--raw", path))["items"]
    return found
