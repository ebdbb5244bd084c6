"""Uses Kopf for discovery, watch streams, credentials and shutdown, and for nothing else.

Only `on.event` is used: it writes no annotation and no finalizer on users' objects. Kopf drops the errors of such handlers. So
a handler does one thing that cannot fail half-way: it passes the object on.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import kopf

from seatpool.api.base import GROUP, VERSION, Resource
from seatpool.cache.store import Raw
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError
from seatpool.mirror.kubernetes.rule import KubernetesRule

MAX_BACKOFF = 20.0
"""Seconds between two tries of a request of Kopf."""
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
CRDS, NAMESPACES = ("apiextensions.k8s.io", "customresourcedefinitions"), ("", "namespaces")
VERBS = ("list", "watch")
OnObject = Callable[[str, str, Raw], None]
"""Receives the name of a rule, the type of the watch event, and the object."""
OnEvent = Callable[[type[Resource], str, Raw], None]
"""Receives a kind, the type of the watch event (ADDED, MODIFIED, DELETED; empty in a first list), and the object."""


def make_registry(
    kinds: Sequence[type[Resource]],
    on_event: OnEvent,
    kube: KubeClient,
    *,
    rules: Sequence[KubernetesRule] = (),
    on_object: OnObject = lambda _rule, _event, _raw: None,
) -> kopf.OperatorRegistry:
    """Returns the handlers of one operator. None is registered globally, so two operators can run in a process.

    `rules` name other kinds, whose objects go to `on_object`.
    """
    registry = kopf.OperatorRegistry()
    for kind in kinds:
        _register(registry, kind, on_event)
    for rule in rules:
        _register_rule(registry, rule, on_object)

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_info(kube)

    return registry


class EndlessBackoff:
    """Yields the pauses between Kopf's tries of one request, in seconds.

    They never end, because Kopf never restarts a watch that gave up.
    """

    def __iter__(self) -> Iterator[float]:
        yield from (1, 1, 2, 3, 5, 8, 13)
        while True:
            yield MAX_BACKOFF


class NoDiffBaseStorage(kopf.DiffBaseStorage):
    """Stores no previous version of an object. Only change handlers need it, and there are none.

    Kopf's own storages make a deep copy of the object for each event: half of Kopf's work for 10,000 objects.
    """

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:
        del body, extra_fields
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> None:
        del body

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        del body, patch, essence


def make_settings(*, scanning: bool) -> kopf.OperatorSettings:
    """Returns Kopf's settings. `worker_limit` stays unset: with it, listing 10,000 objects takes several times as long."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = not scanning
    settings.watching.client_timeout = 600
    settings.watching.connect_timeout = 30
    settings.watching.chunk_size = 500
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = EndlessBackoff()
    settings.queueing.idle_timeout = 0.1
    settings.execution.max_workers = 1
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.diffbase_storage = NoDiffBaseStorage()
    return settings


async def run_kopf(
    registry: kopf.OperatorRegistry,
    *,
    namespaces: Sequence[str],
    scanning: bool,
    stop: asyncio.Event,
    ready: asyncio.Event,
) -> None:
    """Watches until `stop` is set. With `scanning`, also kinds and namespaces that are created while it runs."""
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
    """Returns the connection of our own client for Kopf. So the pod needs no cluster DNS."""
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


def _register(registry: kopf.OperatorRegistry, kind: type[Resource], on_event: OnEvent) -> None:
    @kopf.on.event(GROUP, VERSION, kind.plural, registry=registry, id=f"seen-{kind.singular}")
    async def hand_over(event: Any, **_: Any) -> None:
        on_event(kind, event["type"] or "", event["object"])


def _register_rule(registry: kopf.OperatorRegistry, rule: KubernetesRule, on_object: OnObject) -> None:
    @kopf.on.event(rule.group, rule.version, rule.kind, registry=registry, id=f"rule-{rule.name}")
    async def hand_over(event: Any, **_: Any) -> None:
        on_object(rule.name, event["type"] or "", event["object"])


async def may_scan(kube: KubeClient, *, namespaced: bool) -> bool:
    """Returns whether Kopf may list CRDs and, if `namespaced`, namespaces.

    An operator with Roles in some namespaces only may list neither. Kopf would then fall back to the names that it was given,
    but only after the last pause of its backoff. Ours is endless, so Kopf would never watch at all. So the API server is asked
    first. If it does not answer, the result is true: Kopf has to wait then too.
    """
    kinds = (CRDS, NAMESPACES) if namespaced else (CRDS,)
    reviews = [_review(group, resource, verb) for group, resource in kinds for verb in VERBS]
    try:
        reviewed = await asyncio.gather(*(kube.create_raw(REVIEWS, review) for review in reviews))
    except KubeError:
        return True
    return all(answer["status"]["allowed"] for answer in reviewed)


def _review(group: str, resource: str, verb: str) -> Body:
    attributes = {"group": group, "resource": resource, "verb": verb}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
