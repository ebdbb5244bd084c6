"""Which keys are accepted, by whom they are limited, and what they open."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.explain.cluster import NOW
from tests.unit.web.keys.objects import KEY, SETTINGS, api_key, raw_key
from tests.unit.web.test_access_parts import ApiServer, refused

from seatpool.api.apikey import APIKey, KeyScope
from seatpool.web.authentication import Authenticator
from seatpool.web.authorization import Authorizer, Question
from seatpool.web.caller import Caller
from seatpool.web.keys.index import KeyIndex
from seatpool.web.keys.keyring import Keyring
from seatpool.web.keys.rights import OPEN_ROUTES, KeyRights, rights_of
from seatpool.web.keys.text import Key, make_key
from seatpool.web.pages.routes import router as pages_router
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.routes import router


@dataclass
class Ring:
    """A keyring, and what it was told."""

    index: KeyIndex = field(default_factory=KeyIndex)
    is_listed: bool = True
    workbench: bool = True
    now: datetime = NOW
    used: list[APIKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keyring = Keyring(
            index=self.index, settings=SETTINGS, clock=lambda: self.now, has_workbench=lambda _key: self.workbench,
            is_listed=lambda: self.is_listed, used=self.used.append,
        )  # fmt: skip

    def problem(self, text: str) -> ProblemId | None:
        try:
            self.keyring.caller(text)
        except Refusal as refusal:
            return refusal.id
        return None


def test_a_key_acts_for_its_user_with_the_groups_of_its_issue_and_is_told_to_be_used() -> None:
    ring = Ring()
    ring.index.upsert(raw_key(issued=True))
    found = ring.keyring.caller(KEY.text)
    assert (found.name, found.groups) == ("ann", ("team",))
    assert found.key == KeyRights(id=KEY.id, scope=KeyScope.OWN, namespace="lab")
    assert found.limited_as != Caller("ann").limited_as
    assert [one.key for one in ring.used] == ["lab/k"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (KEY.text[:-1] + "0", ProblemId.BAD_KEY),
        (make_key().text, ProblemId.BAD_KEY),
        (Key(id=KEY.id, secret=make_key().secret).text, ProblemId.BAD_KEY),
        (Key(id=make_key().id, secret=KEY.secret).text, ProblemId.BAD_KEY),
    ],
    ids=["checksum", "other key", "other secret", "other id"],  # the keys are others in each process
)
def test_a_wrong_key_is_refused_and_not_told_why(text: str, problem: ProblemId) -> None:
    ring = Ring()
    for what in ({}, {"revoked": True}, {"expires": NOW}):
        ring.index.upsert(raw_key(issued=True, **what))
        assert ring.problem(text) is problem
    assert not ring.used


def test_a_key_is_refused_as_soon_as_the_cluster_says_so() -> None:
    for change in ({"revoked": True}, {"approved": False}, {"expires": NOW}):
        ring = Ring()
        ring.index.upsert(raw_key(issued=True))
        assert ring.problem(KEY.text) is None
        ring.index.upsert(raw_key(issued=True, **change))
        assert ring.problem(KEY.text) is ProblemId.KEY_ENDED
    ring = Ring()
    ring.index.upsert(raw_key(issued=True))
    ring.workbench = False
    assert ring.problem(KEY.text) is ProblemId.KEY_ENDED
    ring.workbench, ring.now = True, NOW + timedelta(days=1)
    assert ring.problem(KEY.text) is ProblemId.KEY_ENDED
    ring.now = NOW
    ring.index.delete("lab/k", "uid-k")
    assert ring.problem(KEY.text) is ProblemId.BAD_KEY


def test_an_answer_that_comes_after_the_deletion_brings_no_key_back() -> None:
    ring, late = Ring(), raw_key(issued=True)
    ring.index.upsert(raw_key(issued=True))
    ring.index.delete("lab/k", "uid-k")
    assert not ring.index.upsert(late | {"metadata": late["metadata"] | {"resourceVersion": "99999"}})
    assert ring.problem(KEY.text) is ProblemId.BAD_KEY


def test_an_older_version_of_an_object_does_not_undo_a_revocation() -> None:
    ring, before = Ring(), raw_key(issued=True)
    ring.index.upsert(raw_key(issued=True, revoked=True))
    assert not ring.index.upsert(before)
    assert ring.problem(KEY.text) is ProblemId.KEY_ENDED


def test_an_object_that_cannot_be_read_opens_nothing() -> None:
    ring = Ring()
    ring.index.upsert(raw_key(issued=True))
    ring.index.refuse(raw_key(issued=True, scope="All"))
    assert ring.problem(KEY.text) is ProblemId.BAD_KEY


def test_a_key_that_two_objects_claim_opens_nothing() -> None:
    ring = Ring()
    ring.index.upsert(raw_key(issued=True))
    ring.index.upsert(raw_key(name="copy", user="root", issued=True))
    assert ring.problem(KEY.text) is ProblemId.BAD_KEY
    ring.index.delete("lab/copy", "uid-copy")
    assert ring.problem(KEY.text) is None


def test_nothing_is_said_of_a_key_before_all_are_known() -> None:
    assert Ring(is_listed=False).problem(KEY.text) is ProblemId.NOT_READY


async def test_no_key_and_nothing_like_one_is_ever_sent_to_the_api_server() -> None:
    server, ring = ApiServer(), Ring()
    ring.index.upsert(raw_key(issued=True))
    with_keys = Authenticator(reviews=server, audience="seatpool", keys=ring.keyring)
    without = server.authenticator()
    assert (await with_keys.caller(KEY.text)).name == "ann"
    assert with_keys.is_known(with_keys.digest(KEY.text))
    for wrong in (make_key().text, KEY.text[:-3], KEY.text + "x", "sp_00112233445566aa_"):
        assert await refused(with_keys.caller(wrong)) is ProblemId.BAD_KEY
        assert not with_keys.is_known(with_keys.digest(wrong))
    assert await refused(without.caller(KEY.text)) is ProblemId.BAD_KEY
    assert not server.asked
    ring.index.upsert(raw_key(issued=True, revoked=True))
    assert await refused(with_keys.caller(KEY.text)) is ProblemId.KEY_ENDED


def test_what_keys_open_are_routes_that_there_are() -> None:
    readable = {route.path for route in (*router.routes, *pages_router.routes) if route.methods == {"GET"}}
    for routes in OPEN_ROUTES.values():
        assert routes <= readable
        assert not any("keys" in one for one in routes)


QUESTIONS = st.builds(
    Question,
    verb=st.sampled_from(["get", "list", "watch", "create", "grant", "approve", "patch", "delete"]),
    resource=st.sampled_from(["licensepools", "licenseservers", "seatledgers", "workbenches", "apikeys"]),
    namespace=st.sampled_from([None, "lab", "other"]),
    name=st.sampled_from([None, "matlab", "cad"]),
)


@given(QUESTIONS, st.sampled_from(KeyScope))
async def test_a_key_permits_only_to_look_at_what_its_scope_names(question: Question, scope: KeyScope) -> None:
    asked = ApiServer()
    asked.may = {(question.verb, question.resource, question.namespace)}
    spec: dict[str, Any] = {"pool": "matlab"} if scope is KeyScope.POOL else {}
    key = rights_of(api_key(scope=scope.value, **spec), "x")
    rights = Authorizer(reviews=asked)
    allowed = await rights.may(Caller("ann", key=key), question)
    assert await rights.may(Caller("ann"), question)
    if allowed:
        assert question.namespace == "lab"
        assert (question.verb, question.resource) in {
            ("get", "licensepools"), ("list", "licensepools"), ("list", "licenseservers"),
        }  # fmt: skip
        assert scope is not KeyScope.OWN
        assert scope is KeyScope.LIST or (question.verb, question.name) == ("get", "matlab")
    asked.may = set()
    assert not await Authorizer(reviews=asked).may(Caller("ann", key=key), question)
