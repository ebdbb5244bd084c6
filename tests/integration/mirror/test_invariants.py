"""What holds for the machines of every source: late, twice, swapped, lost, empty and forbidden news move no seat wrongly."""

import asyncio

import pytest
from tests.integration.mirror.conftest import Stage, ago
from tests.integration.mirror.sources import SOURCES, Machines
from tests.waiting import PATIENCE, eventually

from seatpool.api.workbench import Workbench
from seatpool.mirror.mirror import Mirror

ACTIVE = ("pending", "running")


@pytest.fixture(params=SOURCES)
def machines(request: pytest.FixtureRequest) -> Machines:
    return SOURCES[request.param]()  # type: ignore[return-value]


async def is_active(stage: Stage, machines: Machines, reference: str) -> bool:
    return await stage.state(machines.name(reference)) in ACTIVE


async def until_active(stage: Stage, machines: Machines, reference: str, active: bool) -> None:
    async def is_so() -> bool:
        return await is_active(stage, machines, reference) == active

    await eventually(is_so, what=f"{reference} is {'active' if active else 'not active'}")


async def inventories(stage: Stage, mirror: Mirror, count: int = 3) -> None:
    """Waits for so many more inventories, with any result."""

    def ended() -> float:
        return sum(
            sample.value
            for metric in stage.registry.collect()
            if metric.name == "seatpool_mirror_inventories"
            for sample in metric.samples
            if sample.name.endswith("_total")
        )

    wanted = ended() + count
    await eventually(lambda: ended() >= wanted)
    assert mirror.health.inventories


async def test_a_start_and_an_end_that_no_event_told_are_found(stage: Stage, machines: Machines) -> None:
    first, stays = machines.start(stage, "ann"), machines.start(stage, "eve")
    async with machines.mirror(stage) as mirror:
        await asyncio.wait_for(mirror.ready.wait(), PATIENCE)
        assert await is_active(stage, machines, first)
        second = machines.start(stage, "bob")
        machines.end(stage, first)
        await until_active(stage, machines, second, active=True)
        await until_active(stage, machines, first, active=False)
        assert await stage.owner(machines.name(second)) == "bob"
        assert await is_active(stage, machines, stays)


async def test_late_news_wakes_nobody(stage: Stage, machines: Machines) -> None:
    began, machine, stays = ago(0), machines.start(stage, "ann"), machines.start(stage, "eve")
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        machines.end(stage, machine)
        await until_active(stage, machines, machine, active=False)
        await machines.tell(stage, mirror, (machine, True, began))
        assert not await is_active(stage, machines, machine)
        await inventories(stage, mirror)
        assert not await is_active(stage, machines, machine)
        assert await is_active(stage, machines, stays)


async def test_late_news_of_a_machine_whose_object_is_gone_makes_no_new_one(stage: Stage, machines: Machines) -> None:
    began, machine, stays = ago(0), machines.start(stage, "ann"), machines.start(stage, "eve")
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        machines.vanish(stage, machine)
        await stage.until_state(machines.name(machine), None)
        await machines.tell(stage, mirror, (machine, True, began))
        assert await stage.state(machines.name(machine)) is None
        await inventories(stage, mirror)
        assert await stage.state(machines.name(machine)) is None
        assert await is_active(stage, machines, stays)


async def test_news_that_comes_twice_is_written_once(stage: Stage, machines: Machines) -> None:
    machine = machines.start(stage, "ann")
    async with machines.mirror(stage, resync_interval="1h") as mirror:
        await mirror.ready.wait()
        machines.end(stage, machine)
        at = ago(0)
        await machines.tell(stage, mirror, (machine, False, at))
        await until_active(stage, machines, machine, active=False)
        before = await stage.get(machines.name(machine))
        await machines.tell(stage, mirror, *[(machine, False, at)] * 3)
        assert await stage.get(machines.name(machine)) == before


