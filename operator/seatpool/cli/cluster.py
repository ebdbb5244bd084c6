"""Connects a command to the cluster, by the kubeconfig and the namespace that kubectl would use."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kubernetes.aio.config import ConfigException, list_kube_config_contexts

from seatpool.api.identity import IdentitySettings
from seatpool.api.licenseserver import LicenseServer
from seatpool.clock import utc_now
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.operator_life import OperatorLife, Reading, leases_of, operator_lives
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Forbidden, KubeError
from seatpool.kube.leases import LeaseObject
from seatpool.kube.pod import service_account_namespace
from seatpool.text import TimeFormat


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """Options that every command has."""

    kubeconfig: Path | None
    namespace: str | None
    everywhere: bool
    config: Path | None
    """Settings file of the operator. Only the section `identity` is used."""


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Connection of one command to the cluster."""

    kube: KubeClient
    namespace: str | None
    """None: all namespaces."""
    identity: IdentitySettings

    @property
    def now(self) -> datetime:
        return utc_now()

    @property
    def times(self) -> TimeFormat:
        zone = datetime.now().astimezone().tzinfo
        assert zone is not None  # noqa: S101
        return TimeFormat(zone=zone, now=self.now)


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
        return f"you may not get Lease {own} in namespace {namespace}; the role seatpool-viewer there permits it"
    except KubeError as error:
        return str(error)


@asynccontextmanager
async def connect(options: CommandOptions) -> AsyncIterator[ClusterAccess]:
    """Opens a connection for one command. Raises SeatpoolError if there is no way to the API server."""
    identity = _identity(options.config)
    try:
        kube = await KubeClient.connect(kubeconfig=str(options.kubeconfig) if options.kubeconfig else None)
        namespace = None if options.everywhere else options.namespace or _namespace(options.kubeconfig)
    except (ConfigException, OSError) as error:
        raise SeatpoolError(f"no way to the Kubernetes API: {error}; name a file with --kubeconfig") from error
    try:
        yield ClusterAccess(kube=kube, namespace=namespace, identity=identity)
    finally:
        await kube.close()


def _namespace(kubeconfig: Path | None) -> str:
    """Returns the namespace that kubectl would use."""
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
        mounted = service_account_namespace()
        if mounted is not None:
            return mounted
    _, active = list_kube_config_contexts(str(kubeconfig) if kubeconfig else None)
    context: dict[str, Any] = (active or {}).get("context", {})
    return str(context.get("namespace") or "default")


def _identity(config: Path | None) -> IdentitySettings:
    if config is None and not any(name.startswith("SEATPOOL_IDENTITY") for name in os.environ):
        return IdentitySettings()
    from seatpool.settings.settings import load_settings

    return load_settings(file=config).identity
