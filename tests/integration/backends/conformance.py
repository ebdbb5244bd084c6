"""The tests that every way to reach lists passes, on a real server. `site` says what a server has to offer.

A file of tests of one kind of server imports all of these and has a fixture `site`.
"""

import random
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from tests.integration.backends.site import LIST, OTHER_LIST, Disturbance, Site, Stopped

from seatpool.api.list_names import ListNames
from seatpool.servers.backend import Fence, ListBackend
from seatpool.servers.command_result import CommandResult, ProductResult, Result
from seatpool.servers.commands import BadCommand, ListChange, ListCommand
from seatpool.servers.errors import CommandFault, TransportError

__all__ = [
    "test_a_credential_that_is_refused_is_told_and_is_in_no_message",
    "test_a_difference_that_was_made_in_part_is_finished",
    "test_a_hanging_server_ends_with_the_time_limit_and_is_used_again_afterwards",
    "test_a_list_is_empty_and_not_empty_again",
    "test_a_list_is_read_as_it_was_edited_by_hand",
    "test_a_list_is_written_and_read_back",
    "test_a_list_of_another_installation_is_refused_until_it_may_be_taken_over",
    "test_a_list_that_cannot_be_read_concerns_no_other_list",
    "test_a_longer_list_than_there_are_seats_reaches_no_server",
    "test_a_random_life_ends_each_time_with_the_wanted_list",
    "test_a_server_that_is_away_is_told_and_is_used_again_afterwards",
    "test_a_slow_server_is_waited_for",
    "test_a_user_whom_the_server_does_not_know_keeps_nobody_off_the_list",
    "test_a_write_without_change_moves_the_revision_only",
    "test_an_entry_of_a_deleted_user_is_no_user_and_is_removed",
    "test_an_entry_that_is_there_twice_counts_once_and_is_removed",
    "test_an_older_operator_loses_in_the_middle_of_its_write",
    "test_an_older_or_equal_revision_is_refused",
    "test_another_process_finishes_what_a_process_left_at_any_request",
    "test_edits_by_hand_in_the_middle_of_a_write_are_seen_and_mended",
    "test_entries_that_are_no_users_are_shown_and_removed_by_the_next_write",
    "test_names_by_a_template_come_back_as_users",
    "test_success_without_effect_is_found",
    "test_success_without_effect_of_the_server_is_found",
    "test_the_longest_list_goes_there_and_back",
    "test_two_lists_of_one_command_are_two_lists",
    "test_users_with_every_character_that_an_id_may_have",
    "test_what_is_around_a_list_stays",
]

OWNER = "0b6b2ed4-here"
HOSTILE_USERS = (
    "a+b",
    "first.last_x-y",
    "x@example.com",
    "9",
    "u" * 128,
    "end.",
    "end-",
    "end+",
    "null",
    "true",
    "a.b.c.d",
    "member",
    "0x41",
    "1e5",
    "a@b@c",
    "a+++",
)

HUNG = (CommandFault.TIMED_OUT, CommandFault.UNREACHABLE, CommandFault.EXECUTION_TIMED_OUT)


def write(
    revision: int,
    *users: str,
    product: str = LIST,
    owner: str = OWNER,
    takeover: str | None = None,
    keep_placeholder: bool = False,
) -> ListCommand:
    """Returns the command that makes a list what it should be."""
    change = ListChange(product=product, users=users, keep_placeholder=keep_placeholder)
    return ListCommand(revision=revision, owner=owner, takeover=takeover, changes=(change,))


async def run(backend: ListBackend, command: ListCommand) -> CommandResult:
    """Carries a command out as the reconciler does, piece by piece."""
    products: dict[str, ProductResult] = {}
    for piece in backend.split(command):
        result = await backend.result(await backend.send(piece), command=piece)
        products |= result.products
    return CommandResult(revision=command.revision, products=products)


async def run_one(backend: ListBackend, command: ListCommand) -> ProductResult:
    """Carries out a command for one list."""
    return (await run(backend, command)).products[command.names[0]]


