"""Every route asked by every kind of caller. The routes come from the application, so a new one without a line here fails."""

import http.client
from collections.abc import Iterator

import pytest
from tests.integration.web.conftest import AUDIENCE, Site, Stream, allow, signed, start, web_settings
from tests.waiting import wait_until

from seatpool.web.pages.routes import router as pages_router
from seatpool.web.pages.sign_in import router as sign_in_router
from seatpool.web.routes import router

UNKNOWN = dict.fromkeys(("none", "expired", "wrong-audience", "key-revoked", "key-expired"), 401)
WITH_TOKENS = ("nobody", "bob", "numbers", "elsewhere", "viewer", "admin")
KEYS = ("key-own", "key-pool", "key-list")
CALLERS = (*UNKNOWN, *WITH_TOKENS, *KEYS)
EVERYBODY = dict.fromkeys(WITH_TOKENS, 200)
PER_POOL = {
    "nobody": 403, "bob": 403, "numbers": 200, "elsewhere": 403, "viewer": 200, "admin": 200, "key-pool": 200, "key-list": 200,
}  # fmt: skip
LISTS = {"nobody": 403, "bob": 403, "numbers": 200, "elsewhere": 200, "viewer": 200, "admin": 200, "key-list": 200}
SEES: dict[str, dict[str, int]] = {
    "/api/v1/me": EVERYBODY | {"key-own": 200},
    "/api/v1/events": EVERYBODY | {"key-own": 200},
    "/api/v1/openapi.json": EVERYBODY | dict.fromkeys(KEYS, 200),
    "/api/v1/pools": {
        "nobody": 403, "bob": 403, "numbers": 200, "elsewhere": 200, "viewer": 200, "admin": 200, "key-list": 200,
    },
    "/api/v1/pools/{namespace}/{name}": {
        "nobody": 403, "bob": 403, "numbers": 200, "elsewhere": 403, "viewer": 200, "admin": 200, "key-pool": 200,
        "key-list": 200,
    },
    "/api/v1/servers": {
        "nobody": 403, "bob": 403, "numbers": 200, "elsewhere": 200, "viewer": 200, "admin": 200, "key-list": 200,
    },
    "/api/v1/workbenches": {"nobody": 403, "bob": 403, "numbers": 403, "elsewhere": 200, "viewer": 200, "admin": 200},
    "/api/v1/users/{user}": {
        "nobody": 403, "bob": 403, "numbers": 403, "elsewhere": 200, "viewer": 200, "admin": 200,
    },
    "/api/v1/status": LISTS,
    "/api/v1/usage": PER_POOL,
    "/api/v1/plan": PER_POOL,
    "/": EVERYBODY | {"key-own": 200},
    "/developer": EVERYBODY | dict.fromkeys(KEYS, 200),
    "/pools": LISTS,
    "/pools/{namespace}/{name}": PER_POOL,
    "/buyer": LISTS,
    "/admin": {"nobody": 403, "bob": 403, "numbers": 200, "elsewhere": 200, "viewer": 200, "admin": 200},
    "/stream": PER_POOL,
    "/api/v1/keys": EVERYBODY,
    "POST /api/v1/keys": {"nobody": 403, "bob": 403, "numbers": 202, "elsewhere": 403, "viewer": 202, "admin": 202},
    "POST /api/v1/keys/{namespace}/{name}/secret": dict.fromkeys(WITH_TOKENS, 404),
    "DELETE /api/v1/keys/{namespace}/{name}": dict.fromkeys(WITH_TOKENS, 404),
}  # fmt: skip
"""The status by route and caller. The pool is of the first namespace, the user is ann, who works there, and no key is ann's.

A key for which there is no status is refused with 403.
"""
ROUTES = sorted(
    route.path if method == "GET" else f"{method} {route.path}"
    for route in (*router.routes, *pages_router.routes)
    for method in route.methods
)
ASKED = {"scope": "Pool", "pool": "matlab", "purpose": "the matrix"}
QUERIES = {
    "/stream": "?page=pool&target={namespace}/matlab",
    "/api/v1/usage": "?pool={namespace}/matlab",
    "/api/v1/plan": "?pool={namespace}/matlab",
}
OPEN = {"/sign-in", "/sign-out", "/enter/{code}", "/static/{name}"}
"""Routes that answer whoever asks. `test_pages` looks at what they tell."""
STREAMS = {"/api/v1/events": "pools", "/stream": "rows"}
"""The first event of each stream."""
MATRIX = [(route, caller) for route in ROUTES for caller in CALLERS]


