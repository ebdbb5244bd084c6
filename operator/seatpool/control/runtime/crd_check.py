"""Whether the CRDs in the cluster know every field that this version writes.

The API server drops fields that a schema does not know, without a word. An operator that is newer than its CRDs would lose a
revision or a grant and report that all is well, so it says `CRDOutdated` instead and does not become ready.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from seatpool.api.base import GROUP, VERSION, Resource
from seatpool.api.crd import crd
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Forbidden, NotFound

CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


async def outdated(kube: KubeClient, kinds: Sequence[type[Resource]]) -> str | None:
    """What is wrong with the CRDs and what to do, or None. Raises what else the API server answers: KubeError."""
    for kind in kinds:
        name = f"{kind.plural}.{GROUP}"
        try:
            served = await kube.get_raw(f"{CRD_PATH}/{name}")
        except NotFound:
            return f"CRD {name} is missing; apply crds/"
        except Forbidden:
            return None  # a namespaced installation may not read CRDs; then nobody can tell
        schemas = {version["name"]: version for version in served["spec"]["versions"] if version["served"]}
        if VERSION not in schemas:
            return f"CRD {name} does not serve {VERSION}; apply crds/"
        ours = crd(kind, described=False)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        lacking = sorted(_lacking(ours, schemas[VERSION]["schema"]["openAPIV3Schema"]))
        if lacking:
            return f"CRDOutdated: CRD {name} does not know {', '.join(lacking[:5])}; apply crds/ of this version"
    return None


def _lacking(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str = "") -> list[str]:
    """Paths of properties that ours has and theirs has not."""
    found: list[str] = []
    for name, schema in ours.get("properties", {}).items():
        other = theirs.get("properties", {}).get(name)
        if other is None:
            if theirs.get("x-kubernetes-preserve-unknown-fields") is not True:
                found.append(f"{path}{name}")
        else:
            found += _lacking(schema, other, f"{path}{name}.")
    if "items" in ours and "items" in theirs:
        found += _lacking(ours["items"], theirs["items"], f"{path.rstrip('.')}[].")
    return found
