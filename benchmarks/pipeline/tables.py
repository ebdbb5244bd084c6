"""Stores the pipeline's counts and timestamps: in DynamoDB and the parameter store, or the same in memory.

A call through boto3 to moto takes 2 ms, and two days of a large site are some 300,000 calls. The functions cannot tell
the two apart. `tests/integration/benchmarks` runs the same events on both and compares lists and calls.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

TABLE = "workbench-counts"
GET_AT_ONCE = 10


class Tables(Protocol):
    """Operations that the functions need."""

    calls: int
    """Number of requests to AWS so far."""

    def add(self, product: str, user: str, change: int) -> None: ...

    def users(self, product: str) -> list[str]:
        """Returns the users with a count above zero."""
        ...

    def put_changed(self, product: str, at: float) -> None: ...

    def put_sent(self, product: str, at: float) -> None: ...

    def changed(self) -> Mapping[str, float]: ...

    def sent(self) -> Mapping[str, float]: ...


class InMemory:
    """Tables in memory. Counts the requests that would have been made."""

    def __init__(self, products: Iterable[str]) -> None:
        self.calls = 0
        self._pages = -(-len(list(products)) // GET_AT_ONCE)
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._changed: dict[str, float] = {}
        self._sent: dict[str, float] = {}

    def add(self, product: str, user: str, change: int) -> None:
        self.calls += 1
        self._counts[product][user] += change

    def users(self, product: str) -> list[str]:
        self.calls += 1
        return sorted(user for user, count in self._counts[product].items() if count > 0)

    def put_changed(self, product: str, at: float) -> None:
        self.calls += 1
        self._changed[product] = at

    def put_sent(self, product: str, at: float) -> None:
        self.calls += 1
        self._sent[product] = at

    def changed(self) -> Mapping[str, float]:
        self.calls += self._pages
        return self._changed

    def sent(self) -> Mapping[str, float]:
        self.calls += self._pages
        return self._sent


class OnAws:
    """Tables in DynamoDB and SSM, by boto3."""

    def __init__(self, dynamodb: Any, ssm: Any, products: Iterable[str]) -> None:
        self.calls = 0
        self._dynamodb, self._ssm = dynamodb, ssm
        self._products = sorted(products)
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "product", "KeyType": "HASH"}, {"AttributeName": "user", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("product", "user")],
            BillingMode="PAY_PER_REQUEST",
        )
        for client in (dynamodb, ssm):
            client.meta.events.register("before-call", self._note_call)

    def add(self, product: str, user: str, change: int) -> None:
        self._dynamodb.update_item(
            TableName=TABLE,
            Key={"product": {"S": product}, "user": {"S": user}},
            UpdateExpression="ADD workbenches :change",
            ExpressionAttributeValues={":change": {"N": str(change)}},
        )

    def users(self, product: str) -> list[str]:
        found = self._dynamodb.query(
            TableName=TABLE,
            KeyConditionExpression="product = :product",
            FilterExpression="workbenches > :zero",
            ExpressionAttributeValues={":product": {"S": product}, ":zero": {"N": "0"}},
        )
        return sorted(item["user"]["S"] for item in found["Items"])

    def put_changed(self, product: str, at: float) -> None:
        self._put(f"/changed/{product}", at)

    def put_sent(self, product: str, at: float) -> None:
        self._put(f"/sent/{product}", at)

    def changed(self) -> Mapping[str, float]:
        return self._get("changed")

    def sent(self) -> Mapping[str, float]:
        return self._get("sent")

    def _put(self, name: str, at: float) -> None:
        self._ssm.put_parameter(Name=name, Value=repr(at), Type="String", Overwrite=True)

    def _get(self, folder: str) -> dict[str, float]:
        found: dict[str, float] = {}
        names = [f"/{folder}/{product}" for product in self._products]
        for start in range(0, len(names), GET_AT_ONCE):
            answer = self._ssm.get_parameters(Names=names[start : start + GET_AT_ONCE])
            found |= {item["Name"].rpartition("/")[2]: float(item["Value"]) for item in answer["Parameters"]}
        return found

    def _note_call(self, **_: Any) -> None:
        self.calls += 1
