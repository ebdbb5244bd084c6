"""Puts notices on an EventBridge bus: source `seatpool`, detail type the notice's type, detail the notice."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from seatpool.aws.sessions import Role, SessionFactory, Sessions
from seatpool.notify.config import NotifyConfig
from seatpool.notify.notices import Notice
from seatpool.notify.outbox import NotDelivered
from seatpool.threads import run_in

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "seatpool"
MOST_AT_ONCE = 10


class EventBridgeSender:
    """Sends to one bus. boto3 blocks, so the sender has a thread of its own."""

    name = "eventbridge"
    batch = MOST_AT_ONCE

    def __init__(self, config: NotifyConfig, *, session_factory: SessionFactory) -> None:
        assert config.bus is not None  # noqa: S101
        self._bus = config.bus
        self._make = _maker(config, session_factory)
        self._client: EventBridgeClient | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notify-eventbridge")

    async def send(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        return await run_in(self._thread, lambda: self._put(notices))

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _put(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        try:
            if self._client is None:
                self._client = self._make()
            answer = self._client.put_events(Entries=[self._entry(notice) for notice in notices])
        except (BotoCoreError, ClientError) as error:
            raise NotDelivered(f"EventBridge bus {self._bus}: {error}") from error
        results = answer["Entries"]
        return [notice for notice, result in zip(notices, results, strict=True) if result.get("ErrorCode")]

    def _entry(self, notice: Notice) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": notice.type,
            "Time": notice.at,
            "Resources": [f"licensepool/{notice.pool}"],
            "Detail": json.dumps(notice.wire()),
        }


def _maker(config: NotifyConfig, session_factory: SessionFactory) -> Callable[[], "EventBridgeClient"]:
    settings = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 2})
    sessions = Sessions(
        factory=session_factory, endpoint_url=config.endpoint_url, config=settings, role_session_name="seatpool-notify"
    )
    assert config.bus is not None  # noqa: S101
    region = config.region or config.bus.split(":")[3]
    role = None
    if config.role_arn is not None:
        role = Role(arn=config.role_arn, external_id=config.external_id, region=region)
    return lambda: sessions.of(role).client(
        "events", region_name=region, endpoint_url=config.endpoint_url, config=settings
    )
