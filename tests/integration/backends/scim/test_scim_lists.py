"""Lists as groups of scim2-server, over HTTPS."""

from collections.abc import Callable

import pytest
from scim2_models import Group, User
from tests.integration.backends.scim.lists import PRODUCT, read, write
from tests.integration.backends.scim.scim_service import Service

from seatpool.api.list_names import ListNames
from seatpool.servers.backend import Fence
from seatpool.servers.command_result import Result
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.direct.backend import DirectBackend

Make = Callable[..., DirectBackend]


async def test_a_list_is_written_and_read_back(service: Service, backend: Make) -> None:
    service.add_users("ann", "bob", "cem")
    group = service.add_group(PRODUCT)
    made = backend()
    result = await write(made, "ann", "cem")
    assert (result.result, result.users, result.fence, result.owner) == (Result.APPLIED, ("ann", "cem"), 1, "site-a")
    assert service.names(group) == ["ann", "cem"]
    assert service.group(group)["externalId"] == "seatpool:site-a:1"
    assert (await read(backend())).users == ("ann", "cem")
    assert made.capabilities.fence is Fence.NATIVE
    assert made.capabilities.largest_change is None


async def test_a_list_becomes_empty(service: Service, backend: Make) -> None:
    group = service.add_group(PRODUCT, service.add_users("ann", "bob"))
    result = await write(backend())
    assert (result.result, result.users, result.odd, result.surplus) == (Result.APPLIED, (), (), ())
    assert service.members(group) == []


async def test_an_unknown_user_is_left_out_with_the_reason_and_the_others_are_written(
    service: Service, backend: Make
) -> None:
    service.add_users("ann")
    group = service.add_group(PRODUCT)
    made = backend()
    result = await write(made, "ann", "nobody")
    assert (result.result, result.users) == (Result.APPLIED, ("ann",))
    assert result.unlistable == {"nobody": "the license server knows no such user"}
    assert service.names(group) == ["ann"]
    assert await made.find_unlistable(("ann", "nobody")) == {"nobody": "the license server knows no such user"}


async def test_a_name_in_other_letters_is_the_same_user(service: Service, backend: Make) -> None:
    service.add_users("Ann")
    service.add_group(PRODUCT)
    result = await write(backend(), "ann")
    assert (result.users, result.odd, result.unlistable) == (("ann",), (), {})


async def test_names_are_rendered_for_the_service(service: Service, backend: Make) -> None:
    service.add_users("ANN@example.com")
    group = service.add_group(PRODUCT)
    result = await write(backend(names=ListNames(template="{user}@example.com")), "ann")
    assert result.users == ("ann",)
    assert service.names(group) == ["ANN@example.com"]


async def test_users_are_found_by_their_external_id(service: Service, backend: Make) -> None:
    service.add_users("ann", "bob", external_id=True)
    group = service.add_group(PRODUCT)
    result = await write(backend(user_attribute="externalId"), "x-ann")
    assert (result.users, service.names(group)) == (("x-ann",), ["ann"])


async def test_a_user_with_several_accounts_is_told(service: Service, backend: Make) -> None:
    for name in ("ann", "anna"):
        service.storage.create(service.types["User"], User(user_name=name, external_id="7"))
    service.add_group(PRODUCT)
    assert await backend(user_attribute="externalId").find_unlistable(("7",)) == {
        "7": "2 users of the service have externalId 7"
    }


async def test_ghosts_repeats_and_nested_groups_are_told_and_go_with_the_next_write(
    service: Service, backend: Make
) -> None:
    ann, bob = service.add_users("ann", "bob")
    nested = service.add_group("nested")
    group = service.add_group(PRODUCT, [ann, ann, bob, nested, "0000"])
    service.delete_user(bob)
    result = await read(backend())
    assert (result.users, result.odd) == (("ann",), (nested,))
    assert sorted(result.surplus) == sorted((ann, bob, "0000"))
    result = await write(backend(), "ann")
    assert (result.result, result.users, result.odd, result.surplus) == (Result.APPLIED, ("ann",), (), ())
    assert service.members(group) == [ann]


@pytest.mark.parametrize(
    "name", ['a"b', "a\\b", "a' or 1 eq 1", 'x" or userName pr or userName eq "', "a%22b", "a&b=c"]
)
async def test_a_group_of_any_name_is_found_and_no_other(service: Service, backend: Make, name: str) -> None:
    service.add_users("ann")
    service.add_group("other")
    group = service.add_group(name + PRODUCT)
    result = await write(backend(group=name + "{product}"), "ann")
    assert result.result is Result.APPLIED
    assert service.names(group) == ["ann"]