async def read(site: Site, product: str = LIST) -> ProductResult:
    """Returns a list as a new back end reads it."""
    return await run_one(site.backend(), ListCommand(revision=0, owner=OWNER, products=(product,)))


def has(site: Site, *users: str, product: str = LIST) -> None:
    """Fails if the server has other entries than these on a list, or one of them twice."""
    assert Counter(site.entries(product)) == Counter(users)


async def test_a_list_is_written_and_read_back(site: Site) -> None:
    site.add_users(("ann", "bob", "zoe"))
    backend = site.backend()
    first = await run_one(backend, write(1, "zoe"))
    assert (first.result, first.users, first.fence, first.owner) == (Result.APPLIED, ("zoe",), 1, OWNER), first
    second = await run_one(backend, write(2, "bob", "ann"))
    assert (second.result, second.users, second.fence) == (Result.APPLIED, ("ann", "bob"), 2), second
    assert (second.odd, second.surplus, dict(second.unlistable), second.detail) == ((), (), {}, "")
    has(site, "ann", "bob")


async def test_a_list_is_read_as_it_was_edited_by_hand(site: Site) -> None:
    site.add_users(("ann", "bob", "eve"))
    assert (await read(site)).users == ()
    site.add_by_hand(LIST, ("ann", "bob"))
    by_hand = await read(site)
    assert (by_hand.result, by_hand.users, by_hand.fence, by_hand.owner) == (Result.LISTED, ("ann", "bob"), 0, "")
    await run_one(site.backend(), write(1, "ann", "bob"))
    site.remove_by_hand(LIST, ("ann",))
    site.add_by_hand(LIST, ("eve",))
    drifted = await read(site)
    assert (drifted.users, drifted.fence, drifted.owner) == (("bob", "eve"), 1, OWNER)
    assert (await run_one(site.backend(), write(2, "ann", "bob"))).users == ("ann", "bob")
    has(site, "ann", "bob")


async def test_two_lists_of_one_command_are_two_lists(site: Site) -> None:
    site.add_users(("ann", "bob"))
    changes = (ListChange(product=LIST, users=("ann",)), ListChange(product=OTHER_LIST, users=("bob", "ann")))
    result = await run(site.backend(), ListCommand(revision=1, owner=OWNER, changes=changes))
    assert {product: one.result for product, one in result.products.items()} == {
        LIST: Result.APPLIED,
        OTHER_LIST: Result.APPLIED,
    }
    has(site, "ann")
    has(site, "ann", "bob", product=OTHER_LIST)


async def test_a_write_without_change_moves_the_revision_only(site: Site) -> None:
    site.add_users(("ann",))
    backend = site.backend()
    await run_one(backend, write(1, "ann"))
    again = await run_one(backend, write(2, "ann"))
    assert (again.result, again.users, again.fence) == (Result.APPLIED, ("ann",), 2)
    assert (await read(site)).fence == 2


@pytest.mark.parametrize("keep_placeholder", [False, True])
async def test_a_list_is_empty_and_not_empty_again(site: Site, keep_placeholder: bool) -> None:
    site.add_users(("ann", "bob"))
    backend = site.backend()
    first = await run_one(backend, write(1, keep_placeholder=keep_placeholder))
    assert (first.result, first.users, first.odd, first.surplus) == (Result.APPLIED, (), (), ()), first
    await run_one(backend, write(2, "ann", "bob"))
    has(site, "ann", "bob")
    emptied = await run_one(backend, write(3, keep_placeholder=keep_placeholder))
    assert (emptied.result, emptied.users, emptied.odd, emptied.surplus) == (Result.APPLIED, (), (), ()), emptied
    if not backend.capabilities.empty_is_placeholder:
        assert emptied.placeholder is keep_placeholder
    else:
        assert emptied.placeholder is None
    has(site)
    assert (await run_one(backend, write(4, "bob"))).placeholder in (False, None)
    has(site, "bob")


