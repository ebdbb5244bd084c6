"""Runs `seatpool export`: prints the objects of Seatpool so that `kubectl apply` makes them again, also elsewhere.

What a cluster gave them is left out: uid, versions, owner references, status. In another cluster an owner reference names
an object that is not there, and Kubernetes then deletes the SeatLedger. Annotations that decided something are left out
too: they were meant for that moment.
"""

from typing import TYPE_CHECKING, Any

import typer

from seatpool.api.annotations import APPROVE_CHANGE, OVERWRITE_UNREADABLE, TAKE_OVER, VERIFY
from seatpool.api.base import API_VERSION, Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.cli.cluster import CommandOptions, connect
from seatpool.terminal.say import json_text

if TYPE_CHECKING:
    from seatpool.kube.client import Body

ORDER: tuple[type[Resource], ...] = (LicenseServer, SeatLedger, Workbench, LicensePool)
"""Pools come last: what they are decided by is there before them."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOT_KEPT = frozenset({APPROVE_CHANGE, OVERWRITE_UNREADABLE, TAKE_OVER, VERIFY, LAST_APPLIED})


async def print_export(options: CommandOptions) -> bool:
    """Prints a List of all objects in JSON, one a line.

    In YAML two readers may understand a user id such as 1e3 differently.
    """
    items: list[str] = []
    async with connect(options) as cluster:
        for kind in ORDER:
            listed, _ = await cluster.kube.list_all(kind, namespace=cluster.namespace)
            items += (json_text(portable(kind, raw), indent=None) for raw in sorted(listed, key=_age))
    typer.echo('{"apiVersion": "v1", "kind": "List", "items": [\n' + ",\n".join(items) + "\n]}")
    return True


def portable(kind: type[Resource], raw: "Body") -> dict[str, Any]:
    """Returns an object without what only its own cluster can give it."""
    metadata = raw["metadata"]
    kept: dict[str, Any] = {"name": metadata["name"], "namespace": metadata["namespace"]}
    if labels := metadata.get("labels"):
        kept["labels"] = labels
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key not in _NOT_KEPT}
    if annotations:
        kept["annotations"] = annotations
    return {"apiVersion": API_VERSION, "kind": kind.kind, "metadata": kept, "spec": raw["spec"]}


def _age(raw: "Body") -> tuple[str, str, str]:
    """Sorts the oldest first: of two pools of one product the older one counts."""
    metadata = raw["metadata"]
    return metadata.get("creationTimestamp", ""), metadata["namespace"], metadata["name"]
