"""Signing in: which path a reader is sent back to, who may send a form, who is taken for a caller, and codes."""

from ipaddress import ip_network
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import Request, Response
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from tests.unit.web.test_access_parts import ApiServer
from tests.unit.web.test_visible_users import live

from seatpool.settings.web import ProxySettings, WebSettings
from seatpool.web.identity_proxy import AUTHENTICATED, proxied_caller
from seatpool.web.metrics import WebMetrics
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.service import Service
from seatpool.web.session import (
    LOOPBACK_COOKIE,
    SECURE_COOKIE,
    comes_from_elsewhere,
    cookie_token,
    is_plain,
    is_same_origin,
    local_path,
    sign_in,
    sign_out,
)
from seatpool.web.sign_in_codes import LASTS, SignInCodes
from seatpool.web.stream import Streams

SITE = "https://seats.example"
PROXY = ProxySettings(
    user_header="X-Forwarded-User",
    groups_header="X-Forwarded-Groups",
    trusted=(ip_network("10.1.0.0/28"), ip_network("fd00::/64")),
)
ANN = ("X-Forwarded-User", "ann@corp.example")


def request(
    *headers: tuple[str, str], scheme: str = "https", client: str = "192.0.2.1", method: str = "POST"
) -> Request:
    scope: dict[str, Any] = {
        "type": "http", "method": method, "scheme": scheme, "path": "/", "query_string": b"", "client": (client, 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers], "server": ("seats.example", 443),
    }  # fmt: skip
    return Request(scope)


# -- where a reader is sent back to -------------------------------------------------------------------------------------

ELSEWHERE = (
    "//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "", "pools",
    "/\t/evil.example", "/\n/evil.example", " //evil.example", "///evil.example", "/%0d%0aSet-Cookie:a=b\r\nX: y", "http:evil",
    "/pools\x00", "/é", "/" + "a" * 1000,
)  # fmt: skip


@pytest.mark.parametrize("text", ELSEWHERE)
def test_a_reader_is_sent_to_no_other_site(text: str) -> None:
    assert local_path(text) == "/"


@given(st.text(max_size=60) | st.from_regex(r"[/\\.]{1,4}[a-z:/\\@.?]{0,20}", fullmatch=True))
def test_whatever_is_asked_for_stays_on_this_site(text: str) -> None:
    found = local_path(text)
    assert urlsplit(urljoin(SITE, found)).netloc == "seats.example"
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert found.isprintable()


@pytest.mark.parametrize("path", ["/", "/pools", "/pools/lab/matlab", "/buyer?pool=lab/matlab&seats=7", "/a%20b"])
def test_a_path_of_this_site_is_kept(path: str) -> None:
    assert local_path(path) == path


def test_no_path_is_the_first_page() -> None:
    assert local_path(None) == "/"


# -- forms --------------------------------------------------------------------------------------------------------------

HOST = ("Host", "seats.example")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([("Sec-Fetch-Site", "same-origin")], True),
        ([("Sec-Fetch-Site", "same-site")], False),
        ([("Sec-Fetch-Site", "cross-site")], False),
        ([("Sec-Fetch-Site", "none")], False),
        ([("Sec-Fetch-Site", "cross-site"), ("Origin", SITE)], False),
        ([("Origin", SITE)], True),
        ([("Origin", "https://evil.example")], False),
        ([("Origin", "https://seats.example.evil.example")], False),
        ([("Origin", "https://seats.example@evil.example")], False),
        ([("Origin", "null")], False),
        ([], False),
    ],
)
def test_a_form_counts_only_if_a_page_of_this_site_sent_it(headers: list[tuple[str, str]], allowed: bool) -> None:
    assert is_same_origin(request(HOST, *headers)) is allowed


def test_without_a_host_no_origin_is_ours() -> None:
    assert not is_same_origin(request(("Origin", "https://")))


