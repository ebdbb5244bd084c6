"""Creates the outbox from the settings, with a queue for each receiver."""

import random
from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.aws.sessions import SessionFactory
from seatpool.notify.config import NotifyConfig
from seatpool.notify.eventbridge import EventBridgeSender
from seatpool.notify.outbox import NotifyMetrics, Outbox, Sender
from seatpool.notify.webhook import WebhookSender


def make_outbox(
    config: NotifyConfig,
    *,
    session_factory: SessionFactory,
    registry: CollectorRegistry,
    log: FilteringBoundLogger,
    clock: Callable[[], datetime],
    rng: random.Random,
) -> Outbox:
    """Returns an outbox with the receivers of the settings. Without receivers it does nothing."""
    senders: list[Sender] = []
    if config.bus is not None:
        senders.append(EventBridgeSender(config, session_factory=session_factory))
    webhook = config.webhook
    if webhook.url is not None and webhook.secret_file is not None:
        senders.append(WebhookSender(webhook.url, webhook.secret_file, clock=clock, log=log))
    return Outbox(senders, capacity=config.capacity, metrics=NotifyMetrics(registry), log=log, rng=rng)
