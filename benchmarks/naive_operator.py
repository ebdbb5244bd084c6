"""What one writes after reading Kopf's tutorial: change handlers that put a status on each object.

`python -m benchmarks.naive_operator KUBECONFIG NAMESPACE OBJECTS` prints a line when it has handled so many objects
that are new to it, and goes on.
"""

import json
import sys
import time
from typing import Any

import kopf
from kubernetes import config

GROUP, VERSION, PLURAL = "seatpool.io", "v1alpha1", "workbenches"
KUBECONFIG, NAMESPACE, OBJECTS = sys.argv[1], sys.argv[2], int(sys.argv[3])
handled: set[str] = set()


@kopf.on.startup()
def quieten(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.enabled = False


@kopf.on.login()
def login(**arguments: Any) -> Any:
    config.load_kube_config(config_file=KUBECONFIG)
    return kopf.login_via_client(**arguments)


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
