"""What the parts of an operator are given; its client of the API server is never used."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import structlog
from kubernetes.aio.client import ApiClient, Configuration
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger
from tests.unit.control.server_states import Clock

from seatpool.kube.client import KubeClient


@dataclass(kw_only=True)
class Given:
    kube: KubeClient
    clock: Clock
    registry: CollectorRegistry
    log: FilteringBoundLogger
    rng: random.Random


@pytest.fixture
async def given() -> AsyncIterator[Given]:
    kube = KubeClient(ApiClient(configuration=Configuration()))
    yield Given(
        kube=kube, clock=Clock(), registry=CollectorRegistry(), log=structlog.get_logger(), rng=random.Random(1)
    )
    await kube.close()
