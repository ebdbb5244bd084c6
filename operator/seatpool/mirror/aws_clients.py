"""boto3 without a blocked event loop: clients made once, calls in threads.

boto3 clients may be shared between threads, making them may not. Long polls have threads of their own, so that they
never hold up a quick call; those threads are daemons, because a pool's threads would keep the process from
ending until the last poll returns.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader

from seatpool.mirror.config import AccountConfig, MirrorConfig

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

SessionFactory = Callable[[], boto3.Session]
QUICK_THREADS = 8
ROLE_SESSION_NAME = "seatpool-mirror"
_QUICK = Config(connect_timeout=5, read_timeout=20, retries={"mode": "adaptive", "max_attempts": 4})
_POLL = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 1}, max_pool_connections=34
)
T = TypeVar("T")


class AwsClients:
    """Every AWS client of one mirror."""

    def __init__(self, config: MirrorConfig, session_factory: SessionFactory = boto3.Session) -> None:
        self._config = config
        self._session_factory = session_factory
        self._making = threading.Lock()
        self._home: boto3.Session | None = None
        self._sessions: dict[str, boto3.Session] = {}
        self._ec2: dict[tuple[str, str], EC2Client] = {}
        self._sqs: dict[tuple[str | None, bool], SQSClient] = {}
        self._models = Loader()  # of a megabyte of EC2 in each session, only one is needed
        self._quick = ThreadPoolExecutor(QUICK_THREADS, thread_name_prefix="mirror-aws")

    async def quickly(self, call: Callable[[], T]) -> T:
        """Run a call that ends soon."""
        return await asyncio.get_running_loop().run_in_executor(self._quick, call)

    async def slowly(self, call: Callable[[], T], *, unwanted: Callable[[T], None]) -> T:
        """Run a long poll. Nothing can interrupt it: an answer that comes after a cancellation goes to `unwanted`."""
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

        threading.Thread(target=run, name="mirror-poll", daemon=True).start()
        try:
            return await answer
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def close(self) -> None:
        self._quick.shutdown(wait=False, cancel_futures=True)

    def sqs(self, *, region: str | None, polling: bool) -> "SQSClient":
        with self._making:
            if (region, polling) not in self._sqs:
                self._sqs[region, polling] = self._home_session().client(
                    "sqs",
                    region_name=region,
                    endpoint_url=self._config.endpoint_url,
                    config=_POLL if polling else _QUICK,
                )
            return self._sqs[region, polling]

    def ec2(self, account: AccountConfig, region: str) -> "EC2Client":
        with self._making:
            place = (account.account, region)
            if place not in self._ec2:
                self._ec2[place] = self._session(account).client(
                    "ec2", region_name=region, endpoint_url=self._config.endpoint_url, config=_QUICK
                )
            return self._ec2[place]

    def account_number(self, account: AccountConfig) -> str:
        """The account that the credentials for an account really belong to."""
        with self._making:
            sts: STSClient = self._session(account).client(
                "sts", region_name=account.regions[0], endpoint_url=self._config.endpoint_url, config=_QUICK
            )
        return sts.get_caller_identity()["Account"]

    def _home_session(self) -> boto3.Session:
        if self._home is None:
            self._home = self._session_factory()
        return self._home

    def _session(self, account: AccountConfig) -> boto3.Session:
        if account.role_arn is None:
            return self._home_session()
        if account.account not in self._sessions:
            self._sessions[account.account] = self._assuming(account, account.role_arn)
        return self._sessions[account.account]

    def _assuming(self, account: AccountConfig, role_arn: str) -> boto3.Session:
        home = self._home_session()
        source = home.get_credentials()
        if source is None:
            raise NoCredentialsError
        extra = {"RoleSessionName": ROLE_SESSION_NAME}
        if account.external_id is not None:
            extra["ExternalId"] = account.external_id

        def make_client(service: str, **keys: str) -> "STSClient":
            return home.client(  # type: ignore[call-overload,no-any-return]
                service,
                region_name=account.regions[0],
                endpoint_url=self._config.endpoint_url,
                config=_QUICK,
                **keys,
            )

        fetcher = AssumeRoleCredentialFetcher(make_client, source, role_arn, extra_args=extra)
        session = botocore.session.Session()
        session.register_component("data_loader", self._models)
        session.register_component("credential_provider", CredentialResolver([_Assumed(fetcher)]))
        return boto3.Session(botocore_session=session)


class _Assumed(CredentialProvider):
    """Credentials of a role, fetched when first needed and again before they expire."""

    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetcher.fetch_credentials, self.METHOD)
