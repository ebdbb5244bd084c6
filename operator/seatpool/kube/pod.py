"""Reads the name and namespace of the own pod: from the downward API, and from the files of its service account."""

import os
import socket
from pathlib import Path

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def own_name() -> str:
    """Returns the name of the pod (`POD_NAME`). Outside a pod it is the host's name."""
    return os.environ.get("POD_NAME") or socket.gethostname()


def own_namespace() -> str | None:
    """Returns the namespace of the pod: `POD_NAMESPACE`, or that of its service account. None: not in a cluster."""
    return os.environ.get("POD_NAMESPACE") or service_account_namespace()


def service_account_namespace() -> str | None:
    """Returns the namespace that Kubernetes mounts into every pod. None: not in a cluster."""
    try:
        return NAMESPACE_FILE.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
