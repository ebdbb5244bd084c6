"""An event stream asks again who its caller is and what it may see."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from prometheus_client import CollectorRegistry
from tests.unit.web.test_access_parts import ApiServer
from tests.unit.web.test_visible_users import UTC, live, objects

from seatpool.api.licensepool import LicensePool
from seatpool.settings.web import WebSettings
from seatpool.web import stream
from seatpool.web.metrics import WebMetrics
from seatpool.web.service import Service
from seatpool.web.stream import Feed, Streams


class Stage:
    """A service with one pool, an API server that forgets, and a stream of ann."""

    def __init__(self) -> None:
        self.server = ApiServer(may={("list", "licensepools", "lab")})
        cluster = live(objects.server(), objects.pool(), objects.ledger(waiting={"ann": 5}), objects.workbench("ann"))
        streams = Streams(10, 2)
        cluster.on_change.append(streams.changed)
        self.service = Service(
            settings=WebSettings(), cluster=cluster, authenticator=self.server.authenticator(),
            authorizer=self.server.authorizer(), metrics=WebMetrics(CollectorRegistry()), streams=streams, leases=dict,
            is_ready=lambda: True,
        )  # fmt: skip

    async def events(self) -> AsyncIterator[tuple[str, Any]]:
        caller = await self.service.authenticator.caller("good")
        with self.service.streams.opened(caller.name) as subscription:
            feed = Feed(
                service=self.service, token="good", caller=caller, zone=UTC, subscription=subscription,
                monotonic=lambda: self.server.now,
            )  # fmt: skip
            async for raw in feed.events():
                lines = raw.decode().splitlines()
                if lines[0].startswith("event: "):
                    yield lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


async def first_two(stage: Stage) -> AsyncIterator[tuple[str, Any]]:
    events = stage.events()
    name, pools = await anext(events)
    assert (name, [one["name"] for one in pools["items"]]) == ("pools", ["lab/matlab"])
    name, me = await anext(events)
    assert (name, me["user"]) == ("me", "ann")
    return events


async def test_a_stream_ends_when_its_token_is_not_accepted_any_more() -> None:
    stage = Stage()
    events = await first_two(stage)
    stage.server.audiences = ()
    stage.server.now = 61.0
    stage.service.streams.wake()
    name, problem = await anext(events)
    assert (name, problem["id"]) == ("end", "BadToken")
    assert [one async for one in events] == []
    assert stage.service.streams._open == set()


async def test_pools_go_when_the_caller_may_not_list_them_any_more() -> None:
    stage = Stage()
    events = await first_two(stage)
    stage.server.may.clear()
    stage.server.now = 61.0
    stage.service.streams.wake()
    name, told = await anext(events)
    assert (name, told) == ("pools", {"items": [], "gone": ["lab/matlab"]})
    await events.aclose()  # type: ignore[attr-defined]


async def test_many_changes_within_a_second_are_one_event() -> None:
    stage = Stage()
    events = await first_two(stage)
    for version in range(2, 50):
        raw = objects.pool(seats=version)
        raw["metadata"] |= {"resourceVersion": str(version), "generation": version}
        stage.service.cluster.upsert(LicensePool, raw)
    name, told = await anext(events)
    assert (name, [one["seats"] for one in told["items"]]) == ("pools", [49])
    rest = asyncio.ensure_future(anext(events))
    await asyncio.sleep(2 * stream.CONFLATION)
    assert not rest.done() or rest.result()[0] == "me"
    rest.cancel()
