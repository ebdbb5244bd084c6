"""The mirror's boto3 clients: SQS, EC2 and STS, with timeouts and retries by purpose."""

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from seatpool.aws.clients import ClientCache
from seatpool.aws.sessions import Role, SessionFactory
from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.regions import ServedRegion

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_sqs import SQSClient
    from types_boto3_sts import STSClient

THREADS = 8
LONGEST_POLL = 20.0
ROLE_SESSION_NAME = "seatpool-mirror"


class Purpose(Enum):
    """Purposes of clients. Each has its own timeouts and retries."""

    QUEUE = auto()
    POLL = auto()
    DESCRIBE = auto()
    """A message waits for the answer, so it is short."""
    INVENTORY = auto()
    SEAT_TAGS = auto()
    """Its own client, so that throttled tag calls do not slow down the inventory."""


class AwsClients(ClientCache):
    """Every AWS client of one mirror."""

    def __init__(self, config: MirrorConfig, session_factory: SessionFactory = boto3.Session) -> None:
        timeout = config.aws_timeout.total_seconds()
        self._configs = {purpose: _config(purpose, timeout) for purpose in Purpose}
        super().__init__(
            session_factory=session_factory,
            endpoint_url=config.endpoint_url,
            role_session_name=ROLE_SESSION_NAME,
            sts_config=self._configs[Purpose.INVENTORY],
            threads=THREADS,
            thread_name="mirror-aws",
        )

    def sqs(self, *, region: str | None, purpose: Purpose) -> "SQSClient":
        """Returns the client of a region's queues. None: the region of the pod."""
        client: SQSClient = self.client("sqs", region=region, config=self._configs[purpose])
        return client

    def ec2(self, served: ServedRegion, purpose: Purpose) -> "EC2Client":
        """Returns the client for the instances of a region."""
        client: EC2Client = self.client(
            "ec2", region=served.key.region, config=self._configs[purpose], role=_role(served.settings)
        )
        return client

    def ecs(self, served: ServedRegion, purpose: Purpose) -> Any:
        """Returns the client for the tasks of a region."""
        return self.client("ecs", region=served.key.region, config=self._configs[purpose], role=_role(served.settings))

    def account_number(self, served: ServedRegion) -> str:
        """Asks STS which account the credentials of a region belong to."""
        settings = served.settings
        sts: STSClient = self.client(
            "sts",
            region=settings.regions[0],
            config=self._configs[Purpose.INVENTORY],
            role=_role(settings),
            cached=False,
        )
        return sts.get_caller_identity()["Account"]


def _config(purpose: Purpose, timeout: float) -> Config:
    if purpose is Purpose.POLL:
        once = {"mode": "standard", "max_attempts": 1}
        return Config(connect_timeout=5, read_timeout=LONGEST_POLL + timeout, retries=once, max_pool_connections=34)  # type: ignore[arg-type]
    if purpose is Purpose.DESCRIBE:
        twice = {"mode": "standard", "max_attempts": 2}
        return Config(connect_timeout=2, read_timeout=min(5, timeout), retries=twice)  # type: ignore[arg-type]
    attempts = 2 if purpose in (Purpose.INVENTORY, Purpose.SEAT_TAGS) else 4
    adaptive = {"mode": "adaptive", "max_attempts": attempts}
    return Config(connect_timeout=5, read_timeout=timeout, retries=adaptive)  # type: ignore[arg-type]


def _role(account: AccountConfig) -> Role | None:
    if account.role_arn is None:
        return None
    return Role(arn=account.role_arn, external_id=account.external_id, region=account.regions[0])
