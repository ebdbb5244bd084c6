"""Services that lack something, or say that they did what they did not: scim2-server behind a proxy that makes it so."""

from collections.abc import Callable

import pytest
from tests.integration.backends.scim.lists import PRODUCT, write
from tests.integration.backends.scim.scim_service import Lacks, Service

from seatpool.servers.backend import Fence
from seatpool.servers.command_result import Result
from seatpool.servers.direct.backend import DirectBackend

Make = Callable[..., DirectBackend]
USERS = [f"user{number:02}" for number in range(40)]

LACKS = {
    "nothing": Lacks(),
    "ETag": Lacks(etag=True),
    "PATCH": Lacks(patch=True),
    "PATCH, and says so": Lacks(patch_is_told=True, patch=True),
    "PATCH and ETag": Lacks(patch=True, etag=True),
    "PUT": Lacks(put=True),
    "PUT and ETag": Lacks(put=True, etag=True),
    "ServiceProviderConfig": Lacks(config=True),
    "pages": Lacks(pages=True),
    "large pages": Lacks(page_size=3),
    "or in filters": Lacks(or_filters=True),
    "or in filters, silently": Lacks(wrong_or=True),
    "filters": Lacks(filters=True),
    "members unless asked for": Lacks(members_unasked=True),
    "bodies of answers": Lacks(answers=True),
    "bodies of answers and ETag": Lacks(answers=True, etag=True),
    "replaces that remove": Lacks(replace_keeps_stale=True),
    "removals by path": Lacks(etag=True, removal_has_no_effect=True),
    "removals by path, and PUT": Lacks(put=True, removal_has_no_effect=True),
    "all but the least": Lacks(
        etag=True, put=True, config=True, pages=True, or_filters=True, members_unasked=True, answers=True
    ),
}


@pytest.mark.parametrize("lacks", LACKS.values(), ids=LACKS.keys())
async def test_lists_are_right_on_a_service_that_lacks(service: Service, backend: Make, lacks: Lacks) -> None:
    service.add_users(*USERS)
    group = service.add_group(PRODUCT)
    service.add_group("other")
    service.lacks = lacks
    made = backend()
    result = await write(made, *USERS[:30])
    assert (result.result, result.users) == (Result.APPLIED, tuple(USERS[:30])), result.detail
    result = await write(made, *USERS[10:], revision=2)
    assert (result.result, result.users) == (Result.APPLIED, tuple(USERS[10:])), result.detail
    assert service.names(group) == USERS[10:]
    assert service.group(group)["externalId"] == "seatpool:site-a:2"
    result = await write(backend(), revision=3)
    assert (result.result, result.users, service.members(group)) == (Result.APPLIED, (), [])
    assert (await write(backend(), "user00", revision=3)).result is Result.STALE
    assert (await write(backend(), "user00", "nobody", revision=4)).unlistable.keys() == {"nobody"}
    assert service.names(group) == ["user00"]


async def test_a_service_without_etags_is_changed_by_patches_of_at_most_100_members(
    service: Service, backend: Make
) -> None:
    names = [f"user{number:03}" for number in range(250)]
    service.add_users(*names)
    group = service.add_group(PRODUCT)
    service.lacks.etag = True
    made = backend()
    assert made.capabilities.fence is Fence.MARK
    result = await write(made, *names)
    assert (result.result, result.users) == (Result.APPLIED, tuple(names))
    assert made.capabilities.fence is Fence.MARK
    sizes = [
        sum(len(one.get("value", "1")) for one in seen.body["Operations"] if one["path"] == "members")
        for seen in service.writes()
    ]
    assert sizes == [100, 100, 50]
    assert all(one.if_match is None for one in service.writes())
    service.seen.clear()
    await write(made, *names[150:], revision=2)
    removed = [sum("[" in one["path"] for one in seen.body["Operations"]) for seen in service.writes()]
    assert removed == [100, 50]
    assert service.names(group) == names[150:]


async def test_what_works_on_a_service_is_remembered(service: Service, backend: Make) -> None:
    service.add_users("ann", "bob")
    group = service.add_group(PRODUCT)
    service.lacks = Lacks(etag=True, removal_has_no_effect=True)
    made = backend()
    await write(made, "ann", "bob")
    result = await write(made, "bob", revision=2)
    assert result.users == ("bob",)
    assert "1 user who was removed is still on it; another way of writing it was tried" in result.detail
    service.seen.clear()
    result = await write(made, revision=3)
    assert (result.users, result.detail, service.members(group)) == ((), "", [])
    assert len(service.writes()) == 1


async def test_a_service_that_does_nothing_and_says_otherwise_is_found_out(service: Service, backend: Make) -> None:
    ann, _ = service.add_users("ann", "bob")
    group = service.add_group(PRODUCT, [ann], external_id="seatpool:site-a:1")
    service.lacks.write_has_no_effect = True
    result = await write(backend(), "bob", revision=2)
    assert result.result is Result.APPLIED
    assert result.users == ("ann",)
    assert result.fence == 1
    assert result.detail.startswith("the server answered that the list is written, but 1 of the users is not on it")
    assert service.members(group) == [ann]


