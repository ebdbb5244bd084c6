"""The pages in a real browser: signing in, what changes while a page is open, what is hostile, and who can read them."""

import http.client
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.integration.cli.conftest import Board
from tests.integration.web.conftest import Body, Reply, Site, start, web_settings
from tests.waiting import PATIENCE, wait_until

from seatpool.web.pages.rendering import STATIC, static_url
from seatpool.web.session import LOOPBACK_COOKIE

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make environment")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make environment")
CHROMIUM = next(filter(None, (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on the PATH: install the package chromium"
)
LONGEST = PATIENCE * 1000
"""Milliseconds that the browser waits for something to appear."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    flags = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
    with playwright.sync_playwright() as tools:
        found = tools.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield found
        found.close()


class Tab:
    """A browser of one reader. It notes what the console says."""

    def __init__(self, browser: Any, site: Site, caller: str | None, **options: Any) -> None:
        self.address = f"http://127.0.0.1:{site.server.port}"
        self.context = browser.new_context(**{"timezone_id": "Europe/Berlin"} | options)
        self.context.set_default_timeout(LONGEST)
        if caller is not None:
            cookie = {"name": LOOPBACK_COOKIE, "value": site.tokens[caller], "url": self.address, "httpOnly": True}
            self.context.add_cookies([cookie | {"sameSite": "Strict"}])
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.said.append("error: a dialog"), dialog.dismiss()))

    def open(self, path: str) -> Any:
        return self.page.goto(self.address + path, wait_until="load")

    @property
    def errors(self) -> list[str]:
        """What went wrong, beyond a status that the test asks for."""
        return [one for one in self.said if one.startswith("error") and "Failed to load resource" not in one]

    def live(self) -> None:
        self.page.wait_for_selector("#live[data-state=on]")

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))


@pytest.fixture
def tab(browser: Any, site: Site) -> Iterator[Any]:
    """Opens a tab for a caller."""
    made: list[Tab] = []

    def tab(caller: str | None, **options: Any) -> Tab:
        made.append(Tab(browser, site, caller, **options))
        return made[-1]

    yield tab
    for one in made:
        one.context.close()
        assert one.errors == []


def put(board: Board, *objects: Body) -> None:
    """Creates or changes objects. The browser's tools have an event loop in this thread, so it is done in another one."""
    with ThreadPoolExecutor(1) as other:
        other.submit(board.put, *objects).result()


HTML = "text/html,application/xhtml+xml"


def post(site: Site, path: str, fields: dict[str, str], **headers: str) -> Reply:
    sent = {"Content-Type": "application/x-www-form-urlencoded", "Accept": HTML} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    connection = http.client.HTTPConnection("127.0.0.1", site.server.port, timeout=60)
    try:
        connection.request("POST", path, urlencode(fields), sent)
        found = connection.getresponse()
        return Reply(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
    finally:
        connection.close()


# -- signing in ----------------------------------------------------------------------------------------------------------


def test_a_reader_signs_in_with_a_token_and_comes_back_to_the_page(site: Site, tab: Any) -> None:
    reader: Tab = tab(None)
    pool = f"/pools/{site.namespace}/matlab"
    reader.open(pool)
    assert reader.page.url.endswith(f"/sign-in?to={pool}")
    reader.page.fill("#token", "nonsense")
    reader.page.click("text=Sign in >> nth=-1")
    assert "The token is not accepted" in reader.text("[role=alert]")
    assert reader.context.cookies() == [one for one in reader.context.cookies() if one["name"] == "zone"]
    reader.page.fill("#token", f" {site.tokens['viewer']}\n")
    reader.page.click("button")
    reader.page.wait_for_url(f"**{pool}")
    assert reader.text("h1") == "matlab"
    (kept,) = (one for one in reader.context.cookies() if one["name"] == LOOPBACK_COOKIE)
    assert kept["httpOnly"]
    assert kept["sameSite"] == "Strict"
    assert LOOPBACK_COOKIE not in reader.page.evaluate("document.cookie")
    reader.page.click("text=Sign out")
    reader.page.wait_for_url("**/sign-in")
    reader.open("/pools")
    assert "/sign-in" in reader.page.url


def test_a_link_of_another_site_opens_the_page_of_a_reader_who_is_signed_in(site: Site, tab: Any) -> None:
    reader: Tab = tab("viewer")
    path = f"/pools/{site.namespace}/matlab"
    portal = f'<a href="{reader.address}{path}">Seats</a>'
    reader.page.route("http://portal.example/", lambda route: route.fulfill(body=portal, content_type="text/html"))
    reader.page.goto("http://portal.example/")
    reader.page.click("text=Seats")
    reader.page.wait_for_selector("h1:has-text('matlab')")


def test_a_form_of_another_site_signs_nobody_in_or_out(site: Site) -> None:
    fields = {"token": site.tokens["viewer"], "to": "/"}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}):
        for path in ("/sign-in", "/sign-out"):
            found = post(site, path, fields, **headers)
            assert found.status == 403, (path, headers)
            assert "set-cookie" not in found.headers
            assert "OtherSite" in found.text


def test_no_sign_in_leads_to_another_site(site: Site) -> None:
    for to in ("//evil.example", "https://evil.example", "/\\evil.example", "/\r\nX: y", "javascript:alert(1)"):
        fields = {"token": site.tokens["ann"], "to": to}
        found = post(site, "/sign-in", fields, Sec_Fetch_Site="same-origin")
        assert (found.status, found.headers["location"]) == (303, "/")
        page = site.get(f"/sign-in?{urlencode({'to': to})}", Accept=HTML)
        assert "evil" not in page.text


def test_a_cookie_is_no_key_for_what_another_site_sends(site: Site) -> None:
    cookie = f"{LOOPBACK_COOKIE}={site.tokens['viewer']}"
    asked = post(site, "/api/v1/me", {}, Cookie=cookie, Sec_Fetch_Site="cross-site")
    assert asked.status in (403, 405)
    assert site.get("/api/v1/me", Cookie=cookie, Host=f"127.0.0.1:{site.server.port}").status == 200
    secure = cookie.replace(LOOPBACK_COOKIE, "__Host-seatpool", 1)
    assert site.get("/api/v1/me", Cookie=secure, Host="seats.example").status == 200
    assert site.get("/api/v1/me", Cookie=cookie, Host="seats.example").status == 401


def test_a_code_opens_the_pages_once(site: Site, tab: Any) -> None:
    service = site.server.service
    assert service is not None
    code = service.sign_in_codes.make(site.tokens["ann"])
    reader: Tab = tab(None)
    reader.open(f"/enter/{code}")
    assert reader.text("h1") == "My seats"
    answer = reader.open(f"/enter/{code}")
    assert answer.status == 404
    assert "BadCode" in reader.text("main")


def test_wrong_tokens_in_the_form_are_limited(site: Site) -> None:
    server, log, stop = start(web_settings(site.plane, site.namespace, refused_tokens_per_minute=3))
    strict = Site(site.plane, site.board, site.other, server, log, site.tokens)
    try:
        tried = [
            post(strict, "/sign-in", {"token": f"guess-{number}"}, Sec_Fetch_Site="same-origin").status
            for number in range(5)
        ]
    finally:
        stop()
    assert tried == [401, 401, 401, 429, 429]


def test_a_proxy_signs_its_users_in_from_its_own_address_only(site: Site) -> None:
    plane, namespace = site.plane, site.namespace
    plane.kubectl("create", "clusterrole", f"see-{namespace}", "--verb=get,list", "--resource=licensepools.seatpool.io")
    plane.kubectl("create", "rolebinding", "see", "-n", namespace, f"--clusterrole=see-{namespace}", "--group=lab-team")
    for trusted, status in (("127.0.0.0/8", 200), ("10.0.0.0/8", 401)):
        proxy = {"user_header": "X-User", "groups_header": "X-Groups", "trusted": [trusted]}
        server, log, stop = start(web_settings(plane, namespace, proxy=proxy))
        proxied = Site(plane, site.board, site.other, server, log)
        try:
            wait_until(lambda: proxied.get("/pools", X_User="kim", X_Groups="lab-team").status in (status, 403))  # noqa: B023
            found = proxied.get(f"/pools/{namespace}/matlab", X_User="kim", X_Groups="lab-team")
            assert found.status == status
            if status == 200:
                assert proxied.get("/pools", X_User="kim", X_Groups="others").status == 403
                assert proxied.get("/pools", X_User="kim", X_Groups="system:masters").status == 403
                assert proxied.get("/api/v1/me", X_User="system:admin").status == 401
        finally:
            stop()


# -- what changes while a page is open -----------------------------------------------------------------------------------


def test_a_user_who_waits_sees_the_seat_come_without_loading_the_page_again(site: Site, tab: Any) -> None:
    board = site.board
    put(board, board.pool("live", seats=1), board.ledger("live", assigned={"carl": board.ago(hours=1)}))
    put(board, board.workbench(21, "ann", kind="vew-live"), board.workbench(22, "carl", kind="vew-live"))
    site.until("/api/v1/me", "ann", lambda me: any(one["phase"] == "Waiting" for one in me["answer"]["pools"]))
    reader: Tab = tab("ann")
    reader.open("/")
    reader.live()
    reader.page.evaluate("window.same = true")
    card = f'[id="seat:{site.namespace}/live"]'
    assert "You are number 1 of 1 in line" in reader.text(card)
    assert "live: You are number 1 of 1 in line" in reader.text("#news")
    put(
        board,
        board.ledger("live", assigned={"ann": board.ago(minutes=1)}),
        board.workbench(22, "carl", kind="vew-live", state="stopped"),
    )
    reader.page.wait_for_selector(f"{card}:has-text('You have a seat')")
    assert "live: You have a seat" in reader.text("#news")
    assert reader.page.evaluate("window.same")
    assert reader.page.evaluate("document.querySelector('#news').parentElement.getAttribute('aria-live')") == "polite"


def test_the_page_of_a_pool_follows_it_and_hides_names(site: Site, tab: Any) -> None:
    board = site.board
    put(board, board.pool("follow", seats=2), board.ledger("follow", assigned={"carl": board.ago(hours=1)}))
    put(board, board.workbench(31, "carl", kind="vew-follow"))
    path = f"/pools/{site.namespace}/follow"
    site.until(f"/api/v1{path}", "admin", lambda one: len(one["who"]["holders"]) == 1)
    seeing, counting = tab("viewer"), tab("numbers")
    for one in (seeing, counting):
        one.open(path)
        one.live()
    assert "carl" in seeing.text("#holders")
    assert "another user" in counting.text("#holders")
    put(board, board.ledger("follow", assigned={"carl": board.ago(hours=1), "dora": board.ago(minutes=1)}))
    seeing.page.wait_for_selector("#holders:has-text('dora')")
    counting.page.wait_for_selector("#summary:has-text('2 of 2 seats taken')")
    assert "dora" not in counting.page.content()
    assert "carl" not in counting.page.content()


def test_a_page_that_is_not_looked_at_gives_its_connection_back(site: Site, tab: Any) -> None:
    board, path = site.board, f"/pools/{site.namespace}/cad"
    reader: Tab = tab("viewer")
    reader.open(path)
    reader.live()
    hidden = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    turn = f"{hidden} document.dispatchEvent(new Event('visibilitychange'))"
    reader.page.evaluate(turn % "true")
    reader.page.wait_for_selector("#live:has-text('in the background')")
    put(board, board.ledger("cad", assigned={"dora": board.ago(minutes=1)}))
    site.until(f"/api/v1{path}", "viewer", lambda one: len(one["who"]["holders"]) == 1)
    assert "dora" not in reader.text("#holders")
    reader.page.evaluate(turn % "false")
    reader.page.wait_for_selector("#holders:has-text('dora')")
    reader.live()


def test_open_pages_are_told_that_the_service_stops(site: Site) -> None:
    server, log, stop = start(web_settings(site.plane, site.namespace))
    other = Site(site.plane, site.board, site.other, server, log, site.tokens)
    wait_until(lambda: other.get("/pools", "admin").status == 200)
    with other.stream("admin", "/stream?page=admin") as admin, other.stream("ann", "/stream?page=seat") as user:
        for one in (admin, user):
            one.next("rows")
        stop()
        assert [one.next("end")["id"] for one in (admin, user)] == ["Stopping", "Stopping"]
    assert not [one for one in log.entries if one["log_level"] in ("error", "critical")]


def test_a_page_ends_when_its_reader_may_not_see_it_any_more(site: Site) -> None:
    with site.stream("numbers", f"/stream?page=pool&target={site.namespace}/no-such") as stream:
        assert stream.reply.status == 404


# -- what must not be told, and what must not run ------------------------------------------------------------------------


def test_who_may_not_see_a_page_gets_a_page_that_says_why(site: Site, tab: Any) -> None:
    reader: Tab = tab("ann")
    for path in ("/admin", "/pools", f"/pools/{site.namespace}/matlab", "/buyer"):
        answer = reader.open(path)
        assert answer.status == 403
        assert "You may not do this" in reader.text("h1")
        assert "Forbidden" in reader.text("main")
        assert "carl" not in reader.page.content()
    there, none = (
        reader.open(f"/pools/{site.namespace}/{name}") and reader.text("main") for name in ("matlab", "none")
    )
    assert there.partition("request")[0] == none.partition("request")[0]
    assert reader.open("/nothing").status == 404
    reader.open("/")
    assert "Admin" not in reader.text("nav")
    assert "Pools" not in reader.text("nav")


HOSTILE = "<img src=x onerror=alert(1)>"
NASTY = f'"><script>alert(1)</script>{HOSTILE}\u202e'


def test_nothing_in_a_name_or_a_text_of_the_cluster_is_markup(site: Site, tab: Any) -> None:
    board = site.board
    failed = ("False", "ApplyFailed", NASTY)
    nasty = board.pool(
        "nasty", seats=1, reservations=[{"name": NASTY, "seats": 1, "userPattern": "a*"}], conditions={"InSync": failed}
    )
    benches = (
        board.workbench(41, NASTY, kind="vew-nasty"),
        board.workbench(42, "eve", kind="vew-nasty"),
        board.workbench(43, "eve", kind=NASTY),
    )
    put(board, nasty, board.ledger("nasty", assigned={"carl": board.ago(hours=1)}), *benches)
    site.until("/api/v1/me", "eve", lambda me: len(me["answer"]["pools"]) > 0)
    for caller, paths in (("admin", ("/admin", "/pools", f"/pools/{site.namespace}/nasty", "/buyer")), ("eve", ("/",))):
        reader: Tab = tab(caller)
        for path in paths:
            assert reader.open(path).status == 200
            if path != "/buyer":
                reader.live()
            assert reader.page.query_selector("img") is None
            assert reader.page.query_selector("main script") is None
            assert "\u202e" not in reader.page.content()
            assert reader.page.query_selector("main [onerror], main [onclick], main [style]") is None
            if path == "/":
                assert HOSTILE in reader.text("#workbenches")
    for path in (
        f"/pools/{HOSTILE}/{HOSTILE}",
        f"/buyer?pool={HOSTILE}",
        f"/nothing/{HOSTILE}",
        f"/sign-in?to={HOSTILE}",
    ):
        reader.open(path)
        assert reader.page.query_selector("img") is None


def test_a_page_runs_only_what_is_its_own(site: Site, tab: Any) -> None:
    headers = site.get("/", "ann", Accept=HTML).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'; base-uri 'none'" in policy
    assert headers["referrer-policy"] == "same-origin"
    assert headers["vary"] == "Authorization, Cookie"
    again = site.get("/", "ann", Accept=HTML).headers["content-security-policy"]
    assert again != policy
    reader: Tab = tab("ann")
    reader.open("/")
    reader.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran=1\">')"
    )
    reader.page.wait_for_timeout(200)
    assert reader.page.evaluate("window.ran") is None
    assert any("Content Security Policy" in one for one in reader.said)
    reader.said.clear()