def test_a_link_of_another_site_is_known() -> None:
    assert comes_from_elsewhere({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert not comes_from_elsewhere({"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"})
    assert not comes_from_elsewhere({"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"})


def test_an_address_without_https_is_known_by_what_the_browser_says() -> None:
    assert is_plain(request(HOST, ("Origin", "http://seats.example")))
    assert not is_plain(request(HOST, ("Origin", SITE)))
    assert not is_plain(request(HOST, ("Origin", "http://127.0.0.1:8081")))
    assert not is_plain(request(HOST, ("Origin", "http://localhost:8081")))


SAME, OTHER = ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")
BEARER, COOKIE = ("Authorization", "Bearer good"), ("Cookie", f"{SECURE_COOKIE}=good")


@pytest.mark.parametrize(
    ("method", "headers", "allowed"),
    [
        ("GET", [COOKIE], True),
        ("GET", [COOKIE, OTHER], True),
        ("POST", [COOKIE, SAME], True),
        ("POST", [COOKIE, OTHER], False),
        ("POST", [COOKIE], False),
        ("DELETE", [COOKIE], False),
        ("POST", [BEARER], True),
        ("POST", [BEARER, SAME], True),
        ("POST", [BEARER, ("Sec-Fetch-Site", "none")], True),
        ("POST", [BEARER, OTHER], False),
        ("POST", [BEARER, ("Origin", "https://evil.example")], False),
        ("POST", [BEARER, ("Origin", SITE)], True),
        ("POST", [ANN, SAME], True),
        ("POST", [ANN], False),
        ("DELETE", [ANN, OTHER], False),
    ],
)
async def test_no_other_site_changes_anything_in_a_readers_name(
    method: str, headers: list[tuple[str, str]], allowed: bool
) -> None:
    api = ApiServer()
    service = Service(
        settings=WebSettings(proxy=PROXY), cluster=live(), authenticator=api.authenticator(), authorizer=api.authorizer(),
        metrics=WebMetrics(CollectorRegistry()), streams=Streams(1, 1), leases=dict, is_ready=lambda: True,
    )  # fmt: skip
    asked = request(HOST, *headers, method=method, client="10.1.0.1")
    if allowed:
        assert (await service.authenticate(asked)).name in ("ann", "ann@corp.example")
        return
    with pytest.raises(Refusal) as refused:
        await service.authenticate(asked)
    assert refused.value.id is ProblemId.OTHER_SITE
    assert api.asked == []


# -- the cookie ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "host", "name"),
    [
        ("https", "seats.example", SECURE_COOKIE),
        ("https", "localhost:8081", SECURE_COOKIE),
        ("http", "seats.example", SECURE_COOKIE),
        ("http", "127.0.0.1.evil.example", SECURE_COOKIE),
        ("http", "127.0.0.1:8081", LOOPBACK_COOKIE),
        ("http", "[::1]:8081", LOOPBACK_COOKIE),
        ("http", "localhost", LOOPBACK_COOKIE),
    ],
)
def test_the_cookie_is_for_this_site_only_and_no_script_reads_it(scheme: str, host: str, name: str) -> None:
    asked, answer = request(("Host", host), scheme=scheme), Response()
    sign_in(asked, answer, "a-token")
    written = answer.headers["set-cookie"]
    assert written.startswith(f"{name}=a-token; ")
    parts = {one.strip().lower() for one in written.split(";")}
    assert {"httponly", "path=/", "samesite=strict"} <= parts
    assert ("secure" in parts) is (name == SECURE_COOKIE)
    assert "domain" not in written.lower()
    assert cookie_token(request(("Host", host), ("Cookie", f"{name}=a-token"), scheme=scheme)) == "a-token"


def test_signing_out_ends_the_cookie() -> None:
    asked, answer = request(HOST), Response()
    sign_out(asked, answer)
    assert answer.headers["set-cookie"].startswith(f'{SECURE_COOKIE}=""; ')
    assert "max-age=0" in answer.headers["set-cookie"].lower()


# -- a proxy ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["10.1.0.1", "10.1.0.15", "::ffff:10.1.0.2", "fd00::7"])
def test_the_proxy_names_the_caller(client: str) -> None:
    found = proxied_caller(request(ANN, ("X-Forwarded-Groups", "team, lab"), client=client), PROXY)
    assert found is not None
    assert found.name == "ann@corp.example"
    assert found.groups == (AUTHENTICATED, "team", "lab")


@pytest.mark.parametrize("client", ["10.1.0.16", "192.0.2.1", "::ffff:10.1.1.2", "fd01::7", "unix", ""])
def test_from_any_other_address_the_header_is_nothing(client: str) -> None:
    assert proxied_caller(request(ANN, client=client), PROXY) is None


def test_without_settings_the_header_is_nothing() -> None:
    assert proxied_caller(request(ANN, client="10.1.0.1"), ProxySettings()) is None


@pytest.mark.parametrize("name", ["", "system:admin", "system:serviceaccount:kube-system:x", "a" * 300, "a\tb"])
def test_no_proxy_can_name_what_kubernetes_keeps_for_itself(name: str) -> None:
    with pytest.raises(Refusal) as refused:
        proxied_caller(request(("X-Forwarded-User", name), client="10.1.0.1"), PROXY)
    assert refused.value.id is ProblemId.BAD_PROXY_USER


def test_two_names_are_none() -> None:
    with pytest.raises(Refusal):
        proxied_caller(request(ANN, ("X-Forwarded-User", "bob"), client="10.1.0.1"), PROXY)


@given(st.lists(st.text(max_size=30), max_size=5))
def test_no_group_of_kubernetes_comes_from_a_proxy(groups: list[str]) -> None:
    text = ",".join([*groups, "system:masters", " system:masters"]).encode("ascii", "ignore").decode()
    found = proxied_caller(request(ANN, ("X-Forwarded-Groups", text), client="10.1.0.1"), PROXY)
    assert found is not None
    assert [one for one in found.groups if one.startswith("system:")] == [AUTHENTICATED]


@pytest.mark.parametrize(
    "given",
    [{"user_header": "X-User"}, {"trusted": ["10.0.0.0/8"]}, {"groups_header": "X-Groups"}, {"user_header": "a b"}],
)
def test_half_a_proxy_refuses_the_start(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        WebSettings(proxy=given)
    assert "proxy" in str(refused.value)


# -- codes --------------------------------------------------------------------------------------------------------------


def test_a_code_is_taken_once_and_ends() -> None:
    now = 0.0
    codes = SignInCodes(monotonic=lambda: now)
    first, second = codes.make("a-token"), codes.make("b-token")
    assert "a-token" not in repr(codes)
    assert first != second
    assert codes.take(first) == "a-token"
    assert codes.take(first) is None
    now = LASTS
    assert codes.take(second) is None
    assert codes.take("") is None


def test_a_code_that_lasts_is_taken_again_and_again() -> None:
    now = 0.0
    codes = SignInCodes(monotonic=lambda: now)
    code = codes.make("a-token", once=False)
    assert "a-token" not in repr(codes)
    now = 100 * LASTS
    assert [codes.take(code), codes.take(code)] == ["a-token", "a-token"]
