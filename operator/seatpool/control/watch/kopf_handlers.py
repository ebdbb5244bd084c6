"""Kopf's part: discovery, watch streams, credentials and shutdown, and nothing else.

Only `on.event` is used: it writes no annotation and no finalizer on anybody's objects. Kopf drops the errors of such handlers,
so a handler does one thing that cannot fail half-way: it hands the object over.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import kopf

from seatpool.api.base import GROUP, VERSION, Resource
from seatpool.cache.store import Raw
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError

LONGEST_PAUSE = 20.0
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
CRDS, NAMESPACES = ("apiextensions.k8s.io", "customresourcedefinitions"), ("", "namespaces")
VERBS = ("list", "watch")
Seen = Callable[[type[Resource], str, Raw], None]
"""Called with a kind, the type of the watch event (ADDED, MODIFIED, DELETED, or empty in a first list), and the object."""


def make_registry(kinds: Sequence[type[Resource]], seen: Seen, kube: KubeClient) -> kopf.OperatorRegistry:
    """The handlers of one operator; nothing is registered globally, so that two can live in a process."""
    registry = kopf.OperatorRegistry()
    for kind in kinds:
        _watch(registry, kind, seen)

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_info(kube)

    return registry


class Patience:
    """Pauses between Kopf's tries of one request, without an end: a watch that gives up is never started again."""

    def __iter__(self) -> Iterator[float]:
        yield from (1, 1, 2, 3, 5, 8, 13)
        while True:
            yield LONGEST_PAUSE


class Forgetful(kopf.DiffBaseStorage):
    """Keeps nothing of what an object was before, which only change handlers ask for, and there are none.

    Kopf's own storages copy each object to its last leaf for each event: half of what Kopf does for 10,000 objects.
    """

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:
        del body, extra_fields
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> None:
        del body

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        del body, patch, essence


def make_settings(*, scanning: bool) -> kopf.OperatorSettings:
    """Kopf's settings. `worker_limit` stays unset: with it the start of 10,000 objects takes several times as long."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = not scanning
    settings.watching.client_timeout = 600
    settings.watching.connect_timeout = 30
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = Patience()
    settings.queueing.idle_timeout = 0.1
    settings.execution.max_workers = 1
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.diffbase_storage = Forgetful()
    return settings


async def run_kopf(
    registry: kopf.OperatorRegistry,
    *,
    namespaces: Sequence[str],
    scanning: bool,
    stop: asyncio.Event,
    ready: asyncio.Event,
) -> None:
    """Watch until `stop` is set; with `scanning` also kinds and namespaces that come while it runs."""
    await kopf.operator(
        registry=registry,
        settings=make_settings(scanning=scanning),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
        ready_flag=ready,
    )


async def connection_info(kube: KubeClient) -> kopf.ConnectionInfo:
    """The same way to the API server that our own client takes, so that the pod needs no cluster DNS."""
    access = await kube.access()
    return kopf.ConnectionInfo(
        server=access.server,
        ca_path=access.ca_file,
        insecure=not access.verify,
        token=access.token,
        scheme=access.scheme,
        certificate_path=access.certificate_file,
        private_key_path=access.key_file,
    )


def _watch(registry: kopf.OperatorRegistry, kind: type[Resource], seen: Seen) -> None:
    @kopf.on.event(GROUP, VERSION, kind.plural, registry=registry, id=f"seen-{kind.singular}")
    async def hand_over(event: Any, **_: Any) -> None:
        seen(kind, event["type"] or "", event["object"])


async def may_scan(kube: KubeClient, *, namespaced: bool) -> bool:
    """Whether Kopf may look around in the cluster for kinds, and for namespaces if it serves some, that come and go.

    An operator that serves some namespaces with Roles in them only may list neither CRDs nor namespaces. Kopf would fall back
    to the names that it was given, but only after the last pause between its tries. Ours have no end, because a watch that gives
    up is never started again: it would never watch at all. So the API server is asked beforehand. If it does not answer, the
    result is true: then Kopf has to wait too.
    """
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
