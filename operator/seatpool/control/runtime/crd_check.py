"""Checks that the CRDs in the cluster have every field that this version writes.

The API server silently drops fields that a schema does not have. An operator that is newer than its CRDs would lose a revision
or a grant without noticing. So it reports `CRDOutdated` and does not become ready.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from seatpool.api.base import GROUP, VERSION, Resource
from seatpool.api.crd import crd
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Forbidden, NotFound

CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


async def find_problem(kube: KubeClient, kinds: Sequence[type[Resource]]) -> str | None:
    """Returns what is wrong with the CRDs and what to do. None: nothing, or this process may not read them.

    Raises KubeError.
    """
    for kind in kinds:
        try:
            problem = await problem_of(kube, kind)
        except Forbidden:
            return None  # a namespaced installation may not read CRDs
        if problem is not None:
            return problem
    return None


async def problem_of(kube: KubeClient, kind: type[Resource]) -> str | None:
    """Returns what is wrong with the CRD of one kind. None: nothing. Raises KubeError, of it Forbidden."""
    name = f"{kind.plural}.{GROUP}"
    try:
        served = await kube.get_raw(f"{CRD_PATH}/{name}")
    except NotFound:
        return f"CRD {name} is missing; apply crds/"
    schemas = {version["name"]: version for version in served["spec"]["versions"] if version["served"]}
    if VERSION not in schemas:
        return f"CRD {name} does not serve {VERSION}; apply crds/"
    ours = crd(kind, described=False)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    missing = sorted(_missing(ours, schemas[VERSION]["schema"]["openAPIV3Schema"]))
    if missing:
        return f"CRDOutdated: CRD {name} does not know {', '.join(missing[:5])}; apply crds/ of this version"
    return None


def _missing(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str = "") -> list[str]:
    """Returns the paths of properties that `ours` has and `theirs` has not."""
    found: list[str] = []
    for name, schema in ours.get("properties", {}).items():
        other = theirs.get("properties", {}).get(name)
        if other is None:
            if theirs.get("x-kubernetes-preserve-unknown-fields") is not True:
                found.append(f"{path}{name}")
        else:
            found += _missing(schema, other, f"{path}{name}.")
    if "items" in ours and "items" in theirs:
        found += _missing(ours["items"], theirs["items"], f"{path.rstrip('.')}[].")
    return found
