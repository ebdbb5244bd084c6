"""What callers get from a real API server's objects."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.integration.web.conftest import Site

from seatpool.web.document import make_document
from seatpool.web.routes import router
from seatpool.web.routing import DESCRIBED, Retirement


def test_a_user_without_any_right_sees_the_own_place_in_line_and_no_one_else(site: Site) -> None:
    found = site.get("/api/v1/me", "bob")
    assert found.status == 200
    assert found.json["user"] == "bob"
    (pool,) = found.json["answer"]["pools"]
    assert (pool["pool"], pool["phase"], pool["position"]) == (f"{site.namespace}/matlab", "Waiting", 1)
    assert "stop" not in pool
    for other in ("ann", "carl", "zoe", "dora", "i-00000001", "i-00000002"):
        assert other not in found.text
    assert [one["name"] for one in found.json["answer"]["workbenches"]] == ["i-00000003"]


def test_a_user_with_a_seat_is_told_so(site: Site) -> None:
    (pool,) = site.get("/api/v1/me", "ann").json["answer"]["pools"]
    assert pool["phase"] in ("Assigned", "Pending")


def test_a_program_is_no_user(site: Site) -> None:
    found = site.get("/api/v1/me", "nobody").json
    assert found == {"name": f"system:serviceaccount:{site.namespace}:nobody"}


def test_the_lines_of_pools_are_those_of_status_o_json(site: Site) -> None:
    (line,) = [one for one in site.get("/api/v1/pools", "viewer").json["items"] if one["product"] == "matlab"]
    told = json.loads(site.board.ask("status", "-o", "json").stdout)["pools"]
    assert line in told


def test_the_users_of_a_pool_are_those_of_who_o_json(site: Site) -> None:
    found = site.get(f"/api/v1/pools/{site.namespace}/matlab", "viewer").json
    told = json.loads(site.board.ask("who", "matlab", "-o", "json").stdout)
    assert found["who"]["holders"] == told["holders"]
    assert [one["user"] for one in found["who"]["waiting"]] == [one["user"] for one in told["waiting"]]
    assert found["namesShown"] is True


def test_an_explanation_is_that_of_why_o_json(site: Site) -> None:
    found = site.get("/api/v1/users/bob", "viewer").json
    told = json.loads(site.board.ask("why", "bob", "-o", "json").stdout)
    keys = ("pool", "phase", "reason", "decidedBy", "since", "position", "waiting")
    assert [{key: one.get(key) for key in keys} for one in found["pools"]] == [
        {key: one.get(key) for key in keys} for one in told["pools"]
    ]
    assert found["workbenches"] == told["workbenches"]


def test_who_sees_numbers_only_sees_no_names(site: Site) -> None:
    found = site.get(f"/api/v1/pools/{site.namespace}/matlab", "numbers")
    assert found.status == 200
    who = found.json["who"]
    assert [one["user"] for one in who["holders"]] == ["another user"] * 3
    assert [one["workbenches"] for one in who["holders"]] == [[], [], []]
    assert found.json["rules"]["protectedUsers"] == 1
    assert found.json["namesShown"] is False
    for name in ("ann", "bob", "carl", "zoe", "i-0000000"):
        assert name not in found.text


def test_lists_have_only_what_the_caller_may_list(site: Site) -> None:
    for path in ("pools", "servers", "workbenches"):
        here = site.get(f"/api/v1/{path}", "viewer").json["items"]
        there = site.get(f"/api/v1/{path}", "elsewhere").json["items"]
        assert here
        assert there
        names = {one.get("namespace") or one["name"].partition("/")[0] for one in here}
        assert names == {site.namespace}, path
        assert {one.get("namespace") or one["name"].partition("/")[0] for one in there} == {site.other}, path


def test_another_users_seats_are_seen_only_where_the_caller_may_look(site: Site) -> None:
    hidden = site.get("/api/v1/users/bob", "elsewhere").json
    unknown = site.get("/api/v1/users/nobody-at-all", "elsewhere").json
    assert (hidden["pools"], hidden["workbenches"]) == ([], [])
    assert [one["id"] for one in hidden["said"]] == [one["id"] for one in unknown["said"]]
    assert site.get("/api/v1/users/bob", "ann").status == 403
    assert site.get("/api/v1/users/bob", "bob").status == 200


def test_the_name_of_a_workbench_is_no_user(site: Site) -> None:
    """A user may be called as another's workbench is."""
    found = site.get("/api/v1/users/i-00000001", "admin").json
    assert found["workbenches"] == []
    assert "ann" not in json.dumps(found)