def test_files_of_the_pages_are_kept_by_the_browser_as_long_as_they_are_the_same(site: Site) -> None:
    for name in STATIC:
        found = site.get(static_url(name))
        assert found.status == 200
        assert "immutable" in found.headers["cache-control"]
        assert "immutable" not in site.get(f"/static/{name}?v=other").headers["cache-control"]
    for name in ("../contents.py", "%2e%2e%2fcontents.py", "page.html.jinja"):
        assert site.get(f"/static/{name}", "ann").status == 404


def test_switched_off_there_are_no_pages(site: Site) -> None:
    server, log, stop = start(web_settings(site.plane, site.namespace, pages={"enabled": False}))
    plain = Site(site.plane, site.board, site.other, server, log, site.tokens)
    try:
        for path in ("/", "/sign-in", "/pools"):
            found = plain.get(path, "admin", Accept=HTML)
            assert found.status == 404
            assert found.json["id"] == "NoRoute"
        cookie = f"{LOOPBACK_COOKIE}={site.tokens['viewer']}"
        assert plain.get("/api/v1/me", Cookie=cookie).status == 401
    finally:
        stop()


# -- who can read them ---------------------------------------------------------------------------------------------------

LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 400)]
PAGES = (("ann", "/"), ("admin", "/pools"), ("admin", "/pools/{namespace}/matlab"), ("admin", "/admin"),
         ("admin", "/buyer?pool={namespace}/matlab&plan=yes"), ("admin", "/buyer?pool={namespace}/cad"),
         ("admin", "/developer"), (None, "/sign-in"), ("ann", "/admin"))  # fmt: skip


