"""A memory survives being written down, divided, and divided otherwise."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.control.objects import NOW, pool

from seatpool.api.seatledger import SEATS_PER_LEDGER, SeatLedgerSpec
from seatpool.domain.instants import to_milliseconds
from seatpool.domain.memory import Grant, Left, PoolMemory, Reassignment, Vacated, Waiting
from seatpool.domain.reasons import Reason
from seatpool.policy.ledger_codec import (
    changed_shares,
    entry_count,
    from_specs,
    ledger_name,
    share_count,
    share_index,
    share_of,
    to_specs,
)

PRODUCT = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}"
users = st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True)
instants = st.integers(-(10**12), 10**12).map(lambda ms: NOW + timedelta(milliseconds=ms))


@st.composite
def memories(draw: st.DrawFn) -> PoolMemory:
    assigned = {
        user: Grant(user, draw(instants), draw(st.none() | instants), draw(st.sampled_from(Reason)))
        for user in draw(st.sets(users, max_size=8))
    }
    waiting = {user: Waiting(user, draw(instants)) for user in draw(st.sets(users, max_size=5))}
    vacated = draw(st.sets(st.builds(Vacated, users, instants), max_size=5))
    return PoolMemory(
        assigned=assigned,
        waiting=waiting,
        vacated=tuple(sorted(vacated, key=lambda seat: (seat.at, seat.user))),
        left=draw(st.dictionaries(users, st.builds(Left, instants, st.none() | st.sampled_from(Reason)), max_size=5)),
        reassignments=tuple(sorted(draw(st.sets(st.builds(Reassignment, instants, users), max_size=5)))),
    )


def stored(spec: SeatLedgerSpec) -> SeatLedgerSpec:
    """As the API server gives it back."""
    return SeatLedgerSpec.model_validate(spec.wire())


@given(memories(), st.integers(1, 4))
def test_what_is_written_is_read_back(memory: PoolMemory, shares: int) -> None:
    specs = to_specs(memory, pool=pool("matlab"), shares=shares)
    assert len(specs) == shares
    assert from_specs(map(stored, specs)) == memory


@given(memories(), st.integers(1, 4), st.integers(1, 4))
def test_a_memory_may_be_divided_otherwise_without_a_loss(memory: PoolMemory, before: int, after: int) -> None:
    read = from_specs(to_specs(memory, pool=pool("matlab"), shares=before))
    assert from_specs(to_specs(read, pool=pool("matlab"), shares=after)) == memory


@given(memories(), st.integers(1, 4))
def test_a_person_is_in_one_share_whatever_there_is_to_remember(memory: PoolMemory, shares: int) -> None:
    places: dict[str, set[int]] = {}
    for index, spec in enumerate(to_specs(memory, pool=pool("matlab"), shares=shares)):
        entries = (*spec.assigned, *spec.waiting, *spec.vacated, *spec.left, *spec.reassignments)
        for entry in entries:
            places.setdefault(entry.user, set()).add(index)
    assert all(len(indices) == 1 for indices in places.values())


@given(memories(), st.integers(1, 4), users)
def test_one_more_grant_rewrites_one_share(memory: PoolMemory, shares: int, user: str) -> None:
    before = dict(enumerate(to_specs(memory, pool=pool("matlab"), shares=shares)))
    assert changed_shares(before, to_specs(memory, pool=pool("matlab"), shares=shares)) == []
    grant = Grant(user, NOW + timedelta(days=36500), None, Reason.GRANTED)
    more = PoolMemory(
        assigned={**memory.assigned, user: grant},
        waiting=memory.waiting,
        vacated=memory.vacated,
        left=memory.left,
        reassignments=memory.reassignments,
    )
    assert len(changed_shares(before, to_specs(more, pool=pool("matlab"), shares=shares))) == 1


def test_a_share_that_was_never_written_has_changed() -> None:
    specs = to_specs(PoolMemory.empty(), pool=pool("matlab"), shares=2)
    assert changed_shares({0: specs[0]}, specs) == [1]


@pytest.mark.parametrize(("seats", "shares"), [(0, 1), (1, 1), (500, 1), (501, 2), (800, 2), (801, 3), (5000, 13)])
def test_a_large_pool_is_divided_into_shares_with_room_to_spare(seats: int, shares: int) -> None:
    assert share_count(seats) == shares


def test_no_share_of_the_largest_pool_is_larger_than_an_object_may_be() -> None:
    grants = {name: Grant(name, NOW, None, Reason.GRANTED) for name in (f"user{n}" for n in range(5000))}
    memory = PoolMemory(assigned=grants, waiting={}, vacated=(), left={}, reassignments=())
    specs = to_specs(memory, pool=pool("matlab"), shares=share_count(5000))
    assert sum(len(spec.assigned) for spec in specs) == 5000
    assert max(len(spec.assigned) for spec in specs) <= SEATS_PER_LEDGER


@pytest.mark.parametrize(
    ("entries", "present", "shares"),
    [
        (2_500, 1, 1),
        (2_501, 1, 2),
        (20_100, 1, 9),
        (20_100, 9, 9),
        (17_000, 9, 9),
        (10_000, 9, 4),
        (0, 3, 1),
        (0, 2, 1),
    ],
)
def test_the_number_of_shares_follows_what_is_stored(entries: int, present: int, shares: int) -> None:
    assert share_count(100, entries=entries, present=present) == shares


def test_a_share_stays_below_a_megabyte_with_twenty_thousand_waiting_and_the_longest_names() -> None:
    names = [f"{n:05}".ljust(128, "x") for n in range(20_100)]
    memory = replace(
        PoolMemory.empty(),
        assigned={name: Grant(name, NOW, NOW, Reason.GRANTED) for name in names[:100]},
        waiting={name: Waiting(name, NOW) for name in names[100:]},
    )
    specs = to_specs(memory, pool=pool("matlab"), shares=share_count(100, entries=entry_count(memory), present=1))
    assert max(len(json.dumps(spec.wire())) for spec in specs) < 1_000_000
    assert from_specs(specs) == memory


@given(st.lists(users, min_size=1, max_size=50, unique=True), st.integers(1, 12), st.integers(1, 12))
def test_entries_move_only_into_new_shares(names: list[str], one: int, other: int) -> None:
    few, many = sorted((one, other))
    for name in names:
        assert share_of(name, many) == share_of(name, few) or share_of(name, many) >= few


@given(server=st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True), product=st.from_regex(PRODUCT, fullmatch=True))
def test_the_name_of_a_share_is_a_name_of_kubernetes_and_tells_server_product_and_number(
    server: str, product: str
) -> None:
    name = ledger_name(server, product, 3)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,76}[a-z0-9])?", name)
    assert share_index(server, product, name) == 3
    for other in ((f"{server}x", product), (server, f"{product}x"), (server, product.swapcase())):
        assert share_index(*other, name) is None or other == (server, product)


def test_a_reason_that_only_another_version_knows_is_a_plain_grant() -> None:
    spec = SeatLedgerSpec.model_validate(
        {
            "server": "s",
            "product": "p",
            "pool": "p",
            "assigned": [{"user": "ann", "since": "2026-01-05T09:00:00Z", "reason": "FromTheFuture"}],
        }
    )
    assert from_specs([spec]).assigned["ann"].reason is Reason.GRANTED


@given(st.datetimes(min_value=datetime(2000, 1, 1)))  # noqa: DTZ001
def test_an_instant_is_cut_to_the_millisecond_and_then_stays(value: datetime) -> None:
    cut = to_milliseconds(value)
    assert to_milliseconds(cut) == cut
    assert timedelta(0) <= value - cut < timedelta(milliseconds=1)
