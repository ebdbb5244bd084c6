"""Tokens, rights, limits, pages and problems, each by itself."""

import asyncio
import base64
import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.explain import cluster as objects

from seatpool.api.licensepool import LicensePool
from seatpool.kube.errors import Forbidden, Unavailable
from seatpool.web.authentication import Authenticator, Caller, read_token
from seatpool.web.authorization import Authorizer, Question
from seatpool.web.limits import RateLimit
from seatpool.web.paging import page_of
from seatpool.web.problems import PROBLEMS, ProblemId, Refusal
from seatpool.web.replies import to_json

Body = dict[str, Any]


@dataclass
class ApiServer:
    """Knows the token `good`, and what is in `may`. It counts what it is asked."""

    may: set[tuple[str, str, str | None]] = field(default_factory=set)
    asked: list[Body] = field(default_factory=list)
    failing: Exception | None = None
    audiences: tuple[str, ...] = ("seatpool",)
    now: float = 0.0

    async def create_raw(self, path: str, body: Mapping[str, Any]) -> Body:
        self.asked.append(dict(body))
        await asyncio.sleep(0)
        if self.failing is not None:
            raise self.failing
        spec = body["spec"]
        if body["kind"] == "TokenReview":
            if not spec["token"].startswith("good"):
                return {"status": {"authenticated": False}}
            user = {"username": "ann", "groups": ["team"], "extra": {"a": ["b"]}}
            return {"status": {"authenticated": True, "user": user, "audiences": list(self.audiences)}}
        asked = spec["resourceAttributes"]
        return {"status": {"allowed": (asked["verb"], asked["resource"], asked.get("namespace")) in self.may}}

    def authenticator(self) -> Authenticator:
        return Authenticator(reviews=self, audience="seatpool", monotonic=lambda: self.now, wall_clock=lambda: self.now)

    def authorizer(self) -> Authorizer:
        return Authorizer(reviews=self, monotonic=lambda: self.now)


async def refused(awaitable: Any) -> ProblemId:
    with pytest.raises(Refusal) as error:
        await awaitable
    return error.value.id


async def test_a_token_is_asked_about_once_in_a_minute_and_a_bad_one_once_in_five_seconds() -> None:
    server = ApiServer()
    known = server.authenticator()
    for now, asked in ((0.0, 1), (59.0, 1), (61.0, 2)):
        server.now = now
        assert (await known.caller("good")).name == "ann"
        assert len(server.asked) == asked
    server.asked.clear()
    for now, asked in ((100.0, 1), (104.0, 1), (106.0, 2)):
        server.now = now
        assert await refused(known.caller("bad")) is ProblemId.BAD_TOKEN
        assert len(server.asked) == asked


async def test_a_token_that_says_when_it_ends_is_not_known_longer() -> None:
    server = ApiServer()
    known = server.authenticator()
    payload = base64.urlsafe_b64encode(json.dumps({"exp": 10}).encode()).decode().rstrip("=")
    token = f"good.{payload}.x"
    await known.caller(token)
    server.now = 9.0
    assert known.is_known(known.digest(token))
    server.now = 11.0
    assert not known.is_known(known.digest(token))


@pytest.mark.parametrize("audiences", [(), ("other",), ("https://kubernetes.default.svc",)])
async def test_a_yes_for_another_audience_is_a_no(audiences: tuple[str, ...]) -> None:
    assert await refused(ApiServer(audiences=audiences).authenticator().caller("good")) is ProblemId.BAD_TOKEN


async def test_requests_that_come_together_are_one_question() -> None:
    server = ApiServer()
    known = server.authenticator()
    await asyncio.gather(*(known.caller("good") for _ in range(20)))
    assert len(server.asked) == 1


async def test_an_api_server_that_does_not_answer_is_no_yes_and_no_no() -> None:
    server = ApiServer(failing=Unavailable(status=0, reason="NoAnswer", message="gone", what="POST"))
    known, rights = server.authenticator(), server.authorizer()
    assert await refused(known.caller("good")) is ProblemId.NO_ANSWER
    assert await refused(rights.may(Caller("ann"), Question("list", "licensepools"))) is ProblemId.NO_ANSWER
    server.failing = Forbidden(status=403, reason="Forbidden", message="no", what="POST")
    assert await refused(known.caller("good")) is ProblemId.MAY_NOT_ASK
    server.failing = None
    assert (await known.caller("good")).name == "ann"


async def test_tokens_are_known_by_a_hash_that_no_other_process_can_make() -> None:
    first, second = ApiServer().authenticator(), ApiServer().authenticator()
    await first.caller("good")
    assert first.digest("good") != second.digest("good")
    assert b"good" not in first.digest("good")
    assert "good" not in repr(first._known)
    assert repr(first._key) not in repr(first)