@pytest.mark.parametrize("lacks_etag", [False, True])
async def test_a_service_that_keeps_no_external_id_is_told_and_works_without_the_mark(
    service: Service, backend: Make, lacks_etag: bool
) -> None:
    service.add_users("ann", "bob")
    group = service.add_group(PRODUCT)
    service.lacks = Lacks(external_id=True, etag=lacks_etag)
    result = await write(backend(), "ann")
    assert result.result is Result.FAILED
    assert "externalId did not stay" in result.detail
    assert result.detail.endswith("set spec.scim.keepMark: false, so that the operator leaves externalId alone")
    made = backend(keep_mark=False)
    result = await write(made, "ann", "bob")
    assert (result.result, result.users, result.fence, result.owner) == (Result.APPLIED, ("ann", "bob"), 0, "")
    assert (await write(made, "bob", revision=2)).users == ("bob",)
    assert service.names(group) == ["bob"]


async def test_a_service_that_refuses_the_external_id_is_told(service: Service, backend: Make) -> None:
    service.add_users("ann")
    group = service.add_group(PRODUCT)
    service.lacks.external_id_refused = True
    result = await write(backend(), "ann")
    assert result.result is Result.FAILED
    assert "PUT: 400 (mutability: attribute externalId is immutable)" in result.detail
    assert "spec.scim.keepMark: false" in result.detail
    service.lacks.external_id_refused = False
    assert service.members(group) == []
    assert (await write(backend(keep_mark=False), "ann")).users == ("ann",)


@pytest.mark.parametrize("mark", [None, "seatpool:site-a:2"], ids=["first mark", "later mark"])
async def test_without_etags_the_mark_of_another_writer_stops_the_next_patch(
    service: Service, backend: Make, mark: str | None
) -> None:
    names = [f"user{number:03}" for number in range(150)]
    ids = service.add_users(*names)
    group = service.add_group(PRODUCT, external_id=mark)
    service.lacks.etag = True

    service.after_write.append(lambda: service.set_members(group, ids[:1], externalId="seatpool:site-a:9"))
    result = await write(backend(), *names, revision=3)
    assert len(service.writes()) == 1
    assert (result.result, result.fence, result.users) == (Result.STALE, 9, tuple(names[:1]))
    assert service.group(group)["externalId"] == "seatpool:site-a:9"


@pytest.mark.parametrize("lacks", [Lacks(put=True), Lacks(etag=True)], ids=["ETag", "no ETag"])
async def test_an_edit_by_hand_between_two_patches_is_mended_by_the_same_command(
    service: Service, backend: Make, lacks: Lacks
) -> None:
    names = [f"user{number:03}" for number in range(150)]
    ids = service.add_users(*names)
    group = service.add_group(PRODUCT, external_id="seatpool:site-a:2")
    service.lacks = lacks
    service.after_write.append(lambda: service.set_members(group, [*ids[:2], "0000"]))
    result = await write(backend(), *names, revision=3)
    assert (result.result, result.fence, result.users) == (Result.APPLIED, 3, tuple(names)), result.detail
    assert service.members(group) == sorted(ids)


async def test_many_unknown_users_are_told_on_a_service_whose_or_is_wrong(service: Service, backend: Make) -> None:
    service.add_users(*USERS)
    service.add_group(PRODUCT)
    service.lacks.wrong_or = True
    found = await backend().find_unlistable([*USERS, "nobody", "somebody"])
    assert found.keys() == {"nobody", "somebody"}


@pytest.mark.parametrize("pages", [True, False], ids=["pages", "no pages"])
async def test_many_users_are_found_in_few_requests_where_a_filter_finds_only_one(
    service: Service, backend: Make, pages: bool
) -> None:
    names = [f"user{number:03}" for number in range(600)]
    service.add_users(*names)
    group = service.add_group(PRODUCT)
    service.lacks = Lacks(or_filters=True, pages=not pages)
    made = backend()
    assert (await made.find_unlistable([*names, "nobody"])).keys() == {"nobody"}
    assert len(service.seen) < 20
    service.seen.clear()
    assert (await write(made, *names)).users == tuple(names)
    assert len(service.seen) < 20
    service.seen.clear()
    assert (await write(backend(), *names[1:], revision=2)).users == tuple(names[1:])
    assert len(service.seen) < 30
    assert service.names(group) == names[1:]


async def test_users_whom_a_listing_passes_over_are_asked_for_singly(service: Service, backend: Make) -> None:
    names = [f"user{number:03}" for number in range(600)]
    service.add_users(*names)
    service.add_group(PRODUCT)
    service.lacks = Lacks(or_filters=True, whole_listings=True)
    assert await backend().find_unlistable(names) == {}
    assert any("filter" not in one.query and one.path.endswith("/Users") for one in service.seen)
