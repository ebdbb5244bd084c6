"""What a pod can tell of itself: by the downward API, and by what Kubernetes mounts into every pod."""

import os
import socket
from pathlib import Path

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def own_name() -> str:
    """The pod's name (`POD_NAME`), elsewhere the host's."""
    return os.environ.get("POD_NAME") or socket.gethostname()


def own_namespace() -> str | None:
    """The pod's namespace (`POD_NAMESPACE`, or its service account's); None outside a cluster."""
    named = os.environ.get("POD_NAMESPACE")
    if named:
        return named
    try:
        return NAMESPACE_FILE.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