@pytest.mark.parametrize(("caller", "path"), PAGES)
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_a_page_can_be_read_by_all(
    site: Site, tab: Any, caller: str | None, path: str, scheme: str, width: int
) -> None:
    reader: Tab = tab(caller, color_scheme=scheme, viewport={"width": width, "height": 800})
    reader.open(path.format(namespace=site.namespace))
    reader.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    found = axe.Axe().run(reader.page)
    assert found.violations_count == 0, found.generate_report()
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= width
    assert reader.page.evaluate("document.querySelectorAll('h1').length") == 1


def test_a_page_names_the_zone_of_its_times(site: Site, tab: Any, browser: Any) -> None:
    reader: Tab = tab("ann", timezone_id="Asia/Tokyo")
    reader.open("/")
    reader.page.wait_for_selector("footer:has-text('Times are in Asia/Tokyo')")
    plain = Tab(browser, site, "ann", java_script_enabled=False)
    plain.open("/")
    assert "Times are in UTC" in plain.text("footer")
    plain.context.close()


def test_a_call_is_tried_with_the_session_of_the_reader(site: Site, tab: Any) -> None:
    reader: Tab = tab("viewer")
    reader.open("/developer")
    reader.page.click("#getPoolsNamespaceName summary >> nth=0")
    reader.page.fill("#getPoolsNamespaceName-namespace", site.namespace)
    reader.page.fill("#getPoolsNamespaceName-name", "matlab")
    reader.page.click("#getPoolsNamespaceName button:has-text('Try it')")
    reader.page.wait_for_selector('#getPoolsNamespaceName output:has-text(\'"product": "matlab"\')')
    assert reader.text("#getPoolsNamespaceName output").startswith("200")


