"""An open stream ends with its key, and not a minute later."""

import asyncio

import structlog
from prometheus_client import CollectorRegistry
from tests.unit.explain.cluster import NOW
from tests.unit.web.keys.objects import KEY, SETTINGS, raw_key
from tests.unit.web.test_access_parts import ApiServer
from tests.unit.web.test_visible_users import UTC, live, objects

from seatpool.settings.web import WebSettings
from seatpool.trail.config import TrailConfig
from seatpool.trail.trail import Trail
from seatpool.web.authentication import Authenticator
from seatpool.web.keys.keys import Keys, make_keys
from seatpool.web.metrics import WebMetrics
from seatpool.web.service import Service
from seatpool.web.stream import Feed, Streams


class Stage:
    """A service with keys, whose clocks stand still."""

    def __init__(self) -> None:
        server, log = ApiServer(), structlog.get_logger()
        cluster = live(objects.server(), objects.pool(), objects.workbench("ann"))
        self.streams = Streams(10, 2)
        self.keys: Keys = make_keys(
            SETTINGS, kube=None, cluster=cluster, authorizer=server.authorizer(), user_id=str, log=log,  # type: ignore[arg-type]
            trail=Trail(TrailConfig(), holder="", registry=CollectorRegistry(), log=log), clock=lambda: NOW,
            is_listed=lambda: True,
        )  # fmt: skip
        self.keys.index.on_change.append(self.streams.wake_keys)
        authenticator = Authenticator(
            reviews=server, audience="seatpool", keys=self.keys.keyring, monotonic=lambda: 0.0
        )
        self.service = Service(
            settings=WebSettings(), cluster=cluster, authenticator=authenticator, authorizer=server.authorizer(),
            metrics=WebMetrics(CollectorRegistry()), streams=self.streams, leases=dict, is_ready=lambda: True,
            keys=self.keys,
        )  # fmt: skip


async def test_a_stream_ends_when_its_key_is_revoked_though_no_time_passes() -> None:
    stage = Stage()
    stage.keys.index.upsert(raw_key(issued=True))
    caller = await stage.service.authenticator.caller(KEY.text)
    with stage.streams.opened(caller.limited_as, has_key=True) as subscription:
        feed = Feed(
            service=stage.service, token=KEY.text, caller=caller, zone=UTC, subscription=subscription,
            monotonic=lambda: 0.0,
        )  # fmt: skip
        seen = []
        async with asyncio.timeout(60):
            async for raw in feed.events():
                seen.append(raw.decode().partition("\n")[0])
                if seen[-1] == "event: me":
                    stage.keys.index.upsert(raw_key(issued=True, revoked=True))
        assert seen[-1] == "event: end"
        assert "KeyEnded" in raw.decode()


def test_a_change_of_a_workbench_concerns_the_keys_that_are_for_it_and_no_others() -> None:
    stage = Stage()
    (workbench,) = stage.service.cluster.store.workbenches
    told: list[str] = []
    stage.keys.index.upsert(raw_key(issued=True, workbench=workbench.partition("/")[2]))
    stage.keys.index.on_change.append(lambda: told.append("told"))
    stage.keys.workbench_changed("lab/another")
    assert not told
    stage.keys.workbench_changed(workbench)
    assert told == ["told"]
