"""From a command's options to the cluster: whatever kubeconfig kubectl would take, and its namespace."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubernetes.aio.config import ConfigException, list_kube_config_contexts

from seatpool.api.identity import IdentitySettings
from seatpool.domain.errors import SeatpoolError
from seatpool.kube.client import KubeClient
from seatpool.text import TimeFormat

_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Asked:
    """What every command is told."""

    kubeconfig: Path | None
    namespace: str | None
    everywhere: bool
    config: Path | None
    """The operator's settings file; of interest is how owners become user ids."""


@dataclass(frozen=True, slots=True)
class Access:
    """The cluster, and where and when it is asked."""

    kube: KubeClient
    namespace: str | None
    """None means all."""
    identity: IdentitySettings

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def times(self) -> TimeFormat:
        zone = datetime.now().astimezone().tzinfo
        assert zone is not None  # noqa: S101
        return TimeFormat(zone=zone, now=self.now)


@asynccontextmanager
async def access(asked: Asked) -> AsyncIterator[Access]:
    """A connection for one command."""
    identity = _identity(asked.config)
    try:
        kube = await KubeClient.connect(kubeconfig=str(asked.kubeconfig) if asked.kubeconfig else None)
        namespace = None if asked.everywhere else asked.namespace or _namespace(asked.kubeconfig)
    except (ConfigException, OSError) as error:
        raise SeatpoolError(f"no way to the Kubernetes API: {error}; name a file with --kubeconfig") from error
    try:
        yield Access(kube=kube, namespace=namespace, identity=identity)
    finally:
        await kube.close()


def _namespace(kubeconfig: Path | None) -> str:
    """The one that kubectl would take."""
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ and _POD_NAMESPACE.is_file():
        return _POD_NAMESPACE.read_text().strip()
    _, active = list_kube_config_contexts(str(kubeconfig) if kubeconfig else None)
    context: dict[str, Any] = (active or {}).get("context", {})
    return str(context.get("namespace") or "default")


def _identity(config: Path | None) -> IdentitySettings:
    if config is None and not any(name.startswith("SEATPOOL_IDENTITY") for name in os.environ):
        return IdentitySettings()
    from seatpool.settings.settings import load_settings

    return load_settings(file=config).identity
