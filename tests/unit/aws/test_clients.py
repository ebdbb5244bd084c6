"""A client is made once for each service, region, role and configuration. A slow call can be left alone."""

import asyncio
import concurrent.futures
import threading
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.waiting import PATIENCE

from seatpool.aws.clients import ClientCache
from seatpool.threads import UnexpectedEnd

CONFIG = Config(connect_timeout=1)


@pytest.fixture
def cache() -> ClientCache:
    return ClientCache(
        session_factory=lambda: boto3.Session(aws_access_key_id="test", aws_secret_access_key="test"),
        endpoint_url="http://127.0.0.1:1",
        role_session_name="test",
        sts_config=CONFIG,
        threads=2,
        thread_name="test",
    )


def test_a_client_is_made_once(cache: ClientCache) -> None:
    first = cache.client("sqs", region="eu-central-1", config=CONFIG)
    assert cache.client("sqs", region="eu-central-1", config=CONFIG) is first
    assert cache.client("sqs", region="eu-west-1", config=CONFIG) is not first
    assert cache.client("sqs", region="eu-central-1", config=Config(connect_timeout=2)) is not first
    assert cache.client("sqs", region="eu-central-1", config=CONFIG, cached=False) is not first


async def test_a_call_runs_beside_the_event_loop(cache: ClientCache) -> None:
    here = threading.get_ident()
    assert await cache.run_in_pool(threading.get_ident) != here
    assert await cache.run_in_thread(threading.get_ident) != here
    cache.close()


async def test_an_error_of_a_slow_call_reaches_the_caller(cache: ClientCache) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await cache.run_in_thread(fail)


async def test_the_answer_of_a_call_that_was_cancelled_is_handed_over(cache: ClientCache) -> None:
    goes_on, answered = threading.Event(), threading.Event()
    answers: list[str] = []

    def call() -> str:
        goes_on.wait(PATIENCE)
        return "messages"

    def give_back(answer: str) -> None:
        answers.append(answer)
        answered.set()

    task = asyncio.create_task(cache.run_in_thread(call, on_cancelled=give_back))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    assert await asyncio.to_thread(answered.wait, PATIENCE)
    assert answers == ["messages"]


class Odd(BaseException):
    """An error that is no Exception, as some extension modules raise."""


@pytest.mark.parametrize("run", [ClientCache.run_in_pool, ClientCache.run_in_thread])
@pytest.mark.parametrize(
    "error",
    [
        StopIteration(),
        StopAsyncIteration(),
        GeneratorExit(),
        KeyboardInterrupt(),
        SystemExit(1),
        Odd(),
        asyncio.CancelledError(),
        asyncio.InvalidStateError(),
        concurrent.futures.CancelledError(),
        concurrent.futures.InvalidStateError(),
        TimeoutError(),
        MemoryError(),
        RecursionError(),
    ],
    ids=lambda error: f"{type(error).__module__}.{type(error).__name__}",
)
async def test_every_error_of_a_call_ends_as_an_error(cache: ClientCache, run: Any, error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(Exception) as raised:  # noqa: PT011
        await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(run(cache, fail))), PATIENCE)
    name = type(error).__name__
    assert type(raised.value).__name__ == name or (
        isinstance(raised.value, UnexpectedEnd) and name in str(raised.value)
    )


async def test_an_odd_error_while_an_answer_is_handed_over_breaks_no_thread(cache: ClientCache) -> None:
    goes_on = threading.Event()

    def give_back(_: object) -> None:
        raise StopIteration

    task = asyncio.create_task(cache.run_in_thread(lambda: goes_on.wait(PATIENCE), on_cancelled=give_back))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    goes_on.set()
    assert await cache.run_in_thread(lambda: "next") == "next"