def test_a_buyer_asks_what_another_number_of_seats_would_have_given(site: Site, tab: Any) -> None:
    reader: Tab = tab("numbers")
    reader.open(f"/buyer?pool={site.namespace}/matlab")
    assert "At most 3" in reader.text("p.answer >> nth=0")
    assert reader.page.locator("figure svg[role=img]:visible").count() >= 3
    slider = reader.page.wait_for_selector("#slider")  # the plan comes after the page
    first, lowest = reader.text("#what-if"), int(slider.get_attribute("min"))
    slider.focus()
    reader.page.keyboard.press("Home")
    assert reader.text("#what-if").startswith(f"With {lowest} seat")
    reader.page.keyboard.press("End")
    assert reader.text("#what-if") != first
    chosen = reader.page.locator("tr.chosen")
    assert chosen.count() == 1
    assert chosen.get_attribute("data-seats") == slider.get_attribute("max")
    for user in ("carl", "zoe", "dora"):
        assert user not in reader.page.content()


def test_a_buyer_without_scripts_asks_by_a_form(site: Site, browser: Any) -> None:
    reader = Tab(browser, site, "numbers", java_script_enabled=False)
    reader.open(f"/buyer?pool={site.namespace}/matlab")
    reader.page.click("text=Show it on its own page")
    assert reader.text("#what-if").startswith("With ")
    reader.open(f"/buyer?pool={site.namespace}/matlab&plan=yes&seats=2")
    assert reader.text("#what-if").startswith("With 2 seats")
    reader.context.close()


