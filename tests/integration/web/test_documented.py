"""Whatever is sent, the answer is one that the document has, and its body fits the document's schema."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.integration.web.conftest import Site

from seatpool.web.document import make_document
from seatpool.web.routes import router

DOCUMENT = make_document(router.routes)
PATHS = [path for path, operations in DOCUMENT["paths"].items() if "get" in operations and not path.endswith("/events")]
WRITES = [
    (method, path) for path, methods in DOCUMENT["paths"].items() for method in methods if method in ("post", "delete")
]
HOSTILE = st.sampled_from(
    ["", ".", "..", "../../etc/passwd", "<script>alert(1)</script>", "\x1b[31m", "a\nb: c", "%", "{user}", "ann' OR 1=1", "🪑",
     "\u202eann", "-1", "1e9", "null", "UTC", "lab", "matlab", "ann", "A" * 300, "a/b", "\x00", "::1", "system:admin"]
) | st.text(max_size=40)  # fmt: skip


def check(path: str, reply: Any, method: str = "get") -> None:
    documented = DOCUMENT["paths"][path][method]["responses"]
    assert str(reply.status) in documented, reply.text
    assert reply.status < 500
    if reply.status == 304:
        return
    media = reply.headers["content-type"].partition(";")[0]
    schema = documented[str(reply.status)]["content"][media]["schema"]
    Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(reply.json)
    assert reply.body.isascii()
    assert b"<script>" not in reply.body or media.endswith("json")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_documented(site: Site, path: str) -> None:
    operation = DOCUMENT["paths"][path]["get"]
    names = [(one["name"], one["in"]) for one in operation.get("parameters", [])]

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.fixed_dictionaries({name: HOSTILE for name, _ in names}),
        st.sampled_from(["viewer", "numbers", "bob", "admin"]),
    )
    def ask(values: dict[str, str], caller: str) -> None:
        there = {name: quote(values[name] or "-", safe="") for name, where in names if where == "path"}
        query = "&".join(f"{name}={quote(values[name], safe='')}" for name, where in names if where == "query")
        if any(one in (".", "..") or "%2F" in one for one in there.values()):
            return  # another path, by the rules of URLs
        reply = site.get(f"{path.format(**there)}?{query}", caller)
        check(path, reply)

    ask()


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_every_answer_to_a_write_is_documented(site: Site, method: str, path: str) -> None:
    fields = ("scope", "purpose", "namespace", "pool", "validFor", "expiresAt", "workbench", "approved", "x")
    values = HOSTILE | st.sampled_from(["Own", "Pool", "List", "1h", site.namespace, "2099-01-01T00:00:00Z"])
    anything = values | st.integers() | st.none() | st.lists(values, max_size=2) | st.floats(allow_nan=False)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.fixed_dictionaries({"namespace": HOSTILE | st.just(site.namespace), "name": HOSTILE}),
        st.dictionaries(st.sampled_from(fields), anything) | anything,
        st.sampled_from(["viewer", "numbers", "bob", "admin", "key-own"]),
    )
    def ask(there: dict[str, str], body: Any, caller: str) -> None:
        named = {name: quote(value or "-", safe="") for name, value in there.items()}
        if any(one in (".", "..") or "%2F" in one for one in named.values()):
            return  # another path, by the rules of URLs
        reply = site.get(path.format(**named), caller, method=method.upper(), body=body)
        check(path, reply, method)

    ask()


def test_names_of_objects_come_out_as_they_are_and_harmless(site: Site) -> None:
    """The cluster takes owners and types with any characters."""
    board = site.board
    owner, kind = "<b>\u202e\x07\"'&</script>", "<img src=x onerror=alert(1)>"
    board.put(board.workbench(77, owner, kind=kind))
    found = site.until(
        "/api/v1/workbenches", "viewer", lambda page: any(one["name"] == "i-0000004d" for one in page["items"])
    )
    (line,) = [one for one in found["items"] if one["name"] == "i-0000004d"]
    assert (line["owner"], line["type"]) == (owner, kind)
    raw = site.get("/api/v1/workbenches", "viewer")
    assert raw.body.isascii()
    assert b"\x07" not in raw.body
    assert raw.headers["content-type"] == "application/json"
