"""The OpenAPI document says what the API does, in whole sentences and with examples that fit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from tests.unit.web.keys.objects import api_key, state
from tests.unit.web.test_visible_users import UTC, live, objects

from seatpool.web.answers import Answers, Me, Seen
from seatpool.web.authorization import Scope
from seatpool.web.document import make_document
from seatpool.web.examples import EXAMPLES
from seatpool.web.keys.examples import WRITE_EXAMPLES
from seatpool.web.keys.lines import KeyAnswer, KeysPage, line_of
from seatpool.web.paging import Page
from seatpool.web.problems import PROBLEMS
from seatpool.web.replies import to_json
from seatpool.web.routes import router
from seatpool.web.visible_users import VisibleUsers

DOCUMENT = make_document(router.routes)
Body = dict[str, Any]
KEY_LINE = line_of(
    api_key(pool="matlab", scope="Pool", validFor="1h", phase="Issued", issued=True), state(api_key(issued=True))
)


def everything(namespace: str | None = None) -> Seen:
    scope = Scope(everywhere=True)
    return Seen(licensepools=scope, licenseservers=scope, workbench_scope=scope, namespace=namespace)


def operations() -> Iterator[tuple[str, Body]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            assert method in ("get", "post", "delete")
            yield f"{method} {path}", operation


def check(answer: Any, schema: Body) -> None:
    closed = json.loads(json.dumps(DOCUMENT["components"]))
    for one in closed["schemas"].values():
        if one.get("type") == "object":
            one["additionalProperties"] = False
    Draft202012Validator(schema | {"components": closed}).validate(answer)


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    validate(DOCUMENT)


def test_every_route_and_field_and_parameter_is_described() -> None:
    for path, operation in operations():
        assert operation["summary"], path
        assert operation["description"].endswith("."), path
        for parameter in operation.get("parameters", []):
            assert parameter["description"].endswith("."), (path, parameter["name"])
    assert len({operation["operationId"] for _, operation in operations()}) == len(list(operations()))


def test_every_route_tells_its_errors_with_what_to_do() -> None:
    for path, operation in operations():
        assert {"401", "429", "500", "503"} <= set(operation["responses"]), path
        assert {"200", "201"} & set(operation["responses"]), path
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]
                assert any(f"`{id.value}`" in response["description"] for id in PROBLEMS)  # noqa: A001


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_fits_its_schema(path: str) -> None:
    content = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    check(content["example"], content["schema"])


@pytest.mark.parametrize(("method", "path"), WRITE_EXAMPLES)
def test_an_example_of_a_write_fits_its_schema(method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    if "requestBody" in operation:
        sent = operation["requestBody"]["content"]["application/json"]
        check(sent["example"], sent["schema"])
    for status in {"200", "201", "202"} & set(operation["responses"]):
        content = operation["responses"][status]["content"]["application/json"]
        check(content["example"], content["schema"])


def test_answers_have_only_fields_that_the_document_has() -> None:
    cluster = live(
        objects.server(status={"lastApplied": objects.ago(3), "lastVerified": objects.ago(2)}),
        objects.pool(
            seats=1,
            maxReassignments={"count": 3, "window": "365d"},
            reservations=[{"name": "team", "users": ["eve"], "seats": 1}],
            status={"used": 1, "waiting": 1, "oldestWait": objects.ago(5)},
        ),
        objects.ledger(assigned={"ann": 30, "carl": 30}, idle={"carl": 10}, waiting={"bob": 5}),
        *objects.workbenches("ann", "bob"),
        objects.workbench("no user!", number=5),
    )
    answers, visible = Answers(cluster), VisibleUsers("bob", all_named=True)
    pages = {
        "/api/v1/me": Me(name="bob", user="bob", answer=answers.user("bob", visible, UTC)),
        "/api/v1/users/{user}": answers.user("ann", visible, UTC),
        "/api/v1/pools": answers.pools(Page(tuple(cluster.store.pools), "x")),
        "/api/v1/pools/{namespace}/{name}": answers.pool(cluster.store.pools["lab/matlab"], visible, UTC),
        "/api/v1/servers": answers.servers(Page(tuple(cluster.store.servers), None), {}),
        "/api/v1/status": answers.status(everything(), visible, {}, UTC),
        "/api/v1/workbenches": answers.workbenches(Page(cluster.workbench_keys(), None)),
        "/api/v1/keys": KeysPage(items=(KEY_LINE,), next_cursor="x"),
    }
    assert set(pages) | {"/api/v1/usage", "/api/v1/plan"} == set(EXAMPLES), "the last two need a history"
    for path, page in pages.items():
        content = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        check(json.loads(to_json(page)), content["schema"])
    shown = DOCUMENT["paths"]["/api/v1/keys"]["post"]["responses"]["201"]["content"]["application/json"]
    check(json.loads(to_json(KeyAnswer(item=KEY_LINE, key="sp_"))), shown["schema"])
