"""Creates unmodified boto3 clients for one account of an AWS stand-in."""

import functools
import threading
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader

__all__ = ["ACCOUNT", "AwsAccess"]

ACCOUNT = "123456789012"
"""Account of every access key that AssumeRole did not give out."""


class AwsAccess:
    """Clients of an account in a region, each created once. Other accounts are reached through AssumeRole."""

    def __init__(self, endpoint: str, *, region: str, account: str = ACCOUNT) -> None:
        self.endpoint = endpoint
        self.region = region
        self.account = account
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._keys: dict[str, str] | None = None

    def session(self) -> boto3.Session:
        """Returns a new session with the account's credentials, for code that creates its own clients."""
        return self._session(self._credentials())

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session().client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]
            return self._clients[service]

    def _credentials(self) -> dict[str, str]:
        if self._keys is None:
            self._keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
            if self.account != ACCOUNT:
                sts = self._session(self._keys).client("sts", endpoint_url=self.endpoint)
                role = f"arn:aws:iam::{self.account}:role/fleet"
                given = sts.assume_role(RoleArn=role, RoleSessionName="fleet")["Credentials"]
                self._keys = {
                    "aws_access_key_id": given["AccessKeyId"],
                    "aws_secret_access_key": given["SecretAccessKey"],
                    "aws_session_token": given["SessionToken"],
                }
        return self._keys

    def _session(self, keys: dict[str, str]) -> boto3.Session:
        core = botocore.session.Session()
        core.register_component("data_loader", _models())
        core.set_credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"], keys.get("aws_session_token"))
        return boto3.Session(region_name=self.region, botocore_session=core)


@functools.cache
def _models() -> Loader:
    """Loads boto3's models once in a process, because those of EC2 take longer than a hundred calls."""
    return Loader()