async def test_news_that_comes_swapped_ends_as_it_was(stage: Stage, machines: Machines) -> None:
    machine = machines.start(stage, "ann")
    async with machines.mirror(stage, resync_interval="1h") as mirror:
        await mirror.ready.wait()
        started = ago(0)
        machines.end(stage, machine)
        await machines.tell(stage, mirror, (machine, False, ago(0)), (machine, True, started))
        assert not await is_active(stage, machines, machine)


async def test_a_machine_that_vanished_goes_and_the_others_stay(stage: Stage, machines: Machines) -> None:
    machine, stays = machines.start(stage, "ann"), machines.start(stage, "bob")
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        machines.vanish(stage, machine)
        await stage.until_state(machines.name(machine), None)
        assert stage.metric("resync_corrections_total", direction="removed") == 1
        assert await is_active(stage, machines, stays)


async def test_an_answer_that_shows_nothing_releases_nobody(
    stage: Stage, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = [machines.start(stage, owner) for owner in ("ann", "bob")]
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        machines.show_nothing(monkeypatch)
        await inventories(stage, mirror, 9)
        assert [await is_active(stage, machines, one) for one in running] == [True, True]


async def test_a_source_that_refuses_keeps_everybody_and_is_told_until_it_answers(
    stage: Stage, machines: Machines
) -> None:
    machine, stays = machines.start(stage, "ann"), machines.start(stage, "bob")
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        with machines.forbid(stage):
            await eventually(lambda: not mirror.health.inventories[0].fresh)
            assert mirror.health.inventories[0].reason in ("AccessDenied", "Forbidden")
            machines.vanish(stage, machine)
            await inventories(stage, mirror)
            assert await is_active(stage, machines, machine)
        await stage.until_state(machines.name(machine), None)
        await eventually(lambda: mirror.health.inventories[0].fresh)
        assert await is_active(stage, machines, stays)


async def test_a_source_that_refuses_from_the_start_is_waited_for(stage: Stage, machines: Machines) -> None:
    machine = machines.start(stage, "ann")
    mirrored = machines.mirror(stage)  # grants what it needs, where somebody has to
    with machines.forbid(stage):
        async with mirrored as mirror:
            await mirror.ready.wait()
            assert mirror.unknown_regions() == mirror.health.waiting_for
            assert len(mirror.unknown_regions()) == 1
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        assert mirror.unknown_regions() == ()
        assert await is_active(stage, machines, machine)


async def test_no_source_touches_the_objects_of_others(stage: Stage, machines: Machines) -> None:
    others = [SOURCES[kind]() for kind in SOURCES if kind != machines.kind]
    theirs = [(one, one.start(stage, "eve")) for one in others]
    for one, reference in theirs:
        async with one.mirror(stage) as mirror:
            await mirror.ready.wait()
            assert await is_active(stage, one, reference)
    spec = {
        "source": {"kind": "External", "reference": "rack 7"}, "owner": "kim", "type": "x", "state": "running",
        "stateChangedAt": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    await stage.kube.create(Workbench, stage.namespace, {"metadata": {"name": "by-hand"}, "spec": spec})
    for one, reference in theirs:
        one.vanish(stage, reference)
    before = [await stage.get(one.name(reference)) for one, reference in theirs] + [await stage.get("by-hand")]
    machine, _ = machines.start(stage, "ann"), machines.start(stage, "bob")
    alone = {} if machines.kind == "Kubernetes" else {"sources": [machines.kind.value]}
    async with machines.mirror(stage, **alone) as mirror:
        await mirror.ready.wait()
        machines.vanish(stage, machine)
        await stage.until_state(machines.name(machine), None)
        await inventories(stage, mirror, 8)
    after = [await stage.get(one.name(reference)) for one, reference in theirs] + [await stage.get("by-hand")]
    assert after == before


async def test_nothing_is_written_when_the_mirror_starts_again(stage: Stage, machines: Machines) -> None:
    machine = machines.start(stage, "ann")
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        before = await stage.get(machines.name(machine))
        assert before is not None
    async with machines.mirror(stage) as mirror:
        await mirror.ready.wait()
        await inventories(stage, mirror, 2)
        assert await stage.get(machines.name(machine)) == before