async def test_users_with_every_character_that_an_id_may_have(site: Site) -> None:
    users = HOSTILE_USERS if site.backend().capabilities.ignores_case else (*HOSTILE_USERS, "Aa", "aA", "AA")
    site.add_users(users)
    backend = site.backend()
    refused = await backend.find_unlistable(users)
    listable = tuple(user for user in users if user not in refused)
    assert len(listable) > len(users) / 2, refused
    for user, reason in refused.items():
        assert user in users
        assert reason
        assert reason[-1] not in ".\n"
    result = await run_one(backend, write(1, *listable))
    assert (result.result, result.users, dict(result.unlistable)) == (Result.APPLIED, tuple(sorted(listable)), {})
    has(site, *listable)
    assert (await run_one(site.backend(), write(2, listable[0]))).users == (listable[0],)
    has(site, listable[0])


async def test_names_by_a_template_come_back_as_users(site: Site) -> None:
    site.add_users(("ann@example.com", "bob@example.com", "eve"))
    backend = site.backend(names=ListNames(template="{user}@example.com"))
    result = await run_one(backend, write(1, "ann", "bob"))
    assert (result.result, result.users) == (Result.APPLIED, ("ann", "bob"))
    has(site, "ann@example.com", "bob@example.com")
    site.add_by_hand(LIST, ("eve",))
    edited = await run_one(backend, ListCommand(revision=0, owner=OWNER, products=(LIST,)))
    assert (edited.users, edited.odd) == (("ann", "bob"), ("eve",))


async def test_entries_that_are_no_users_are_shown_and_removed_by_the_next_write(site: Site) -> None:
    if not site.hostile_entries:
        pytest.skip("this server has no entries that are no users")
    site.add_users(("ann",))
    await run_one(site.backend(), write(1, "ann"))
    site.add_by_hand(LIST, site.hostile_entries)
    shown = await read(site)
    assert shown.users == ("ann",)
    assert len(shown.odd) + len(shown.surplus) + len(shown.passed_over) == len(site.hostile_entries), shown
    for text in (*shown.odd, *shown.surplus, *shown.passed_over):
        assert not any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in text), text
    assert (await run_one(site.backend(), write(2, "ann"))).result is Result.APPLIED
    has(site, "ann")


async def test_the_longest_list_goes_there_and_back(site: Site) -> None:
    users = tuple(sorted(f"u{number:05}" for number in range(site.most_users)))
    site.add_users(users)
    backend = site.backend(timeout=timedelta(minutes=5))
    assert await backend.find_unlistable(users) == {}
    result = await run_one(backend, write(1, *users))
    assert (result.result, result.detail) == (Result.APPLIED, "")
    assert result.users == users
    has(site, *users)
    half = users[::2]
    assert (await run_one(site.backend(timeout=timedelta(minutes=5)), write(2, *half))).users == half
    has(site, *half)


async def test_what_is_around_a_list_stays(site: Site) -> None:
    site.add_users(("ann", "bob"))
    before = site.surroundings()
    backend = site.backend()
    await run_one(backend, write(1, "ann", "bob"))
    assert site.surroundings() == before
    await run_one(backend, write(2))
    assert site.surroundings() == before
    await run_one(site.backend(), write(3, "bob"))
    assert site.surroundings() == before


async def test_another_process_finishes_what_a_process_left_at_any_request(site: Site) -> None:
    users = [f"u{number}" for number in range(8)]
    site.add_users(users)
    old, new = users[:5], users[3:]
    revision = 0
    for requests in range(100):
        revision += 1
        assert (await run_one(site.backend(), write(revision, *old))).result is Result.APPLIED
        revision += 1
        stopping = site.backend(disturbance=Disturbance(stop_after=requests, largest_change=2))
        is_done = False
        with suppress(Stopped):
            is_done = (await run_one(stopping, write(revision, *new))).result is Result.APPLIED
        left = site.entries(LIST)
        assert set(left) <= set(users)
        assert len(left) <= max(len(old), len(new)), "a list is never longer than it was or will be"
        revision += 1
        result = await run_one(site.backend(disturbance=Disturbance(largest_change=2)), write(revision, *new))
        assert (result.result, result.users, result.fence) == (Result.APPLIED, tuple(new), revision), (requests, result)
        has(site, *new)
        if is_done:
            assert requests > 1
            return
    pytest.fail("the command never ended")