def test_a_developer_asks_for_a_key_and_signs_in_with_it(site: Site, tab: Any) -> None:
    reader: Tab = tab("ann")
    reader.open("/developer")
    assert "\\n" not in reader.text("main")
    reader.page.click("text=ask for one")
    assert json.loads(reader.page.input_value("#postKeys textarea"))["scope"] == "Pool"
    wanted = {"scope": "Own", "namespace": site.namespace, "purpose": "a page in a test"}
    reader.page.fill("#postKeys textarea", json.dumps(wanted))
    reader.page.click("#postKeys button:has-text('Try it')")
    reader.page.wait_for_selector("#postKeys output:has-text('201')")
    key = json.loads(reader.text("#postKeys output").partition("\n")[2])["key"]
    other: Tab = tab(None)
    other.open("/sign-in")
    other.page.fill("#token", key)
    other.page.click("main button")
    other.page.wait_for_selector("h1:has-text('My seats')")
    other.live()


def test_a_page_ends_when_its_key_is_revoked(site: Site, tab: Any) -> None:
    name = site.new_key("bob", scope="Own")["item"]["name"]
    reader: Tab = tab(name)
    reader.open("/")
    reader.live()
    site.patch_key(name, {"spec": {"revoked": True}})
    reader.page.wait_for_url("**/sign-in")


