"""Whether Kopf may look around in the cluster for kinds, and for namespaces if it serves some, that come and go.

An operator that serves some namespaces with nothing but Roles in them may list neither CRDs nor namespaces. Kopf would fall
back to the names that it was given, but only after the last pause between its tries, and ours have no end, because a watch
that gives up is never started again: it would never watch at all. So the API server is asked beforehand.
"""

import asyncio

from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
CRDS, NAMESPACES = ("apiextensions.k8s.io", "customresourcedefinitions"), ("", "namespaces")
VERBS = ("list", "watch")


async def may_scan(kube: KubeClient, *, namespaced: bool) -> bool:
    """Whether Kopf may list and watch what it looks for; yes when nobody answers, because then it has to wait too."""
    kinds = (CRDS, NAMESPACES) if namespaced else (CRDS,)
    reviews = [_review(group, resource, verb) for group, resource in kinds for verb in VERBS]
    try:
        answers = await asyncio.gather(*(kube.create_raw(REVIEWS, review) for review in reviews))
    except KubeError:
        return True
    return all(answer["status"]["allowed"] for answer in answers)


def _review(group: str, resource: str, verb: str) -> Body:
    attributes = {"group": group, "resource": resource, "verb": verb}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