async def test_an_older_or_equal_revision_is_refused(site: Site) -> None:
    site.add_users(("ann", "bob"))
    await run_one(site.backend(), write(5, "ann"))
    for revision in (4, 5):
        stale = await run_one(site.backend(), write(revision, "bob"))
        assert (stale.result, stale.fence, stale.users) == (Result.STALE, 5, ("ann",)), stale
    has(site, "ann")
    assert (await run_one(site.backend(), write(6, "bob"))).result is Result.APPLIED


async def test_a_list_of_another_installation_is_refused_until_it_may_be_taken_over(site: Site) -> None:
    site.add_users(("ann", "bob"))
    await run_one(site.backend(), write(50, "ann", owner="there"))
    refused = await run_one(site.backend(), write(1, "bob"))
    assert (refused.result, refused.owner, refused.users) == (Result.OWNER, "there", ("ann",)), refused
    has(site, "ann")
    taken = await run_one(site.backend(), write(51, "bob", takeover="there"))
    assert (taken.result, taken.owner, taken.users) == (Result.APPLIED, OWNER, ("bob",)), taken
    late = await run_one(site.backend(), write(60, "ann", owner="there"))
    assert (late.result, late.owner) == (Result.OWNER, OWNER)
    has(site, "bob")


async def test_an_older_operator_loses_in_the_middle_of_its_write(site: Site) -> None:
    if site.backend().capabilities.fence is Fence.MARK:
        pytest.skip("nothing on this server refuses such a write")
    site.add_users(("ann", "bob", "old"))
    for revision, users in ((10, ()), (20, ("ann",))):
        if revision > 10:
            await run_one(site.backend(), write(revision, *users))

        async def newer(revision: int = revision) -> None:
            assert (await run_one(site.backend(), write(revision + 5, "bob"))).result is Result.APPLIED

        older = await run_one(site.backend(disturbance=Disturbance(before_change=newer)), write(revision + 1, "old"))
        assert (older.result, older.fence, older.users) == (Result.STALE, revision + 5, ("bob",)), older
        has(site, "bob")


@pytest.mark.parametrize("changes_before", [0, 1, 2])
async def test_edits_by_hand_in_the_middle_of_a_write_are_seen_and_mended(site: Site, changes_before: int) -> None:
    site.add_users(("ann", "bob", "eve", "yan", "zoe"))
    await run_one(site.backend(), write(1, "ann", "yan", "zoe"))

    async def edit() -> None:
        site.add_by_hand(LIST, ("eve",))
        for users, by_hand in ((("bob",), site.add_by_hand), (("zoe",), site.remove_by_hand)):
            if (users[0] in site.entries(LIST)) == (by_hand == site.remove_by_hand):
                by_hand(LIST, users)

    edited = Disturbance(before_change=edit, changes_before=changes_before, largest_change=1)
    result = await run_one(site.backend(disturbance=edited), write(2, "ann", "bob"))
    assert result.result in (Result.APPLIED, Result.CHANGED), result
    assert result.users is not None
    has(site, *result.users)
    mended = await run_one(site.backend(), write(3, "ann", "bob"))
    assert (mended.result, mended.users) == (Result.APPLIED, ("ann", "bob")), mended
    has(site, "ann", "bob")


async def test_a_longer_list_than_there_are_seats_reaches_no_server(site: Site) -> None:
    site.add_users(("ann", "bob"))
    await run_one(site.backend(), write(1, "ann"))
    with pytest.raises(BadCommand, match="2 users for 1 seats"):
        ListChange(product=LIST, users=("ann", "bob"), seats=1)
    change = ListChange(product=LIST, users=("bob",), seats=1)
    result = await run_one(site.backend(), ListCommand(revision=2, owner=OWNER, changes=(change,)))
    assert (result.result, result.users) == (Result.APPLIED, ("bob",)), "a full list is changed without being too long"


