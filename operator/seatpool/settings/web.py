"""Defines the settings of `seatpool web`, which answers over HTTP what the cluster's objects say."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seatpool.api.apikey import VALID_FOR, KeyScope
from seatpool.api.base import Duration

_HEADER = r"^([A-Za-z0-9-]{1,64})?$"


class ProxySettings(BaseModel):
    """Settings of an identity proxy that tells by header fields who a caller is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_header: str = Field(
        default="",
        pattern=_HEADER,
        description="Header field with the caller's name, such as X-Forwarded-User. Empty: header fields name no caller.",
    )
    groups_header: str = Field(
        default="",
        pattern=_HEADER,
        description="Header field with the caller's groups, separated by commas. Those that begin with `system:` are left out.",
    )
    trusted: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="Addresses of the proxy, as networks such as 10.1.2.0/28. From others these header fields mean nothing.",
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        if bool(self.user_header) != bool(self.trusted):
            raise ValueError(
                "user_header and trusted go together: name the header field and the addresses of the proxy, or none of them"
            )
        if self.groups_header and not self.user_header:
            raise ValueError("groups_header needs user_header: name the header field with the caller's name too")
        return self


class PagesSettings(BaseModel):
    """Settings of the pages for a browser."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=True, description="Serve pages beside the API. A reader signs in with a token, or through a proxy."
    )


class KeySettings(BaseModel):
    """Settings of the keys that users and services ask for (APIKey)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=False,
        description="Issue and accept keys. Only where an admission policy keeps users to APIKeys of their own.",
    )
    approve: tuple[KeyScope, ...] = Field(
        default=(KeyScope.OWN,),
        description="Scopes whose keys need no approval by an admin: Own, Pool, List.",
    )
    longest: Annotated[Duration, Field(ge=VALID_FOR.shortest, le=VALID_FOR.longest)] = Field(
        default=timedelta(days=90), description="How long a key may be valid."
    )
    most_per_user: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=10, description="Most keys of one user that have not ended."
    )


class WebSettings(BaseModel):
    """Settings of the HTTP API. There is none that switches the checks of its callers off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="", description="Address that the API listens on. Empty: all, of IPv6 and of IPv4.")
    port: int = Field(
        default=8081,
        ge=0,
        le=65535,
        description="Port of the API; 0 takes a free one. Probes and metrics are on http.port.",
    )
    audience: str = Field(
        default="seatpool",
        pattern=r"^[!-~]{1,253}$",
        description="Audience that a caller's token must be for. Tokens for the Kubernetes API itself have another one.",
    )
    user_prefix: str = Field(
        default="",
        pattern=r"^[!-~]{0,64}$",
        description="What the API server puts before the name of a user, such as `oidc:`. It is no part of the user id.",
    )
    tls_cert_file: Path | None = Field(
        default=None,
        description="Certificate chain in PEM. With it the API is served by HTTPS; read again when it changes.",
    )
    tls_key_file: Path | None = Field(default=None, description="Its private key in PEM.")
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=600, description="Most requests of one caller in a minute."
    )
    refused_tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=120,
        description="Most tokens from one address in a minute that the API server may refuse. Then it is asked about no more.",
    )
    streams: Annotated[int, Field(ge=1, le=10_000)] = Field(default=500, description="Most event streams at a time.")
    streams_per_caller: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=8, description="Most event streams of one caller at a time."
    )
    pages: PagesSettings = PagesSettings()
    proxy: ProxySettings = ProxySettings()
    keys: KeySettings = Field(default=KeySettings(), description="Keys beside tokens of Kubernetes.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_cert_file and tls_key_file go together: name both, or none of them")
        return self