def test_pages_go_through_all_workbenches_once(site: Site) -> None:
    names, cursor = [], ""
    while True:
        page = site.get(f"/api/v1/workbenches?limit=1{cursor}", "viewer").json
        names += [one["name"] for one in page["items"]]
        if "nextCursor" not in page:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert names == ["i-00000001", "i-00000002", "i-00000003"]


def test_an_answer_that_did_not_change_is_not_sent_again(site: Site) -> None:
    first = site.get("/api/v1/pools", "viewer")
    again = site.get("/api/v1/pools", "viewer", If_None_Match=f'"other", W/{first.headers["etag"]}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert site.get("/api/v1/pools", "viewer", If_None_Match='"other"').status == 200


def test_times_in_sentences_are_in_the_zone_that_is_asked_for(site: Site) -> None:
    utc = site.get("/api/v1/me", "bob").json["answer"]["pools"][0]["said"][0]["text"]
    there = site.get("/api/v1/me?timeZone=Asia/Kathmandu", "bob").json["answer"]["pools"][0]["said"][0]["text"]
    assert utc != there
    assert site.get("/api/v1/me?timeZone=../../etc/passwd", "bob").status == 400


def test_a_change_is_seen_without_a_list(site: Site) -> None:
    board = site.board
    board.put(board.workbench(4, "eve"))
    site.until("/api/v1/me", "eve", lambda me: any(one["pool"].endswith("/matlab") for one in me["answer"]["pools"]))
    site.plane.kubectl("delete", "workbench", "i-00000004", "-n", site.namespace)
    site.until("/api/v1/me", "eve", lambda me: not me["answer"]["workbenches"])


@pytest.mark.parametrize(
    ("path", "status", "id"),
    [
        ("/api/v1/pools?limit=0", 400, "BadParameter"),
        ("/api/v1/pools?limit=x", 400, "BadParameter"),
        ("/api/v1/pools?cursor=%F0%9F%92%A5", 400, "BadCursor"),
        ("/api/v1/pools?cursor=AAAA", 400, "BadCursor"),
        ("/api/v1/nothing", 404, "NoRoute"),
        ("/docs", 404, "NoRoute"),
        ("/api/v1/pools/nowhere/nothing", 404, "NotFound"),
    ],
)
def test_a_mistake_is_answered_with_a_problem(site: Site, path: str, status: int, id: str) -> None:  # noqa: A002
    found = site.get(path, "admin")
    assert (found.status, found.json["id"]) == (status, id)
    assert found.headers["content-type"] == "application/problem+json"
    assert found.json["status"] == status
    assert found.json["requestId"] == found.headers["x-request-id"]


def test_only_get_is_answered(site: Site) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        found = site.get("/api/v1/pools", "admin", method=method, Origin="https://elsewhere.example")
        assert (found.status, found.headers["allow"]) == (405, "GET"), method
        assert not any(name.startswith("access-control") for name in found.headers)


def test_probes_and_metrics_are_on_their_own_port(site: Site) -> None:
    import urllib.request

    for path in ("healthz", "readyz", "metrics"):
        with urllib.request.urlopen(f"http://127.0.0.1:{site.server.http_port}/{path}") as answered:
            text = answered.read().decode()
            assert answered.status == 200
    assert 'seatpool_web_requests_total{route="/api/v1/me",status="200"}' in text
    assert site.get("/metrics", "admin").status == 404


def test_a_route_that_goes_says_when_and_what_takes_its_place(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    retirement = Retirement(
        deprecated=datetime(2027, 1, 1, tzinfo=UTC),
        sunset=datetime(2027, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        successor="/api/v2/servers",
    )
    name = ("get", "/api/v1/servers")
    monkeypatch.setitem(DESCRIBED, name, replace(DESCRIBED[name], retirement=retirement))
    first = site.get("/api/v1/servers", "viewer")
    refused = site.get("/api/v1/servers?limit=none", "viewer")
    unchanged = site.get("/api/v1/servers", "viewer", If_None_Match=first.headers["etag"])
    assert [one.status for one in (first, refused, unchanged)] == [200, 400, 304]
    for one in (first, refused, unchanged):
        assert one.headers["deprecation"] == "@1798761600"
        assert one.headers["sunset"] == "Thu, 01 Jul 2027 10:00:00 GMT"
        assert one.headers["link"] == '</api/v2/servers>; rel="successor-version"'
    assert "deprecation" not in site.get("/api/v1/pools", "viewer").headers
    operations = make_document(router.routes)["paths"]
    assert operations["/api/v1/servers"]["get"]["deprecated"] is True
    assert {"Deprecation", "Sunset", "Link"} <= set(operations["/api/v1/servers"]["get"]["responses"]["200"]["headers"])
    assert "deprecated" not in operations["/api/v1/pools"]["get"]