async def test_an_entry_of_a_deleted_user_is_no_user_and_is_removed(site: Site) -> None:
    site.add_users(("ann", "bob", "gone"))
    await run_one(site.backend(), write(1, "ann", "gone"))
    site.remove_user("gone")
    left = len(site.entries(LIST))
    shown = await read(site)
    assert (shown.users, shown.odd, len(shown.surplus)) == (("ann",), (), left - 1)
    result = await run_one(site.backend(), write(2, "ann", "bob", "gone"))
    assert (result.result, result.users, set(result.unlistable)) == (Result.APPLIED, ("ann", "bob"), {"gone"}), result
    has(site, "ann", "bob")


async def test_an_entry_that_is_there_twice_counts_once_and_is_removed(site: Site) -> None:
    if not site.can_repeat:
        pytest.skip("this server takes no entry twice")
    site.add_users(("ann", "bob"))
    await run_one(site.backend(), write(1, "ann"))
    site.add_by_hand(LIST, ("ann", "ann"))
    twice = await read(site)
    assert (twice.users, len(twice.surplus)) == (("ann",), 2)
    assert (await run_one(site.backend(), write(2, "ann", "bob"))).surplus == ()
    has(site, "ann", "bob")


async def test_a_user_whom_the_server_does_not_know_keeps_nobody_off_the_list(site: Site) -> None:
    backend = site.backend()
    if not backend.capabilities.knows_users:
        pytest.skip("this server has no accounts")
    site.add_users(("ann", "bob"))
    assert set(await backend.find_unlistable(("ann", "stranger", "bob"))) == {"stranger"}
    result = await run_one(backend, write(1, "ann", "stranger", "bob"))
    assert (result.result, result.users, set(result.unlistable)) == (Result.APPLIED, ("ann", "bob"), {"stranger"})
    site.add_users(("stranger",))
    assert (await run_one(site.backend(), write(2, "ann", "stranger"))).users == ("ann", "stranger")
    has(site, "ann", "stranger")


async def test_success_without_effect_is_found(site: Site) -> None:
    site.add_users(("ann", "bob"))
    await run_one(site.backend(), write(1, "ann"))
    result = await run_one(site.backend(disturbance=Disturbance(has_no_effect=True)), write(2, "bob"))
    assert result.users == ("ann",)
    has(site, "ann")
    assert (await run_one(site.backend(), write(3, "bob"))).users == ("bob",)
    has(site, "bob")


async def test_success_without_effect_of_the_server_is_found(site: Site) -> None:
    site.add_users(("ann", "bob"))
    await run_one(site.backend(), write(1, "ann"))
    backend = site.backend()
    with site.lying():
        result = await run_one(backend, write(2, "bob"))
    assert result.users is not None
    has(site, *result.users)
    assert result.users == ("bob",) or result.detail, "a list that is not as wanted is told"
    assert (await run_one(backend, write(3, "bob"))).users == ("bob",)
    has(site, "bob")


async def test_a_difference_that_was_made_in_part_is_finished(site: Site) -> None:
    if site.backend().capabilities.largest_change is None:
        pytest.skip("one request writes the whole list")
    users = [f"u{number}" for number in range(12)]
    site.add_users(users)
    await run_one(site.backend(), write(1, *users[:6]))
    late = site.backend(disturbance=Disturbance(late_after=2, largest_change=2))
    part = await run_one(late, write(2, *users[6:]))
    assert part.result is Result.PARTIAL, part
    assert part.users is not None
    has(site, *part.users)
    assert part.users != tuple(sorted(users[6:]))
    assert part.fence == 2
    assert "2 of 6" in part.detail
    rest = await run_one(site.backend(), write(3, *users[6:]))
    assert (rest.result, rest.users) == (Result.APPLIED, tuple(sorted(users[6:])))
    has(site, *users[6:])


async def test_a_list_that_cannot_be_read_concerns_no_other_list(site: Site) -> None:
    site.add_users(("ann", "bob"))
    await run_one(site.backend(), write(1, "ann"))
    site.make_unreadable(OTHER_LIST)
    changes = (ListChange(product=OTHER_LIST, users=("bob",)), ListChange(product=LIST, users=("bob",)))
    result = await run(site.backend(), ListCommand(revision=2, owner=OWNER, changes=changes))
    failed, applied = result.products[OTHER_LIST], result.products[LIST]
    assert (failed.result, failed.users) == (Result.FAILED, None), failed
    assert OTHER_LIST in failed.detail
    assert (applied.result, applied.users) == (Result.APPLIED, ("bob",)), applied
    has(site, "bob")


