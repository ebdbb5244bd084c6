"""Connects a command to the cluster, by the kubeconfig and the namespace that kubectl would use."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from seatpool.api.base import parse_duration
from seatpool.api.identity import IdentitySettings
from seatpool.api.licenseserver import LicenseServer
from seatpool.cli.failures import sentence
from seatpool.clock import utc_now
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.operator_life import OperatorLife, Reading, leases_of, operator_lives
from seatpool.kube.client import Impersonation, KubeClient, connect_as_kubectl, namespace_of
from seatpool.kube.errors import Forbidden, KubeError
from seatpool.kube.kubeconfig import KubeconfigChoice
from seatpool.kube.leases import LeaseObject
from seatpool.terminal.progress import progress
from seatpool.text import TimeFormat

LONGEST_REQUEST = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOptions:
    """Options that every command has, as `cluster_options` declares them."""

    kubeconfig: Path | None = None
    namespace: str | None = None
    everywhere: bool = False
    config: Path | None = None
    """Settings file of the operator. Only the section `identity` is used."""
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    impersonate: str | None = None
    groups: tuple[str, ...] = ()
    timeout: float | None = LONGEST_REQUEST
    """Seconds that a request may take. None: no limit."""
    zone: tzinfo | None = None
    """Zone of the times that are shown. None: that of the machine."""
    server: str | None = None
    """Address of the HTTP API, which is asked instead. None: the cluster is asked."""
    server_ca: Path | None = None
    """CAs of its certificate. None: those of the machine."""
    token_file: Path | None = None
    """File with the token for it. None: the environment, or the kubeconfig's user, has one."""

    @classmethod
    def read(
        cls,
        *,
        groups: Sequence[str] | None = None,
        request_timeout: str = "30s",
        time_zone: str | None = None,
        **others: Any,
    ) -> Self:
        """Returns the options. Raises SeatpoolError that names the wrong one."""
        known = {name: value for name, value in others.items() if value is not None}
        return cls(groups=tuple(groups or ()), timeout=_timeout(request_timeout), zone=read_zone(time_zone), **known)

    @property
    def choice(self) -> KubeconfigChoice:
        """Returns what is taken from the kubeconfig."""
        return KubeconfigChoice(
            file=None if self.kubeconfig is None else str(self.kubeconfig),
            context=self.context,
            cluster=self.cluster,
            user=self.user,
        )


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Connection of one command to the cluster."""

    kube: KubeClient
    namespace: str | None
    """None: all namespaces."""
    identity: IdentitySettings
    zone: tzinfo | None = None
    """None: that of the machine."""

    @property
    def now(self) -> datetime:
        return utc_now()

    @property
    def times(self) -> TimeFormat:
        zone = self.zone or datetime.now().astimezone().tzinfo
        assert zone is not None  # noqa: S101
        return TimeFormat(zone=zone, now=self.now)


def read_zone(name: str | None) -> tzinfo | None:
    """Returns the time zone of that name. None: none was named. Raises SeatpoolError."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise SeatpoolError(f"--time-zone {name}: no such time zone; write for example Europe/Berlin or UTC") from error


def _timeout(text: str) -> float | None:
    try:
        seconds = float(text) if text.isascii() and text.isdigit() else parse_duration(text).total_seconds()
    except ValueError as error:
        raise SeatpoolError(f"--request-timeout: {error}, or 0 for no limit") from error
    return seconds or None


async def read_lives(cluster: ClusterAccess, servers: Iterable[LicenseServer]) -> tuple[OperatorLife, ...]:
    """Reads whether the operators of these servers are alive. A right that is missing is told, and stops nothing."""
    known = tuple(servers)
    names = leases_of(known)
    read = await asyncio.gather(*(_read_lease(cluster.kube, name) for name in names))
    return operator_lives(known, dict(zip(names, read, strict=True)), identity=cluster.identity, times=cluster.times)


async def _read_lease(kube: KubeClient, name: str) -> Reading:
    namespace, _, own = name.partition("/")
    try:
        return await LeaseObject(kube=kube, namespace=namespace, name=own).read()
    except Forbidden:
        return f"you may not get Lease {own} in namespace {namespace}; the role seatpool-alive there permits it"
    except KubeError as error:
        return sentence(error)


@asynccontextmanager
async def connect(options: CommandOptions) -> AsyncIterator[ClusterAccess]:
    """Opens a connection for one command. Raises SeatpoolError if there is no way to the API server."""
    identity = _identity(options.config)
    if options.impersonate is None and options.groups:
        raise SeatpoolError("--as-group needs --as: name the user too")
    who = Impersonation(options.impersonate, options.groups) if options.impersonate is not None else None
    kube = await connect_as_kubectl(options.choice, impersonate=who, timeout=options.timeout)
    try:
        yield ClusterAccess(
            kube=kube,
            namespace=None if options.everywhere else options.namespace or namespace_of(options.choice),
            identity=identity,
            zone=options.zone,
        )
    finally:
        await kube.close()


async def credentials_of(options: CommandOptions) -> str:
    """Returns the token of the kubeconfig's user, or of the pod's service account. Runs a credential plugin.

    Raises SeatpoolError if there is none.
    """
    kube = await connect_as_kubectl(options.choice, timeout=options.timeout)
    try:
        access = await kube.access()
    finally:
        await kube.close()
    if access.token is None or (access.scheme or "").lower() != "bearer":
        raise SeatpoolError(
            "the kubeconfig's user has no token, but for example a certificate: give the HTTP API's with --token-file or "
            "SEATPOOL_TOKEN; kubectl create token NAME --audience seatpool makes one"
        )
    return access.token


@asynccontextmanager
async def reading_cluster(options: CommandOptions) -> AsyncIterator[ClusterAccess]:
    """Opens a connection for a command that only reads, and shows progress. Print after the block. Raises SeatpoolError."""
    with progress("Reading the cluster"):
        async with connect(options) as cluster:
            yield cluster


def _identity(config: Path | None) -> IdentitySettings:
    if config is None and not any(name.startswith("SEATPOOL_IDENTITY") for name in os.environ):
        return IdentitySettings()
    from seatpool.settings.settings import load_settings

    return load_settings(file=config).identity