async def test_rights_of_one_caller_are_not_those_of_another() -> None:
    server = ApiServer(may={("list", "licensepools", None)})
    rights = server.authorizer()
    question = Question("list", "licensepools")
    assert await rights.may(Caller("ann", groups=("a",)), question)
    server.may.clear()
    assert await rights.may(Caller("ann", groups=("a",)), question)
    assert not await rights.may(Caller("ann", groups=("b",)), question)
    assert not await rights.may(Caller("ann", groups=("a",)), Question("list", "licensepools", "lab"))
    server.now = 61.0
    assert not await rights.may(Caller("ann", groups=("a",)), question)
    assert server.asked[-1]["spec"] == {
        "user": "ann", "uid": "", "groups": ["a"], "extra": {},
        "resourceAttributes": {"group": "seatpool.io", "resource": "licensepools", "verb": "list"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("served", "may", "sees"),
    [
        ([], {("list", "seatledgers", "lab")}, False),
        ([], {("list", "workbenches", "lab")}, False),
        ([], {("list", "seatledgers", "lab"), ("list", "workbenches", "lab")}, True),
        (["a", "b"], {("list", "seatledgers", "lab"), ("list", "workbenches", "a")}, False),
        (
            ["a", "b"],
            {("list", "seatledgers", "lab"), ("list", "workbenches", "a"), ("list", "workbenches", "b")},
            True,
        ),
        (["*"], {("list", "seatledgers", "lab"), ("list", "workbenches", "lab")}, False),
        (["*"], {("list", "seatledgers", None), ("list", "workbenches", None)}, True),
    ],
)
async def test_names_are_for_those_who_may_list_ledgers_and_the_workbenches_that_a_pool_serves(
    served: list[str], may: set[tuple[str, str, str | None]], sees: bool
) -> None:
    pool = LicensePool.model_validate(objects.pool(workbenchNamespaces=served))
    assert await ApiServer(may=may).authorizer().may_see_names(Caller("ann"), pool) is sees


@given(st.text())
def test_a_header_is_a_token_of_plain_letters_or_refused(header: str) -> None:
    try:
        token = read_token(header)
    except Refusal as error:
        assert error.id is ProblemId.BAD_TOKEN  # noqa: PT017
    else:
        assert set(token) <= set(string.ascii_letters + string.digits + "-._~+/=")
        assert header.lower().startswith("bearer ")


def test_a_limit_lets_so_many_pass_and_then_one_for_each_part_of_a_minute() -> None:
    now = 0.0
    limit = RateLimit(6, monotonic=lambda: now)
    assert [limit.take("ann").allowed for _ in range(8)] == [True] * 6 + [False] * 2
    assert limit.take("bob").allowed
    now = 10.0
    told = limit.take("ann")
    assert (told.allowed, told.left) == (True, 0)
    assert limit.take("ann").reset == 10
    now = 100.0
    assert limit.take("ann").left == 5


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 20))
def test_no_minute_has_more_than_twice_the_limit(pauses: list[float], most: int) -> None:
    now = 0.0
    limit, passed = RateLimit(most, monotonic=lambda: now), []
    for pause in pauses:
        now += pause
        if limit.take("ann").allowed:
            passed.append(now)
    assert all(sum(begin <= one <= begin + 60 for one in passed) <= 2 * most + 1 for begin in passed)


@given(st.sets(st.text(min_size=1, max_size=20), max_size=30), st.integers(1, 10))
def test_pages_have_every_item_once_also_with_hostile_names(names: set[str], limit: int) -> None:
    names = {name for name in names if name.isascii() or name.encode("utf-8", "ignore").decode() == name}
    keys, seen, cursor = sorted(names), [], None
    while True:
        page = page_of(keys, cursor=cursor, limit=limit)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == keys


@given(st.text(max_size=60))
def test_a_cursor_is_one_of_ours_or_refused(cursor: str) -> None:
    try:
        page_of(["a", "b"], cursor=cursor, limit=1)
    except Refusal as error:
        assert error.id is ProblemId.BAD_CURSOR  # noqa: PT017


@pytest.mark.parametrize("id", ProblemId)
def test_every_problem_is_told_in_whole_sentences(id: ProblemId) -> None:  # noqa: A002
    names = [name for _, name, _, _ in string.Formatter().parse(PROBLEMS[id].detail) if name is not None]
    details = Refusal(id, **dict.fromkeys(names, "\x1b[31mred\nline")).details()
    assert details["detail"].isprintable()
    assert details["detail"].endswith((".", "me."))
    assert details["type"].endswith(details["id"])


@given(st.text())
def test_json_is_ascii_in_one_line_so_that_no_text_ends_an_event(text: str) -> None:
    body = to_json({"text": text})
    assert body.isascii()
    assert b"\n" not in body
    assert b"\r" not in body
    assert json.loads(body) == {"text": text}