@pytest.mark.parametrize(("route", "caller"), MATRIX)
def test_a_caller_sees_what_the_cluster_lets_it_see(site: Site, route: str, caller: str) -> None:
    method, _, there = route.rpartition(" ")
    path = (there + QUERIES.get(route, "")).format(namespace=site.namespace, name="matlab", user="ann")
    expected = UNKNOWN.get(caller) or (SEES[route].get(caller, 403) if caller in KEYS else SEES[route][caller])
    if route in STREAMS and expected == 200:
        with site.stream(caller, path) as stream:
            assert stream.reply.status == 200
            told = stream.next(STREAMS[route])
        if route == "/stream":
            assert ("carl" in str(told)) == (caller in ("viewer", "admin"))
            return
        sees_pools = SEES["/api/v1/pools"].get(caller) == 200
        assert bool(told["items"]) == sees_pools
        return
    body = ASKED | {"namespace": site.namespace} if route == "POST /api/v1/keys" else None
    found = site.get(path, None if caller == "none" else caller, method=method or "GET", body=body)
    assert found.status == expected, found.text
    if expected in (401, 403):
        assert found.headers["content-type"] == "application/problem+json"
        for secret in ("carl", "i-0000000", "seats"):
            assert secret not in found.text.replace("Your own seats", "")
    if expected == 401:
        assert found.headers["www-authenticate"].startswith("Bearer")
    if caller in KEYS and expected == 200 and not route.endswith("openapi.json"):
        shown = {"bob"} if caller == "key-own" else set()
        for name in {"ann", "bob", "carl", "zoe", "viewer"} - shown:
            assert f'"{name}"' not in found.text
            assert f":{name}" not in found.text
    if expected == 200 and caller == "elsewhere":
        assert site.namespace not in found.text.replace(f"system:serviceaccount:{site.namespace}:", "")
    if expected == 200 and caller in ("nobody", "bob", "numbers"):
        assert "carl" not in found.text


PAGES = {"seat": "/", "pools": "/pools", "pool": "/pools/{namespace}/{name}", "admin": "/admin"}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("caller", [*WITH_TOKENS, *KEYS])
def test_the_stream_of_a_page_is_open_to_those_who_may_open_the_page(site: Site, page: str, caller: str) -> None:
    expected = SEES[PAGES[page]].get(caller, 403)
    path = f"/stream?page={page}&target={site.namespace}/matlab"
    if expected == 200:
        with site.stream(caller, path) as stream:
            assert stream.reply.status == 200
            told = str(stream.next("rows"))
        if caller not in ("viewer", "admin"):
            assert "carl" not in told
    else:
        assert site.get(path, caller).status == expected


def test_no_page_is_open_to_a_key_by_a_second_name(site: Site) -> None:
    for query in (
        "page=pool&page=admin",
        "page=admin&page=pool",
        "page=",
        "",
        "page=%61dmin",
        "PAGE=admin",
        "page=pool%00",
    ):
        for caller in KEYS:
            found = site.get(f"/stream?{query}&page=none", caller)
            assert found.status in (400, 403), (query, caller)


def test_the_matrix_has_every_route() -> None:
    assert set(SEES) == set(ROUTES)
    assert {route.path for route in sign_in_router.routes} == OPEN


def test_every_response_keeps_browsers_and_caches_away(site: Site) -> None:
    for path, caller in (("/api/v1/me", "ann"), ("/api/v1/me", None), ("/nothing", None)):
        headers = site.get(path, caller, Origin="https://elsewhere.example").headers
        assert headers["cache-control"] == "private, no-cache"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["vary"] == "Authorization, Cookie"
        assert not any(name.startswith("access-control") for name in headers)
        assert "server" not in headers


def test_whether_a_pool_exists_is_not_told_to_those_who_may_not_see_it(site: Site) -> None:
    there, not_there = (site.get(f"/api/v1/pools/{site.namespace}/{one}", "bob") for one in ("matlab", "no-such"))
    assert (there.status, not_there.status) == (403, 403)
    assert there.json["detail"] == not_there.json["detail"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer a b",
        "Bearer \x1b[31m",
        "Bearer " + "a" * 20_000,
        "Bearer ../../etc/passwd",
        "Token abc",
    ],
)
def test_what_is_no_token_is_refused_without_asking_the_api_server(site: Site, header: str) -> None:
    before = _reviews(site)
    try:
        found = site.get("/api/v1/me", Authorization=header)
    except (http.client.HTTPException, ValueError):
        return  # the client or the server takes no such line at all
    assert found.status in (400, 401, 431)
    if "etc" not in header:
        assert _reviews(site) == before


