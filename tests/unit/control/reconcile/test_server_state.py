"""What is known of a list is believed or forgotten as a whole, and belongs to the pool that is there now."""

from tests.unit.control.desks import DeskMaker
from tests.unit.control.objects import known, later, raw_pool, standing

from seatpool.api.licensepool import LicensePool
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.state.pool_state import PoolState
from seatpool.servers.command_result import ProductResult, Result

MATLAB = "lab/matlab"


def read(users: str | None, *, fence: int = 7, owner: str = "ours") -> ProductResult:
    people = None if users is None else tuple(users.split())
    return ProductResult(result=Result.LISTED, users=people, fence=fence, owner=owner)


def look_again(desk: Desk) -> None:
    desk.look_round(desk.server)


async def test_a_list_that_was_read_is_known_to_its_pool(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann"), "ansys": standing("bob", known=known("bob"))})
    assert desk.believe("matlab", read("ann")) == known("ann")
    assert desk.standing(desk.pool_of("matlab")).in_sync
    assert desk.standing(desk.pool_of("ansys")).in_sync


async def test_a_list_that_could_not_be_read_is_not_known_any_more(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann", known=known("ann"))})
    assert desk.believe("matlab", read(None)) is None
    assert desk.view.known == {}
    assert desk.standing(desk.pool_of("matlab")).known is None


async def test_a_doubted_list_is_read_and_then_written_again(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann", known=known("ann")), "ansys": standing("ann", known=known("ann"))})
    desk.doubt(["matlab"])
    assert desk.forced == {"matlab"}
    assert set(desk.view.known) == {"ansys"}


async def test_a_fence_of_ours_raises_the_next_revision_and_one_of_others_does_not(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann")})
    desk.believe("matlab", read("ann", fence=99, owner="other"))
    assert desk.book.next_revision == 1
    desk.believe("matlab", read("ann", fence=41))
    assert desk.book.next_revision == 42


async def test_what_was_known_of_a_pool_goes_with_it(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann", known=known("ann"))})
    desk.forced.add("matlab")
    desk.todo[MATLAB] = later(0)
    desk.backoffs.failed("matlab")
    desk.around.store.remove(LicensePool, MATLAB, uid=None, now=later(1))
    look_again(desk)
    assert desk.pools == ()
    assert (desk.view.known, desk.view.standings, desk.forced, desk.todo) == ({}, {}, set(), {})
    assert desk.backoffs.remaining("matlab") == 0
    assert desk.around.standings == {}


async def test_a_pool_that_another_server_took_up_keeps_what_is_known_there(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann", known=known("ann"))})
    moved = raw_pool(uid="second", version=9, serverRef={"name": "other"})
    desk.around.store.put(LicensePool, moved, now=later(1))
    theirs = desk.around.standings[MATLAB] = PoolState()
    look_again(desk)
    assert desk.around.standings[MATLAB] is theirs


async def test_a_pool_that_lost_its_claim_is_not_applied(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann", known=known("ann"))})
    desk.around.store.put(LicensePool, raw_pool("elder", product="matlab", age=60), now=later(1))
    look_again(desk)
    assert [pool.key for pool in desk.pools] == ["lab/elder"]
    assert set(desk.around.standings) == {"lab/elder"}
    assert set(desk.view.known) == {"matlab"}, "the list is the same whoever has the claim"
    assert MATLAB not in desk.around.store.dirty_pools
