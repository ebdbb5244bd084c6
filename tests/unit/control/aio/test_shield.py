"""What was begun comes to its end although who began it is cancelled."""

import asyncio

import pytest

from seatpool.control.aio.shield import ShieldedTasks


async def test_what_was_begun_goes_on_when_the_caller_is_cancelled() -> None:
    shielded, go, done = ShieldedTasks(), asyncio.Event(), []

    async def work() -> None:
        await go.wait()
        done.append("noted")

    caller = asyncio.create_task(shielded.run_to_end(work()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller])
    assert caller.cancelled()
    assert done == []
    go.set()
    assert await shielded.drain(limit=5)
    assert done == ["noted"]


async def test_its_answer_and_its_error_are_the_callers() -> None:
    shielded = ShieldedTasks()

    async def work(number: int) -> int:
        return 6 // number

    assert await shielded.run_to_end(work(2)) == 3
    with pytest.raises(ZeroDivisionError):
        await shielded.run_to_end(work(0))
    assert await shielded.drain(limit=5)


async def test_what_does_not_end_is_cut_in_the_end() -> None:
    shielded = ShieldedTasks()
    caller = asyncio.create_task(shielded.run_to_end(asyncio.Event().wait()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller])
    assert not await shielded.drain(limit=0.01)
    assert await shielded.drain(limit=0.01), "nothing is left"
