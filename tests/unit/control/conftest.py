"""The desk of a reconciler whose parts are all real; its client of the API server is never used."""

import random
from collections.abc import AsyncIterator

import pytest
import structlog
from kubernetes.aio.client import ApiClient, Configuration
from prometheus_client import CollectorRegistry
from tests.unit.control.desks import Clock, DeskMaker

from seatpool.kube.client import KubeClient


@pytest.fixture
async def desks() -> AsyncIterator[DeskMaker]:
    kube = KubeClient(ApiClient(configuration=Configuration()))
    yield DeskMaker(
        kube=kube,
        clock=Clock(),
        registry=CollectorRegistry(),
        log=structlog.get_logger(),
        rng=random.Random(1),
    )
    await kube.close()
