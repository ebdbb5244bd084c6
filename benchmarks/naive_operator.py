"""Runs the operator of Kopf's tutorial: change handlers that write a status to each object.

`python -m benchmarks.naive_operator KUBECONFIG NAMESPACE OBJECTS` prints a line when it has handled so many objects
that are new to it, and goes on.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import kopf

GROUP, VERSION, PLURAL = "seatpool.io", "v1alpha1", "workbenches"
KUBECONFIG, NAMESPACE, OBJECTS = sys.argv[1], sys.argv[2], int(sys.argv[3])
handled: set[str] = set()


@kopf.on.startup()
def quieten(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.enabled = False


@kopf.on.login()
def login(**_: Any) -> kopf.ConnectionInfo:
    config = json.loads(Path(KUBECONFIG).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    return kopf.ConnectionInfo(
        server=cluster["server"], ca_data=cluster["certificate-authority-data"], token=user["token"]
    )


@kopf.on.create(GROUP, VERSION, PLURAL)
@kopf.on.update(GROUP, VERSION, PLURAL, field="spec")
@kopf.on.resume(GROUP, VERSION, PLURAL)
async def look_at(name: str, meta: Any, patch: Any, **_: Any) -> None:
    patch.status["observedGeneration"] = meta["generation"]
    handled.add(name)
    if len(handled) == OBJECTS:
        print(json.dumps({"handled": OBJECTS, "at": time.monotonic()}), flush=True)


@kopf.on.delete(GROUP, VERSION, PLURAL)
async def forget(name: str, **_: Any) -> None:
    handled.discard(name)


def main() -> None:
    kopf.run(standalone=True, namespaces=[NAMESPACE])


if __name__ == "__main__":
    main()