async def test_an_older_revision_and_another_owner_are_refused(service: Service, backend: Make) -> None:
    service.add_users("ann", "bob")
    group = service.add_group(PRODUCT)
    await write(backend(), "ann", revision=7)
    stale = await write(backend(), "bob", revision=7)
    assert (stale.result, stale.fence, stale.users) == (Result.STALE, 7, ("ann",))
    other = await write(backend(), "bob", revision=99, owner="site-b")
    assert (other.result, other.owner) == (Result.OWNER, "site-a")
    assert service.names(group) == ["ann"]
    taken = await write(backend(), "bob", revision=1, owner="site-b", takeover="site-a")
    assert (taken.result, taken.owner, taken.fence) == (Result.APPLIED, "site-b", 1)
    assert service.names(group) == ["bob"]


async def test_an_external_id_of_others_is_not_overwritten(service: Service, backend: Make) -> None:
    service.add_users("ann")
    group = service.add_group(PRODUCT, external_id="hr-4711")
    before = service.group(group)
    refused = await write(backend(), "ann")
    assert refused.result is Result.FAILED
    assert refused.detail == (
        "the group matlab has the externalId hr-4711, which the operator did not write and does not overwrite; "
        "set spec.scim.keepMark: false, so that the operator leaves externalId alone"
    )
    assert service.group(group) == before
    assert (await read(backend())).users == ()
    assert (await write(backend(keep_mark=False), "ann")).result is Result.APPLIED
    assert service.group(group)["externalId"] == "hr-4711"
    assert service.names(group) == ["ann"]


async def test_a_group_that_is_missing_or_there_twice_is_told_and_another_list_is_written(
    service: Service, backend: Make
) -> None:
    service.add_users("ann")
    missing = await write(backend(), "ann")
    assert missing.result is Result.FAILED
    assert missing.detail.startswith("the group matlab is not on 127.0.0.1:")
    assert missing.detail.endswith("; create the group, or correct spec.scim.group")
    service.add_group("Matlab")
    assert "there is Matlab, which differs in the case of letters" in (await write(backend(), "ann")).detail
    service.add_group(PRODUCT)
    service.add_group(PRODUCT)
    good = service.add_group("simulink")
    command = ListCommand(
        revision=1,
        owner="site-a",
        changes=tuple(ListChange(product=one, users=("ann",)) for one in (PRODUCT, "simulink")),
    )
    made = backend()
    results = (await made.result(await made.send(command), command=command)).products
    assert "is there 2 times on" in results[PRODUCT].detail
    assert results["simulink"].result is Result.APPLIED
    assert service.names(good) == ["ann"]


@pytest.mark.parametrize("lacks_etag", [False, True])
async def test_what_others_wrote_into_the_group_stays(service: Service, backend: Make, lacks_etag: bool) -> None:
    ann, bob = service.add_users("ann", "bob")
    group = service.storage.create(
        service.types["Group"],
        Group(display_name=PRODUCT, members=[Group.Members(value=ann, display="Ann of Accounts", type="User")]),
    )
    service.lacks.etag = lacks_etag
    result = await write(backend(), "ann", "bob")
    assert result.users == ("ann", "bob")
    members = {one["value"]: one for one in service.group(str(group.id))["members"]}
    assert members[ann]["display"] == "Ann of Accounts"
    assert set(members) == {ann, bob}


async def test_a_writer_who_is_faster_is_not_overwritten_but_read_again(service: Service, backend: Make) -> None:
    ann, _, cem = service.add_users("ann", "bob", "cem")
    group = service.add_group(PRODUCT, [ann])
    service.before_write.append(lambda: service.set_members(group, [ann, cem], externalId="seatpool:site-a:5"))
    result = await write(backend(), "bob", revision=3)
    assert (result.result, result.fence) == (Result.STALE, 5)
    assert service.members(group) == sorted([ann, cem])
    service.before_write.append(lambda: service.set_members(group, [cem], externalId="seatpool:site-a:5"))
    result = await write(backend(), "bob", revision=6)
    assert (result.result, result.users, result.fence) == (Result.APPLIED, ("bob",), 6)
