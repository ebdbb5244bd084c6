"""A client is made once for each service, region, role and configuration. A slow call can be left alone."""

import asyncio
import threading

import boto3
import pytest
from botocore.config import Config

from seatpool.aws.clients import ClientCache

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
        goes_on.wait(5)
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
    assert await asyncio.to_thread(answered.wait, 5)
    assert answers == ["messages"]