def test_a_token_of_another_issuer_or_without_the_audience_is_refused(site: Site) -> None:
    claims = {"iss": "https://elsewhere.example", "aud": [AUDIENCE], "sub": "system:admin", "exp": 4_000_000_000}
    site.tokens["forged"] = signed(site.plane, claims)
    assert site.get("/api/v1/me", "forged").status == 401


def test_no_token_is_in_the_log(site: Site) -> None:
    for caller in (*(one for one in CALLERS if one != "none"), "ann"):
        site.get("/api/v1/me", caller)
    text = repr(site.log.entries)
    assert text
    for name, token in site.tokens.items():
        assert token not in text, name
        assert token.split(".")[-1] not in text, name


def test_a_right_that_is_given_or_taken_counts_soon(site: Site) -> None:
    plane, namespace = site.plane, site.namespace
    plane.kubectl("create", "serviceaccount", "late", "-n", namespace)
    site.tokens["late"] = site.new_token("late")
    assert site.get("/api/v1/pools", "late").status == 403
    allow(plane, namespace, "late", "licensepools")
    wait_until(lambda: site.get("/api/v1/pools", "late").status == 200)


def test_a_stream_tells_of_changes_and_only_of_what_the_caller_may_see(site: Site) -> None:
    board = site.board
    with site.stream("numbers") as stream, site.stream("elsewhere") as other:
        first = stream.next("pools")
        assert {one["product"] for one in first["items"]} >= {"matlab", "cad"}
        other.next("pools")
        board.put(board.pool("cad", seats=6))
        while True:
            (line,) = stream.next("pools")["items"]
            if line["seats"] == 6:
                break
        assert "carl" not in str(line)
        board.put(board.pool("gone", seats=1))
        assert [one["name"] for one in stream.next("pools")["items"]] == [f"{site.namespace}/gone"]
        site.plane.kubectl("delete", "pool", "gone", "-n", site.namespace)
        while not (told := stream.next("pools"))["gone"]:
            pass
        assert told == {"items": [], "gone": [f"{site.namespace}/gone"]}


def test_a_user_sees_the_seat_come_without_asking_again(site: Site) -> None:
    board = site.board
    with site.stream("eve") as stream:
        assert stream.next("me")["answer"]["pools"] == []
        board.put(board.workbench(5, "eve", kind="vew-cad"))
        while not (pools := stream.next("me")["answer"]["pools"]):
            pass
        assert pools[0]["pool"] == f"{site.namespace}/cad"
        board.put(board.ledger("cad", assigned={"eve": board.ago(minutes=1)}))
        while stream.next("me")["answer"]["pools"][0]["phase"] not in ("Assigned", "Pending"):
            pass


@pytest.fixture
def strict(site: Site) -> Iterator[Site]:
    """Another server with low limits."""
    settings = web_settings(
        site.plane, site.namespace, requests_per_minute=4, refused_tokens_per_minute=3, streams_per_caller=1
    )
    server, log, stop = start(settings)
    strict = Site(site.plane, site.board, site.other, server, log, site.tokens)
    wait_until(lambda: site.get("/api/v1/me", "ann").status == 200)
    yield strict
    stop()


def test_a_caller_who_asks_too_often_is_told_when_to_come_again(strict: Site) -> None:
    seen = [strict.get("/api/v1/me", "ann") for _ in range(6)]
    statuses = [one.status for one in seen if one.status != 503]  # the first list may still come
    assert statuses[-1] == 429
    assert int(seen[-1].headers["retry-after"]) > 0
    assert seen[-1].headers["ratelimit-policy"] == '"caller";q=4;w=60'
    assert seen[-1].json["id"] == "TooManyRequests"


def test_guessing_tokens_does_not_load_the_api_server(strict: Site) -> None:
    for number in range(8):
        strict.tokens[f"guess-{number}"] = f"guess-{number}"
    statuses = [strict.get("/api/v1/me", f"guess-{number}").status for number in range(8)]
    assert statuses == [401, 401, 401, 429, 429, 429, 429, 429]
    assert _reviews(strict) == 3


def test_only_so_many_streams_of_a_caller_are_open(strict: Site) -> None:
    wait_until(lambda: strict.server.registry.get_sample_value("seatpool_web_workbenches") or 0)
    with Stream(strict.server.port, "/api/v1/events", strict.tokens["bob"]) as first:
        assert first.reply.status == 200
        with Stream(strict.server.port, "/api/v1/events", strict.tokens["bob"]) as second:
            assert second.reply.status == 429
    wait_until(lambda: strict.server.registry.get_sample_value("seatpool_web_streams") == 0)


def _reviews(site: Site) -> float:
    return site.server.registry.get_sample_value("seatpool_web_reviews_total", {"kind": "TokenReview"}) or 0.0
