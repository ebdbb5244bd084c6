"""boto3 without a blocked event loop: clients made once, calls in threads.

boto3 clients may be shared between threads, making them may not. What may take long (a long poll, an account that does
not answer) has threads of its own, so that it never holds up a quick call; those threads are daemons, because a pool's
threads would keep the process from ending until the last answer came.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config

from seatpool.aws.sessions import Role, SessionFactory, Sessions
from seatpool.mirror.config import AccountConfig, MirrorConfig

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

QUICK_THREADS = 8
LONGEST_POLL = 20.0
ROLE_SESSION_NAME = "seatpool-mirror"
T = TypeVar("T")


class Purpose(Enum):
    """What a client is for; it decides how long and how often it tries."""

    QUEUE = auto()
    POLL = auto()
    ENQUIRY = auto()
    """Somebody's message waits for the answer."""
    INVENTORY = auto()
    SEAT_TAGS = auto()
    """Nobody waits; a client of its own, so that what it is refused does not slow the others down."""


def _settings(purpose: Purpose, timeout: float) -> Config:
    if purpose is Purpose.POLL:
        once = {"mode": "standard", "max_attempts": 1}
        return Config(connect_timeout=5, read_timeout=LONGEST_POLL + timeout, retries=once, max_pool_connections=34)  # type: ignore[arg-type]
    if purpose is Purpose.ENQUIRY:
        twice = {"mode": "standard", "max_attempts": 2}
        return Config(connect_timeout=2, read_timeout=min(5, timeout), retries=twice)  # type: ignore[arg-type]
    attempts = 2 if purpose in (Purpose.INVENTORY, Purpose.SEAT_TAGS) else 4
    adaptive = {"mode": "adaptive", "max_attempts": attempts}
    return Config(connect_timeout=5, read_timeout=timeout, retries=adaptive)  # type: ignore[arg-type]


class AwsClients:
    """Every AWS client of one mirror."""

    def __init__(self, config: MirrorConfig, session_factory: SessionFactory = boto3.Session) -> None:
        self._config = config
        timeout = config.aws_timeout.total_seconds()
        self._settings = {purpose: _settings(purpose, timeout) for purpose in Purpose}
        self._making = threading.Lock()
        self._sessions = Sessions(
            factory=session_factory,
            endpoint_url=config.endpoint_url,
            config=self._settings[Purpose.INVENTORY],
            role_session_name=ROLE_SESSION_NAME,
        )
        self._ec2: dict[tuple[AccountConfig, str, Purpose], EC2Client] = {}
        self._sqs: dict[tuple[str | None, Purpose], SQSClient] = {}
        self._quick = ThreadPoolExecutor(QUICK_THREADS, thread_name_prefix="mirror-aws")

    async def quickly(self, call: Callable[[], T]) -> T:
        """Run a call that ends soon."""
        return await asyncio.get_running_loop().run_in_executor(self._quick, call)

    async def slowly(self, call: Callable[[], T], *, unwanted: Callable[[T], None] = lambda _: None) -> T:
        """Run a call that may take long. Nothing can interrupt it: an answer after a cancellation goes to `unwanted`."""
        cancelled = threading.Event()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(value: T | None, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(value)  # type: ignore[arg-type]

        def run() -> None:
            value, failure = None, None
            try:
                value = call()
                if cancelled.is_set():
                    unwanted(value)
            except Exception as error:  # noqa: BLE001
                failure = error
            try:
                loop.call_soon_threadsafe(settle, value, failure)
            except RuntimeError:
                return  # the loop was closed while the poll was waiting: nobody asks any more

        threading.Thread(target=run, name="mirror-slow", daemon=True).start()
        try:
            return await answer
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def close(self) -> None:
        self._quick.shutdown(wait=False, cancel_futures=True)

    def sqs(self, *, region: str | None, purpose: Purpose) -> "SQSClient":
        with self._making:
            if (region, purpose) not in self._sqs:
                self._sqs[region, purpose] = self._sessions.home().client(
                    "sqs",
                    region_name=region,
                    endpoint_url=self._config.endpoint_url,
                    config=self._settings[purpose],
                )
            return self._sqs[region, purpose]

    def ec2(self, account: AccountConfig, region: str, purpose: Purpose) -> "EC2Client":
        with self._making:
            place = (account, region, purpose)
            if place not in self._ec2:
                self._ec2[place] = self._session(account).client(
                    "ec2",
                    region_name=region,
                    endpoint_url=self._config.endpoint_url,
                    config=self._settings[purpose],
                )
            return self._ec2[place]

    def account_number(self, account: AccountConfig) -> str:
        """The account that the credentials for an account really belong to."""
        with self._making:
            sts: STSClient = self._session(account).client(
                "sts",
                region_name=account.regions[0],
                endpoint_url=self._config.endpoint_url,
                config=self._settings[Purpose.INVENTORY],
            )
        return sts.get_caller_identity()["Account"]

    def _session(self, account: AccountConfig) -> boto3.Session:
        if account.role_arn is None:
            return self._sessions.home()
        return self._sessions.of(Role(arn=account.role_arn, external_id=account.external_id, region=account.regions[0]))
