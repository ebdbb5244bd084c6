import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.list_backends import ListFormat, ListFormatType, XlcSettings
from seatpool.servers.commands import BadCommand, ListChange, ListCommand
from seatpool.servers.ssm.document import MAX_PAYLOAD
from seatpool.servers.ssm.payload import MAX_PRODUCTS, SEND_LIMIT, unpack
from seatpool.servers.ssm.xlc import XlcAdapter

USERS = st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}"), fullmatch=True)
PRODUCTS = st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}"), fullmatch=True)
CHANGES = st.lists(
    st.builds(
        ListChange,
        product=PRODUCTS,
        users=st.lists(USERS, unique=True, max_size=20).map(tuple),
        keep_placeholder=st.booleans(),
    ),
    unique_by=lambda change: change.product,
    min_size=1,
    max_size=40,
)


def command(*changes: ListChange, revision: int = 1) -> ListCommand:
    return ListCommand(revision=revision, owner="here", changes=changes)


def users_in(lines: list[str], product: str) -> list[str]:
    start = lines.index(f"product {product}")
    return [line[2:] for line in lines[start : lines.index("end", start)] if line.startswith("u ")]


@given(CHANGES)
def test_every_user_of_every_product_travels_once_in_a_piece_that_can_be_sent(changes: list[ListChange]) -> None:
    adapter = XlcAdapter(XlcSettings())
    pieces = adapter.split(command(*changes))
    assert [change for piece in pieces for change in piece.changes] == changes
    for piece in pieces:
        assert len(piece.changes) <= MAX_PRODUCTS
        (parameters,) = adapter.parameters(piece)
        (payload,) = parameters["Payload"]
        assert len(payload) <= SEND_LIMIT <= MAX_PAYLOAD
        for change in piece.changes:
            expected = sorted(change.users) or ([adapter.settings.placeholder_user] if change.keep_placeholder else [])
            assert users_in(unpack(payload), change.product) == expected


def test_the_same_command_gives_the_same_parameters() -> None:
    adapter = XlcAdapter(XlcSettings())
    one = command(ListChange(product="vew", users=("ann", "bob")))
    other = command(ListChange(product="vew", users=("bob", "ann")))
    assert adapter.parameters(one) == adapter.parameters(other)


def test_five_thousand_of_the_longest_users_travel_in_parts_that_each_fit() -> None:
    letters = random.Random(1)
    users = tuple(f"{n:04d}{letters.randbytes(62).hex()}" for n in range(5000))
    sends = XlcAdapter(XlcSettings()).parameters(command(ListChange(product="vew", users=users)))
    assert len(sends) > 2
    assert all(len(send["Payload"][0]) <= SEND_LIMIT for send in sends)


def test_a_product_in_braces_is_not_replaced_twice() -> None:
    settings = XlcSettings(apply=("x", "{file}", "{product}"), state_dir="/var/lib/seatpool")
    (send,) = XlcAdapter(settings).parameters(command(ListChange(product="vew", users=())))
    assert len([line for line in unpack(send["Payload"][0]) if line.startswith("apply ")]) == 1


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: ListChange(product="vew", users=("a b",)), "'a b' has characters"),
        (lambda: ListChange(product="vew", users=("ann\n",)), "has characters"),
        (lambda: ListChange(product="vew", users=("ann", "ann")), "on the list twice"),
        (lambda: ListChange(product="vew", users=tuple(f"u{n}" for n in range(5001))), "5001 users.*at most 5000"),
        (lambda: ListChange(product="vew", users=("ann", "bob"), seats=1), "2 users for 1 seats"),
        (lambda: ListChange(product="../vew", users=()), "product '../vew'"),
        (lambda: ListChange(product="vew\n", users=()), "product 'vew"),
        (lambda: ListCommand(revision=-1, owner="here", products=("vew",)), "revision -1"),
        (lambda: ListCommand(revision=1, owner="he re", products=("vew",)), "owner 'he re'"),
        (lambda: ListCommand(revision=1, owner="here", takeover="", products=("vew",)), "takeover ''"),
        (lambda: ListCommand(revision=1, owner="here"), "not both and not neither"),
        (lambda: ListCommand(revision=1, owner="here", products=("vew", "vew")), "in the command twice"),
    ],
)
def test_a_command_that_must_not_be_sent_cannot_be_made(build: object, told: str) -> None:
    with pytest.raises(BadCommand, match=told):
        build()  # type: ignore[operator]


def test_list_formats_other_than_lines_are_never_taken_for_known() -> None:
    settings = XlcSettings(list_format=ListFormat(type=ListFormatType.REGEX, pattern="(.*)"))
    summary = (
        '{"v":1,"revision":1,"results":[{"product":"vew","result":"applied","fence":1,"owner":"here","code":0,'
        '"detail":"","listed":{"length":80,"sha":"' + "0" * 64 + '","sorted":"'
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}]}'
    )
    change = ListChange(product="vew", users=())
    assert XlcAdapter(settings).parse([summary], command(change)).unread == {"vew": 0}
    assert XlcAdapter(XlcSettings()).parse([summary], command(change)).products["vew"].users == ()
