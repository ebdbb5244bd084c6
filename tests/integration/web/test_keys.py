"""Keys from the request to the end, on a real API server."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from tests.integration.web.conftest import Site, Stream, allow, start, web_settings
from tests.waiting import wait_until

from seatpool.sim.controlplane import KubectlError
from seatpool.web.keys.text import Key, make_key, read_key

Body = dict[str, Any]


def key_object(site: Site, name: str) -> Body:
    found: Body = json.loads(site.plane.kubectl("get", "apikey", name, "-n", site.namespace, "-o", "json"))
    return found


def apply(site: Site, name: str, **spec: Any) -> None:
    made = {
        "apiVersion": "seatpool.io/v1alpha1",
        "kind": "APIKey",
        "metadata": {"name": name, "namespace": site.namespace},
        "spec": {"user": account(site, "bob"), "scope": "Own", "purpose": "a test"} | spec,
    }
    site.plane.kubectl("apply", "-f", "-", input=yaml.safe_dump(made))


def account(site: Site, name: str) -> str:
    return f"system:serviceaccount:{site.namespace}:{name}"


def until_phase(site: Site, name: str, phase: str) -> Body:
    found: list[Body] = [{}]

    def look() -> bool:
        found[0] = key_object(site, name)
        return bool(found[0]["status"].get("phase") == phase)

    wait_until(look, what=f"{name} is {phase}: {found}")
    return found[0]


def until_refused(site: Site, name: str, path: str = "/api/v1/openapi.json") -> Body:
    wait_until(lambda: site.get(path, name).status == 401, what=name)
    found: Body = site.get(path, name).json
    return found


def lines(site: Site, name: str) -> list[Body]:
    """The audit trail of a key."""
    every = (json.loads(line) for line in site.audit.read_text().splitlines())
    return [line for line in every if line.get("key") == f"{site.namespace}/{name}"]


# -- asking, approving, taking ---------------------------------------------------------------------------------------


def test_a_user_gets_a_key_of_the_own_seats_at_once_and_it_is_stored_nowhere(site: Site) -> None:
    reply = site.get(
        "/api/v1/keys", "bob", method="POST", body={"scope": "Own", "purpose": "widget", "validFor": "12h"}
    )
    assert reply.status == 201
    assert reply.headers["cache-control"] == "no-store"
    item, text = reply.json["item"], reply.json["key"]
    assert (item["phase"], item["user"], item["namespace"]) == ("Issued", account(site, "bob"), site.namespace)
    site.tokens["mine"] = text
    me = site.get("/api/v1/me", "mine")
    assert (me.status, me.json["user"]) == (200, "bob")
    key = read_key(text)
    assert key is not None
    stored = key_object(site, item["name"])
    assert stored["status"]["hash"] == hashlib.sha256(key.secret.encode()).hexdigest()
    assert stored["status"]["prefix"] == item["prefix"] == f"sp_{key.id}"
    assert "system:serviceaccounts" in stored["status"]["groups"]
    until_used = lambda: "lastUsedAt" in key_object(site, item["name"])["status"]  # noqa: E731
    wait_until(until_used)
    wait_until(lambda: len(lines(site, item["name"])) >= 4)
    told = lines(site, item["name"])
    assert [line["action"] for line in told] == ["key-request", "key-approve", "key-issue", "key-use"]
    assert {line["user"] for line in told} == {account(site, "bob")}
    everywhere = json.dumps(key_object(site, item["name"])) + site.audit.read_text() + repr(site.log.entries)
    everywhere += site.get("/api/v1/keys", "bob").text
    assert key.secret not in everywhere
    assert key.hash not in site.audit.read_text() + repr(site.log.entries) + site.get("/api/v1/keys", "bob").text


def test_a_key_of_a_pool_waits_for_an_admin_and_is_shown_once(site: Site) -> None:
    wanted = {"scope": "Pool", "namespace": site.namespace, "pool": "matlab", "purpose": "dashboard"}
    asked = site.get("/api/v1/keys", "numbers", method="POST", body=wanted)
    assert asked.status == 202
    assert "key" not in asked.json
    name, path = asked.json["item"]["name"], asked.headers["location"]
    early = site.get(path, "numbers", method="POST")
    assert (early.status, early.json["id"]) == (409, "KeyNotTakeable")
    assert "kubectl patch apikey" in early.json["detail"]
    until_phase(site, name, "Requested")
    site.patch_key(name, {"spec": {"approved": True}})
    until_phase(site, name, "Approved")
    assert site.get(path, "nobody", method="POST").status == 404
    taken = site.get(path, "numbers", method="POST")
    assert taken.status == 201
    site.tokens["of-a-pool"] = taken.json["key"]
    again = site.get(path, "numbers", method="POST")
    assert (again.status, again.json["id"]) == (409, "KeyNotTakeable")
    shown = site.get(f"/api/v1/pools/{site.namespace}/matlab", "of-a-pool")
    assert shown.status == 200
    assert not shown.json["namesShown"]
    assert site.get(f"/api/v1/pools/{site.namespace}/cad", "of-a-pool").status == 403
    assert [line["action"] for line in lines(site, name)][:3] == ["key-request", "key-approve", "key-issue"]


def test_of_many_who_take_a_key_at_a_time_one_gets_it(site: Site) -> None:
    apply(site, "contested")
    until_phase(site, "contested", "Approved")
    path = f"/api/v1/keys/{site.namespace}/contested/secret"
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: site.get(path, "bob", method="POST"), range(8)))
    assert sorted(one.status for one in replies) == [201] + [409] * 7
    (got,) = [one.json["key"] for one in replies if one.status == 201]
    site.tokens["contested"] = got
    assert site.get("/api/v1/me", "contested").status == 200


def test_a_key_that_was_asked_for_by_kubectl_is_taken_by_its_user_and_no_other(site: Site) -> None:
    apply(site, "by-kubectl", validFor="7d")
    until_phase(site, "by-kubectl", "Approved")
    path = f"/api/v1/keys/{site.namespace}/by-kubectl/secret"
    for other in ("nobody", "ann", "viewer", "admin"):
        assert site.get(path, other, method="POST").status == 404
    taken = site.get(path, "bob", method="POST")
    assert taken.status == 201
    columns = site.plane.kubectl("get", "key", "by-kubectl", "-n", site.namespace).splitlines()
    assert columns[0].split() == ["NAME", "USER", "SCOPE", "APPROVED", "PHASE", "EXPIRES", "LAST-USED", "AGE"]
    assert columns[1].split()[1:5] == [account(site, "bob"), "Own", "True", "Issued"]


def test_who_may_grant_keys_takes_one_for_a_service(site: Site) -> None:
    plane, namespace = site.plane, site.namespace
    plane.kubectl("create", "serviceaccount", "granter", "-n", namespace)
    site.tokens["granter"] = site.new_token("granter")
    allow(plane, namespace, "granter", "apikeys")
    apply(site, "for-a-service", user=account(site, "numbers"), scope="List", approved=True)
    until_phase(site, "for-a-service", "Approved")
    path = f"/api/v1/keys/{namespace}/for-a-service/secret"
    refused = site.get(path, "granter", method="POST")
    assert (refused.status, refused.json["id"]) == (403, "Forbidden")
    assert "grant" in refused.json["detail"]
    role = f"grant-{secrets.token_hex(3)}"
    plane.kubectl("create", "clusterrole", role, "--verb=grant", "--resource=apikeys.seatpool.io")
    plane.kubectl(
        "create", "clusterrolebinding", role, f"--clusterrole={role}", f"--serviceaccount={namespace}:granter"
    )
    taken: list[Any] = []
    wait_until(lambda: taken.append(site.get(path, "granter", method="POST")) or taken[-1].status == 201)
    site.tokens["service"] = taken[-1].json["key"]
    found = site.get("/api/v1/pools", "service")
    assert found.status == 200
    assert {one["name"].partition("/")[0] for one in found.json["items"]} == {namespace}
    assert key_object(site, "for-a-service")["status"]["groups"][0] == "system:serviceaccounts"


def test_a_list_of_keys_has_the_own_ones_and_for_who_may_list_them_all(site: Site) -> None:
    mine = site.new_key("bob", scope="Own", purpose="of bob")["item"]["name"]
    names = {one["name"] for one in site.get("/api/v1/keys", "bob").json["items"]}
    assert mine in names
    assert mine not in {one["name"] for one in site.get("/api/v1/keys", "ann").json["items"]}
    plane, namespace = site.plane, site.namespace
    plane.kubectl("create", "serviceaccount", "overseer", "-n", namespace)
    site.tokens["overseer"] = site.new_token("overseer")
    allow(plane, namespace, "overseer", "apikeys")
    found = site.until("/api/v1/keys?limit=500", "overseer", lambda page: len(page["items"]) > 1)
    assert mine in {one["name"] for one in found["items"]}
    assert len({one["user"] for one in found["items"]}) > 1
    denied = site.get(f"/api/v1/keys/{namespace}/{mine}", "overseer", method="DELETE")
    assert (denied.status, denied.json["id"]) == (403, "Forbidden")


# -- the end of a key ------------------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_at_once_and_stays_so(site: Site) -> None:
    name = site.new_key("bob", scope="Own")["item"]["name"]
    path = f"/api/v1/keys/{site.namespace}/{name}"
    assert site.get("/api/v1/me", name).status == 200
    assert site.get(path, "ann", method="DELETE").status == 404
    assert site.get(path, name, method="DELETE").status == 403  # no key revokes, not even itself
    assert site.get(path, "bob", method="DELETE").json["phase"] == "Ended"
    refused = site.get("/api/v1/me", name)
    assert (refused.status, refused.json["id"]) == (401, "KeyEnded")
    assert site.get(path, "bob", method="DELETE").status == 200
    until_phase(site, name, "Ended")
    with pytest.raises(KubectlError, match="a revoked key stays revoked"):
        site.patch_key(name, {"spec": {"revoked": False}})
    wait_until(lambda: "key-end" in {line["action"] for line in lines(site, name)})
    assert [line["by"] for line in lines(site, name) if line["action"] == "key-revoke"] == [account(site, "bob")]


@pytest.mark.parametrize("how", ["revoked", "refused", "deleted"])
def test_what_an_admin_decides_by_kubectl_counts_without_a_list(site: Site, how: str) -> None:
    name = site.new_key("bob", scope="Own")["item"]["name"]
    assert site.get("/api/v1/me", name).status == 200
    if how == "deleted":
        site.plane.kubectl("delete", "apikey", name, "-n", site.namespace)
    else:
        site.patch_key(name, {"spec": {"revoked": True} if how == "revoked" else {"approved": False}})
    assert until_refused(site, name)["id"] == ("BadKey" if how == "deleted" else "KeyEnded")


def test_an_open_stream_ends_with_its_key(site: Site) -> None:
    name = site.new_key("bob", scope="Own")["item"]["name"]
    with Stream(site.server.port, "/api/v1/events", site.tokens[name]) as stream:
        assert stream.next("me")["user"] == "bob"
        site.patch_key(name, {"spec": {"revoked": True}})
        assert stream.next("end")["id"] == "KeyEnded"


def test_a_key_of_a_workbench_ends_when_it_stops_and_does_not_come_back(site: Site) -> None:
    board = site.board
    board.put(board.workbench(51, "eve", kind="vew-other"), board.workbench(52, "eve", kind="vew-other"))
    site.until("/api/v1/me", "eve", lambda me: len(me["answer"]["workbenches"]) >= 2)
    names = []
    for machine in ("i-00000033", "i-00000034"):
        made = site.new_key("eve", scope="Own", workbench=machine)
        names.append(made["item"]["name"])
        assert site.get("/api/v1/me", names[-1]).status == 200
    wrong = {"scope": "Own", "purpose": "x", "workbench": "i-00000033"}
    assert site.get("/api/v1/keys", "ann", method="POST", body=wrong).status == 400  # of another user
    board.put(board.workbench(51, "eve", kind="vew-other", state="stopping"))
    assert "workbench i-00000033 stopped" in until_refused(site, names[0])["detail"]
    until_phase(site, names[0], "Ended")
    board.put(board.workbench(51, "eve", kind="vew-other"))
    site.until("/api/v1/me", "eve", lambda me: {one["state"] for one in me["answer"]["workbenches"]} == {"running"})
    assert site.get("/api/v1/me", names[0]).status == 401
    assert site.get("/api/v1/me", names[1]).status == 200
    site.plane.kubectl("delete", "workbench", "i-00000034", "-n", site.namespace)
    until_refused(site, names[1])


def test_a_key_loses_what_its_user_loses(site: Site) -> None:
    plane, namespace = site.plane, site.namespace
    plane.kubectl("create", "serviceaccount", "leaver", "-n", namespace)
    site.tokens["leaver"] = site.new_token("leaver")
    allow(plane, namespace, "leaver", "licensepools,licenseservers")
    wait_until(lambda: site.get("/api/v1/pools", "leaver").status == 200)
    used, unused = (site.new_key("leaver", scope="List")["item"]["name"] for _ in range(2))
    assert site.get("/api/v1/servers", used).status == 200
    bound = json.loads(plane.kubectl("get", "rolebindings", "-n", namespace, "-o", "json"))["items"]
    (binding,) = [one["metadata"]["name"] for one in bound if one["subjects"][0]["name"] == "leaver"]
    plane.kubectl("delete", "rolebinding", binding, "-n", namespace)
    assert site.get("/api/v1/pools", unused).status == 403  # answers are kept for a key by itself


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"scope": "All"}, "scope"),
        ({"scope": "Pool"}, "pool"),
        ({"scope": "List", "pool": "matlab"}, "pool"),
        ({"scope": "List", "workbench": "w"}, "workbench"),
        ({"scope": "List", "namespace": None}, "namespace"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"purpose": "a\x1b[31m"}, "purpose"),
        ({"validFor": "91d"}, "validFor"),
        ({"validFor": "1s"}, "validFor"),
        ({"validFor": "soon"}, "validFor"),
        ({"validFor": "1h", "expiresAt": "2099-01-01T00:00:00Z"}, "validFor"),
        ({"expiresAt": "2099-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ({"user": "system:admin"}, "user"),
        ({"approved": True}, "approved"),
        ({"workbench": "i-00000001"}, "workbench"),
        ({"namespace": "../kube-system"}, None),
        ({"namespace": "kube-system"}, None),
    ],
)
def test_a_request_that_is_not_right_is_told_which_field(site: Site, wanted: Body, field: str | None) -> None:
    before = site.plane.kubectl("get", "apikeys", "-A", "-o", "name")
    body = {"scope": "Own", "purpose": "a test", "namespace": site.namespace} | wanted
    reply = site.get("/api/v1/keys", "bob", method="POST", body=body)
    if field is None:
        assert reply.status == 403
    else:
        assert (reply.status, reply.json["id"]) == (400, "BadParameter"), reply.text
        assert reply.json["detail"].startswith(f"Parameter {field} (body) is ")
    assert reply.body.isascii()
    assert site.plane.kubectl("get", "apikeys", "-A", "-o", "name") == before


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 5000, "application/json"),
        (b'{"purpose": "' + b"x" * 20_000 + b'"}', "application/json"),
        (b'{"scope": "Own", "purpose": "x"}', "text/plain"),
        (b"scope=Own&purpose=x", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_none_is_refused(site: Site, body: bytes, kind: str) -> None:
    reply = site.get("/api/v1/keys", "bob", method="POST", body=body, Content_Type=kind)
    assert (reply.status, reply.json["id"]) == (400, "BadBody"), reply.text


def test_a_large_body_is_not_read_for_who_has_no_token(site: Site) -> None:
    assert site.get("/api/v1/keys", method="POST", body=b"x" * 3_000_000).status == 401


REFUSED: list[tuple[Body, str]] = [
    ({"scope": "Pool"}, "pool goes with scope Pool"),
    ({"pool": "matlab"}, "pool goes with scope Pool"),
    ({"scope": "List", "workbench": "w"}, "workbench goes with scope Own"),
    ({"validFor": "1h", "expiresAt": "2099-01-01T00:00:00Z"}, "give validFor or expiresAt"),
    ({"validFor": "soon"}, "must be a duration"),
    ({"validFor": "1s"}, "must be 1m to 365d"),
    ({"validFor": "366d"}, "must be 1m to 365d"),
    ({"purpose": "a\x07b"}, "must be text without control characters"),
    ({"user": "a\nb"}, "must be text without control characters"),
    ({"purpose": ""}, "should be at least 1"),
    ({"scope": "All"}, "Unsupported value"),
]


@pytest.mark.parametrize(("spec", "said"), REFUSED)
def test_the_api_server_refuses_what_makes_no_sense(site: Site, spec: Body, said: str) -> None:
    with pytest.raises(KubectlError, match=said):
        apply(site, f"wrong-{secrets.token_hex(3)}", **spec)


@pytest.mark.parametrize(
    "change",
    [
        {"user": "root"},
        {"scope": "List"},
        {"purpose": "other"},
        {"validFor": "2h"},
        {"validFor": None},
        {"workbench": "w"},
    ],
)
def test_what_was_asked_for_does_not_change(site: Site, change: Body) -> None:
    name = f"fixed-{secrets.token_hex(3)}"
    apply(site, name, validFor="1h", approved=False)
    with pytest.raises(KubectlError, match="only approved and revoked can change"):
        site.patch_key(name, {"spec": change})


def test_a_request_for_too_long_a_time_is_refused_with_what_would_be_right(site: Site) -> None:
    apply(site, "too-long", validFor="200d")
    found = until_phase(site, "too-long", "Refused")
    (ready,) = [one for one in found["status"]["conditions"] if one["type"] == "Ready"]
    assert (
        ready["message"] == "spec.validFor is 200d, and web.keys.longest is 90d; ask for another key that ends sooner"
    )


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(site: Site) -> Iterator[Site]:
    """Another server with low limits, beside the first: a second replica."""
    settings = web_settings(
        site.plane, site.namespace, requests_per_minute=4, refused_tokens_per_minute=3,
        keys={"enabled": True, "longest": "1h"},
    )  # fmt: skip
    server, log, stop = start(settings)
    wait_until(lambda: server.registry.get_sample_value("seatpool_web_workbenches") or 0)
    yield Site(site.plane, site.board, site.other, server, log, site.tokens)
    stop()


def test_each_key_has_a_limit_of_its_own(site: Site, strict: Site) -> None:
    first, second = (site.new_key("bob", scope="Own")["item"]["name"] for _ in range(2))
    for name in (first, second):
        wait_until(lambda name=name: strict.get("/api/v1/openapi.json", name).status == 200)  # type: ignore[misc]
        statuses = [strict.get("/api/v1/openapi.json", name).status for _ in range(6)]
        assert statuses[-1] == 429


def test_guessed_keys_are_limited_by_address_and_asked_about_nowhere(site: Site, strict: Site) -> None:
    good = site.new_key("bob", scope="Own")["item"]["name"]
    known = read_key(site.tokens[good])
    assert known is not None
    # A request with a key that this replica has not seen yet would count as a guess.
    keys = strict.server.service.keys  # type: ignore[union-attr]
    assert keys is not None
    wait_until(lambda: (found := keys.index.find(known.id)) is not None and found.status.hash)
    assert strict.get("/api/v1/openapi.json", good).status == 200
    for number in range(8):
        strict.tokens[f"guess-{number}"] = Key(id=known.id, secret=make_key().secret).text
    statuses = [strict.get("/api/v1/me", f"guess-{number}").status for number in range(8)]
    assert statuses[:2] == [401, 401]
    assert statuses[4:] == [429] * 4
    assert strict.get("/api/v1/openapi.json", good).status in (200, 429)
    assert strict.server.registry.get_sample_value("seatpool_web_reviews_total", {"kind": "TokenReview"}) is None


@pytest.fixture
def few(site: Site) -> Iterator[Site]:
    """Another server that gives a user two keys at a time."""
    keys = {"enabled": True, "most_per_user": 2, "approve": ["Own", "List"]}
    server, log, stop = start(web_settings(site.plane, site.namespace, keys=keys))
    wait_until(lambda: server.registry.get_sample_value("seatpool_web_workbenches") or 0)
    yield Site(site.plane, site.board, site.other, server, log, site.tokens)
    stop()


def test_a_user_has_no_more_keys_than_the_settings_allow_and_ended_ones_are_dropped(site: Site, few: Site) -> None:
    plane, namespace = site.plane, site.namespace
    plane.kubectl("create", "serviceaccount", "greedy", "-n", namespace)
    allow(plane, namespace, "greedy", "licensepools,licenseservers")
    site.tokens["greedy"] = site.new_token("greedy")
    wait_until(lambda: site.get("/api/v1/pools", "greedy").status == 200)
    asked = {"scope": "List", "purpose": "x", "namespace": namespace}

    def ask() -> Any:
        return few.get("/api/v1/keys", "greedy", method="POST", body=asked)

    made = [ask().json["item"]["name"] for _ in range(2)]
    full = ask()
    assert (full.status, full.json["id"]) == (409, "TooManyKeys")
    for name in made:
        site.patch_key(name, {"spec": {"revoked": True}})
        until_phase(site, name, "Ended")
    wait_until(lambda: ask().status == 201)


def test_replicas_with_different_settings_write_a_few_times_and_not_for_ever(site: Site) -> None:
    """One allows 90 days, one a day, as while a new setting is rolled out. A key of 30 days, refused by one only, is its case."""
    keys = {"enabled": True, "longest": "1d", "approve": []}
    server, _, stop = start(web_settings(site.plane, site.namespace, keys=keys))
    try:
        wait_until(lambda: server.registry.get_sample_value("seatpool_web_workbenches") or 0)
        with ThreadPoolExecutor(1) as pool:
            seen = pool.submit(
                site.plane.kubectl, "get", "apikeys", "-n", site.namespace, "--watch", "--request-timeout=8s", "-o",
                'jsonpath={.metadata.name}={.status.phase}{"\\n"}',
            )  # fmt: skip
            apply(site, "settled", validFor="30d", approved=True)
            apply(site, "disputed", validFor="30d", scope="List")
            phases = seen.result().splitlines()
        assert phases.count("settled=Approved") >= 1
        assert {"disputed=Refused", "disputed=Requested"} <= set(phases)
        for name in ("settled", "disputed"):
            assert sum(phase.startswith(f"{name}=") for phase in phases) <= 6, phases
            site.patch_key(name, {"spec": {"revoked": True}})
            until_phase(site, name, "Ended")
    finally:
        stop()


def test_a_service_without_keys_makes_and_takes_none(site: Site) -> None:
    name = site.new_key("bob", scope="Own")["item"]["name"]
    server, log, stop = start(web_settings(site.plane, site.namespace))
    try:
        without = Site(site.plane, site.board, site.other, server, log, site.tokens)
        wait_until(lambda: without.get("/api/v1/me", "bob").status == 200)
        body = {"scope": "Own", "purpose": "x"}
        for reply in (
            without.get("/api/v1/keys", "bob"), without.get("/api/v1/keys", "bob", method="POST", body=body),
            without.get(f"/api/v1/keys/{site.namespace}/{name}", "bob", method="DELETE"),
        ):  # fmt: skip
            assert (reply.status, reply.json["id"]) == (404, "KeysOff")
        assert without.get("/api/v1/me", name).json["id"] == "BadKey"
    finally:
        stop()


def test_a_wrong_method_is_told_the_right_ones(site: Site) -> None:
    reply = site.get("/api/v1/keys", "bob", method="PUT")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")
    assert site.get("/api/v1/me", "bob", method="POST").headers["allow"] == "GET"