@pytest.mark.parametrize(("key", "path"), [("key-pool", "/pools/{namespace}/matlab"), ("key-list", "/pools")])
def test_who_signs_in_with_a_key_sees_first_what_it_is_for(site: Site, key: str, path: str) -> None:
    found = post(site, "/sign-in", {"token": site.tokens[key]}, Sec_Fetch_Site="same-origin")
    assert found.status == 303, found.text
    assert found.headers["location"] == path.format(namespace=site.namespace)


def test_a_page_of_another_site_takes_no_key(site: Site) -> None:
    cookie = f"{LOOPBACK_COOKIE}={site.tokens['ann']}"
    host = f"127.0.0.1:{site.server.port}"
    body = {"scope": "Own", "namespace": site.namespace, "purpose": "another site"}
    for headers in ({"Cookie": cookie}, {"Authorization": f"Bearer {site.tokens['ann']}"}):
        for site_said in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            sent = headers | site_said | {"Host": host, "Content-Type": "application/json"}
            connection = http.client.HTTPConnection("127.0.0.1", site.server.port, timeout=60)
            connection.request("POST", "/api/v1/keys", json.dumps(body), sent)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["id"]) == (403, "OtherSite")
            connection.close()
    assert not any(one["purpose"] == "another site" for one in site.get("/api/v1/keys", "ann").json["items"])


def test_the_skip_link_is_the_first_stop_of_the_keyboard(site: Site, tab: Any) -> None:
    reader: Tab = tab("ann")
    reader.open("/")
    reader.page.keyboard.press("Tab")
    assert reader.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reader.page.keyboard.press("Enter")
    assert reader.page.evaluate("document.activeElement.id") == "content"
