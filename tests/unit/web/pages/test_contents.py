"""What the pages show of any cluster: no name to a reader who may not see it, and no markup that is not the pages' own."""

import asyncio
from datetime import UTC
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from prometheus_client import CollectorRegistry
from tests.unit.explain import cluster as objects
from tests.unit.web.test_access_parts import ApiServer
from tests.unit.web.test_visible_users import Raw, live, worlds

from seatpool.settings.web import WebSettings
from seatpool.web.authentication import Caller
from seatpool.web.metrics import WebMetrics
from seatpool.web.pages.contents import CONTENTS
from seatpool.web.pages.fragments import Fragment
from seatpool.web.pages.reader import Reader
from seatpool.web.problems import Refusal
from seatpool.web.service import Service
from seatpool.web.stream import Streams

POOLS, SERVERS = (("list", "licensepools", "lab"), ("list", "licenseservers", "lab"))
POOL = ("get", "licensepools", "lab")
NAMES = {("list", "seatledgers", "lab"), ("list", "workbenches", "lab")}
KNOWN = {
    "a", "p", "div", "span", "br", "h2", "h3", "ul", "li", "dl", "dt", "dd", "code", "button", "time", "article", "header",
    "section", "details", "summary", "table", "thead", "tbody", "tr", "th", "td",
    "svg", "title", "desc", "rect", "circle", "defs", "pattern", "path",
}  # fmt: skip
HOSTILE = '</td><img src=x onerror="alert(1)"><script>1</script>\x1b\u202e'


class Elements(HTMLParser):
    """Notes the elements and the attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]


def shown(raws: list[Raw], page: str, rights: set[tuple[str, str, str | None]]) -> tuple[Fragment, ...]:
    """What a page shows to the user `me`, who has these rights."""
    cluster, api = live(*raws), ApiServer(may=rights)
    service = Service(
        settings=WebSettings(), cluster=cluster, authenticator=api.authenticator(), authorizer=api.authorizer(),
        metrics=WebMetrics(CollectorRegistry()), streams=Streams(1, 1), leases=dict, is_ready=lambda: True,
    )  # fmt: skip
    reader = Reader(service, Caller("me"), UTC, can_sign_out=True)
    target = "lab/matlab" if page == "pool" else ""
    return asyncio.run(CONTENTS[page](reader, target)).fragments


@pytest.mark.parametrize("page", ["seat", "pools", "pool", "admin"])
@settings(max_examples=60, deadline=None)
@given(raws=worlds())
def test_no_page_names_a_user_to_a_reader_who_may_not_see_names(page: str, raws: list[Raw]) -> None:
    html = "".join(one.html for one in shown(raws, page, {POOLS, SERVERS, POOL}))
    assert html
    assert "secret" not in html


@settings(max_examples=30, deadline=None)
@given(raws=worlds())
def test_a_reader_who_may_see_names_sees_all_holders(raws: list[Raw]) -> None:
    html = "".join(one.html for one in shown(raws, "pool", {POOLS, SERVERS, POOL, *NAMES}))
    (ledger,) = (raw for raw in raws if raw["kind"] == "SeatLedger")
    assert all(f">{one['user']}<" in html for one in ledger["spec"]["assigned"])


@pytest.mark.parametrize("page", ["seat", "pools", "pool", "admin"])
@settings(max_examples=30, deadline=None)
@given(raws=worlds())
def test_each_part_is_one_element_with_its_id_and_no_id_comes_twice(page: str, raws: list[Raw]) -> None:
    seen: list[str] = []
    for one in shown(raws, page, {POOLS, SERVERS, POOL, *NAMES}):
        found = Elements()
        found.feed(one.html)
        assert found.ids[:1] == [one.id]
        for row in one.rows:
            assert f'id="{row.id}"' in row.html
            assert row.html in one.html
        seen += found.ids
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("page", ["seat", "pools", "pool", "admin"])
def test_no_text_of_the_cluster_is_markup(page: str) -> None:
    raws = [
        objects.server(conditions={"Reachable": f"False Unreachable {HOSTILE}"}),
        objects.pool(
            seats=1,
            reservations=[{"name": HOSTILE, "seats": 1, "userPattern": "a*"}],
            conditions={"InSync": f"False ApplyFailed {HOSTILE}"},
        ),
        objects.ledger(assigned={"carl": 30}, waiting={"me": 5}),
        objects.workbench(HOSTILE, number=1),
        objects.workbench("me", number=2, kind=HOSTILE),
        objects.workbench("me", number=3),
    ]
    everywhere = {(verb, kind, None) for verb, kind, _ in (POOLS, SERVERS, *NAMES)}
    found = Elements()
    found.feed("".join(one.html for one in shown(raws, page, everywhere | {POOL})))
    assert found.names <= KNOWN
    assert not any(name.startswith("on") or name in ("style", "src") for name in found.attributes)
    html = "".join(one.html for one in shown(raws, page, everywhere | {POOL}))
    assert "\x1b" not in html
    assert "\u202e" not in html
    if page != "pools":
        assert "&lt;img" in html


@pytest.mark.parametrize("page", ["pools", "pool", "admin"])
def test_a_page_that_the_reader_may_not_see_is_refused(page: str) -> None:
    with pytest.raises(Refusal):
        shown([objects.server(), objects.pool()], page, set())
