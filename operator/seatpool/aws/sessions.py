"""Makes boto3 sessions: one for the pod's identity, and one for each assumed role. Role credentials renew themselves.

boto3 sessions and clients may be shared between threads, but making them is not thread-safe. The owner of `Sessions`
makes clients under one lock and keeps them, as `clients.ClientCache` does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from types_boto3_sts import STSClient

SessionFactory = Callable[[], boto3.Session]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role to assume, and the region of the STS endpoint that is asked."""

    arn: str
    external_id: str | None
    region: str


class Sessions:
    """Keeps one session for each identity. Not thread-safe: the caller holds a lock."""

    def __init__(
        self, *, factory: SessionFactory, endpoint_url: str | None, config: Config, role_session_name: str
    ) -> None:
        self._factory = factory
        self._endpoint_url = endpoint_url
        self._config = config
        self._role_session_name = role_session_name
        self._home: boto3.Session | None = None
        self._assumed: dict[tuple[str, str | None], boto3.Session] = {}
        self._models = Loader()  # shared: each session would load its own megabyte of EC2

    def home(self) -> boto3.Session:
        """Returns the session of the process's own identity."""
        if self._home is None:
            self._home = self._factory()
        return self._home

    def of(self, role: Role | None) -> boto3.Session:
        """Returns the session of a role. None: the process's own identity."""
        if role is None:
            return self.home()
        key = (role.arn, role.external_id)
        if key not in self._assumed:
            self._assumed[key] = self._assume(role)
        return self._assumed[key]

    def _assume(self, role: Role) -> boto3.Session:
        home = self.home()
        source = home.get_credentials()
        if source is None:
            raise NoCredentialsError
        extra = {"RoleSessionName": self._role_session_name}
        if role.external_id is not None:
            extra["ExternalId"] = role.external_id

        def make_client(service: str, **keys: str) -> "STSClient":
            return home.client(  # type: ignore[call-overload,no-any-return]
                service, region_name=role.region, endpoint_url=self._endpoint_url, config=self._config, **keys
            )

        fetcher = AssumeRoleCredentialFetcher(make_client, source, role.arn, extra_args=extra)
        session = botocore.session.Session()
        session.register_component("data_loader", self._models)
        session.register_component("credential_provider", CredentialResolver([_Assumed(fetcher)]))
        return boto3.Session(botocore_session=session)


class _Assumed(CredentialProvider):
    """Fetches credentials of a role when they are first needed, and again before they expire."""

    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        """Returns credentials that call STS when they are first read."""
        return DeferredRefreshableCredentials(self._fetcher.fetch_credentials, self.METHOD)