async def test_a_slow_server_is_waited_for(site: Site) -> None:
    site.add_users(("ann", "bob"))
    with site.slow(0.2):
        result = await run_one(site.backend(), write(1, "ann", "bob"))
    assert (result.result, result.users) == (Result.APPLIED, ("ann", "bob")), result


async def test_a_hanging_server_ends_with_the_time_limit_and_is_used_again_afterwards(site: Site) -> None:
    site.add_users(("ann", "bob"))
    backend, patient = site.backend(timeout=timedelta(seconds=2)), site.backend()
    await run_one(patient, write(1, "ann"))
    with suppress(TransportError):
        await run_one(backend, write(2, "ann"))
    with site.hanging():
        for hung in (backend, site.backend(timeout=timedelta(seconds=2))):
            ended = await _ended(hung, write(3, "bob"))
            if isinstance(ended, TransportError):
                assert ended.reason in HUNG
                assert ended.maybe_applied
                tells_no_secret(site, ended)
            else:
                assert ended.result is Result.FAILED, ended
                assert ended.late, ended
    assert (await run_one(patient, write(4, "bob"))).users == ("bob",)
    has(site, "bob")


async def test_a_server_that_is_away_is_told_and_is_used_again_afterwards(site: Site) -> None:
    site.add_users(("ann", "bob"))
    backend = site.backend()
    await run_one(backend, write(1, "ann"))
    with site.away(), pytest.raises(TransportError) as error:
        await run_one(backend, write(2, "bob"))
    assert error.value.reason is CommandFault.UNREACHABLE
    tells_no_secret(site, error.value)
    assert (await run_one(backend, write(3, "bob"))).users == ("bob",)


async def test_a_credential_that_is_refused_is_told_and_is_in_no_message(site: Site) -> None:
    with site.refusing():
        backend = site.backend()
        with pytest.raises(TransportError) as error:
            await run_one(backend, write(1))
    assert error.value.reason is CommandFault.REFUSED
    tells_no_secret(site, error.value)


def tells_no_secret(site: Site, error: BaseException) -> None:
    """Fails if a message, or one that it was caused by, has a secret or a control character."""
    cause: BaseException | None = error
    while cause is not None:
        for secret in site.secrets:
            assert secret not in str(cause)
            assert secret not in repr(cause)
        cause = cause.__cause__ or cause.__context__
    assert str(error).isprintable()


@pytest.mark.parametrize("seed", range(3))
async def test_a_random_life_ends_each_time_with_the_wanted_list(site: Site, seed: int) -> None:
    chosen = random.Random(seed)
    users = [f"u{number}" for number in range(12)]
    site.add_users(users)
    backend = site.backend()
    before = site.surroundings()
    for revision in range(1, 25):
        wanted = sorted(chosen.sample(users, chosen.randint(0, len(users))))
        match chosen.randrange(5):
            case 0:
                backend = site.backend()
            case 1:
                _edit(site, chosen, users)
            case 2:
                with suppress(Stopped):
                    stopping = Disturbance(stop_after=chosen.randrange(8), largest_change=chosen.randint(1, 4))
                    await run_one(site.backend(disturbance=stopping), write(revision * 10, *chosen.sample(users, 5)))
            case _:
                pass
        result = await run_one(backend, write(revision * 10 + 1, *wanted))
        assert (result.result, result.users) == (Result.APPLIED, tuple(wanted)), (seed, revision, result)
        has(site, *wanted)
    assert site.surroundings() == before


async def _ended(backend: ListBackend, command: ListCommand) -> ProductResult | TransportError:
    try:
        return await run_one(backend, command)
    except TransportError as error:
        return error


def _edit(site: Site, chosen: random.Random, users: Sequence[str]) -> None:
    present = set(site.entries(LIST))
    for user in chosen.sample(users, 4):
        if user in present:
            site.remove_by_hand(LIST, (user,))
        else:
            site.add_by_hand(LIST, (user,))
