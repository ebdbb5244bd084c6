"""One face for the machines of each source, so that one suite can hold all of them against the same invariants."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import pytest
from tests.integration.mirror.conftest import Body, Stage, state_change
from tests.integration.mirror.tasks import (
    forget_task,
    object_of,
    open_cluster,
    start_task,
    stop_task,
    task_event,
)

from seatpool.api.workbench import SourceKind, WorkbenchSource
from seatpool.kube.client import Impersonation, KubeClient
from seatpool.mirror.ec2.instances import Ec2Reader
from seatpool.mirror.ecs.tasks import EcsReader
from seatpool.mirror.kubernetes.objects import KubernetesObjects
from seatpool.mirror.mirror import Mirror
from seatpool.mirror.names import object_name
from seatpool.mirror.source import ById

OWNER, TYPE = "vew:workbench:ownerId", "vew:workbench:type"


class Machines(Protocol):
    """Machines of one source in one place."""

    kind: SourceKind

    def mirror(self, stage: Stage, **changes: Any) -> AbstractAsyncContextManager[Mirror]:
        """A mirror of these machines."""

    def start(self, stage: Stage, owner: str) -> str:
        """Starts a machine and tells nobody. Returns its reference."""

    def end(self, stage: Stage, reference: str) -> None:
        """Ends a machine and tells nobody. Its source still knows of it, if it ever does."""

    def vanish(self, stage: Stage, reference: str) -> None:
        """Ends a machine that its source does not know any more."""

    def name(self, reference: str) -> str:
        """Name of its object."""

    async def tell(self, stage: Stage, mirror: Mirror, *news: tuple[str, bool, datetime]) -> None:
        """Tells of machines in this order, and waits until that is handled: reference, whether it runs, and since when."""

    def forbid(self, stage: Stage) -> AbstractAsyncContextManager[None] | Any:
        """The source refuses every question in the block."""

    def show_nothing(self, patch: pytest.MonkeyPatch) -> None:
        """The source answers from now on as if there were no machines, as far as it can be wrong."""


def _with_inventory(stage: Stage, **changes: Any) -> AbstractAsyncContextManager[Mirror]:
    changes["account"] = {"inventory": True} | changes.get("account", {})
    return stage.mirror(**changes)


def _blind(patch: pytest.MonkeyPatch, reader: type) -> None:
    def silent(_self: object, _served: object, references: Sequence[str]) -> ById:
        return ById(found={}, gone=frozenset(), silent=frozenset(references))

    patch.setattr(reader, "list_workbenches", lambda _self, _served: [])
    patch.setattr(reader, "describe_many", lambda _self, _served, _references: {})
    patch.setattr(reader, "describe_by_id", silent)


@dataclass
class Instances:
    """Instances of EC2."""

    kind = SourceKind.EC2

    def mirror(self, stage: Stage, **changes: Any) -> AbstractAsyncContextManager[Mirror]:
        return _with_inventory(stage, **changes)

    def start(self, stage: Stage, owner: str) -> str:
        return stage.aws.start_instance(owner=owner)

    def end(self, stage: Stage, reference: str) -> None:
        stage.aws.client("ec2").terminate_instances(InstanceIds=[reference])

    def vanish(self, stage: Stage, reference: str) -> None:
        stage.vanish(reference)

    def name(self, reference: str) -> str:
        return reference

    async def tell(self, stage: Stage, mirror: Mirror, *news: tuple[str, bool, datetime]) -> None:
        for instance, runs, at in news:
            stage.aws.send(state_change(instance, "running" if runs else "terminated", at))
            await stage.until_handled()

    def forbid(self, stage: Stage) -> Any:
        return stage.gate.trouble(operation="DescribeInstances", code="UnauthorizedOperation")

    def show_nothing(self, patch: pytest.MonkeyPatch) -> None:
        _blind(patch, Ec2Reader)


@dataclass
class Tasks:
    """Tasks of ECS."""

    kind = SourceKind.ECS
    has_cluster: bool = False

    def mirror(self, stage: Stage, **changes: Any) -> AbstractAsyncContextManager[Mirror]:
        self._open(stage)
        return _with_inventory(stage, **{"sources": ["EC2", "ECS"]} | changes)

    def start(self, stage: Stage, owner: str) -> str:
        self._open(stage)
        return start_task(stage.aws, {OWNER: owner, TYPE: "vew-matlab"})

    def end(self, stage: Stage, reference: str) -> None:
        stop_task(stage.aws, reference)

    def vanish(self, stage: Stage, reference: str) -> None:
        forget_task(reference)

    def name(self, reference: str) -> str:
        return object_of(reference)

    async def tell(self, stage: Stage, mirror: Mirror, *news: tuple[str, bool, datetime]) -> None:
        for arn, runs, at in news:
            stage.aws.send(task_event(arn, "RUNNING" if runs else "STOPPED", at))
            await stage.until_handled()

    def forbid(self, stage: Stage) -> Any:
        return stage.gate.trouble(operation="ListClusters", code="AccessDeniedException")

    def show_nothing(self, patch: pytest.MonkeyPatch) -> None:
        _blind(patch, EcsReader)

    def _open(self, stage: Stage) -> None:
        if not self.has_cluster:
            open_cluster(stage.aws)
            self.has_cluster = True


@dataclass
class Pods:
    """Pods of the cluster. A watch brings their versions; `tell` brings those that it was once."""

    kind = SourceKind.KUBERNETES
    user: str = field(default_factory=lambda: f"mirror-{secrets.token_hex(4)}")
    seen: dict[str, Body] = field(default_factory=dict)
    """What each Pod was when it ran."""
    ended: dict[str, Body] = field(default_factory=dict)

    def mirror(self, stage: Stage, **changes: Any) -> AbstractAsyncContextManager[Mirror]:
        rule = {
            "name": "benches", "version": "v1", "kind": "pods", "namespaces": [stage.namespace],
            "selector": {"bench": "yes"}, "owner": ".metadata.labels.owner", "type": "vew-matlab",
            "namespace": stage.namespace,
        }  # fmt: skip
        self._grant(stage, "workbenches.seatpool.io", "get,list,watch,create,patch,delete")
        self._grant(stage, "pods", "get,list,watch")
        kube = KubeClient(stage.kube._api, impersonate=Impersonation(self.user))
        return stage.mirror(**{"accounts": [], "queue": None, "kubernetes": [rule], "kube": kube} | changes)

    def start(self, stage: Stage, owner: str) -> str:
        name = f"bench-{secrets.token_hex(4)}"
        metadata = {"name": name, "labels": {"bench": "yes", "owner": owner}}
        spec = {"containers": [{"name": "tool", "image": "tool"}]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        stage.plane.kubectl("apply", "-n", stage.namespace, "-f", "-", input=json.dumps(pod))
        patch = json.dumps({"status": {"phase": "Running"}})
        stage.plane.kubectl(
            "patch", "pod", name, "-n", stage.namespace, "--subresource=status", "--type=merge", "-p", patch
        )
        reference = f"benches/{stage.namespace}/{name}"
        self.seen[reference] = json.loads(stage.plane.kubectl("get", "pod", name, "-n", stage.namespace, "-o", "json"))
        return reference

    def end(self, stage: Stage, reference: str) -> None:
        name, patch = reference.rpartition("/")[2], json.dumps({"status": {"phase": "Succeeded"}})
        stage.plane.kubectl(
            "patch", "pod", name, "-n", stage.namespace, "--subresource=status", "--type=merge", "-p", patch
        )
        self.ended[reference] = json.loads(stage.plane.kubectl("get", "pod", name, "-n", stage.namespace, "-o", "json"))

    def vanish(self, stage: Stage, reference: str) -> None:
        name = reference.rpartition("/")[2]
        stage.plane.kubectl("delete", "pod", name, "-n", stage.namespace, "--grace-period=0", "--force")

    def name(self, reference: str) -> str:
        return object_name(WorkbenchSource(kind=self.kind, reference=reference))

    async def tell(self, stage: Stage, mirror: Mirror, *news: tuple[str, bool, datetime]) -> None:
        for reference, runs, _ in news:
            mirror.observe_object("benches", "MODIFIED", dict((self.seen if runs else self.ended)[reference]))
            await stage.until_written(mirror)

    @contextmanager
    def forbid(self, stage: Stage) -> Iterator[None]:
        stage.plane.kubectl("delete", "rolebinding", f"{self.user}-pods", "-n", stage.namespace)
        yield
        self._grant(stage, "pods", "get,list,watch")

    def show_nothing(self, patch: pytest.MonkeyPatch) -> None:
        async def nothing(_self: object, _on_page: object) -> list[Any]:
            return []

        patch.setattr(KubernetesObjects, "list_workbenches", nothing)

    def _grant(self, stage: Stage, resource: str, verbs: str) -> None:
        name, where = f"{self.user}-{resource.partition('.')[0]}", ("-n", stage.namespace)
        role = ("create", "role", name, *where, f"--verb={verbs}", f"--resource={resource}")
        document = stage.plane.kubectl(*role, "--dry-run=client", "-o", "json")
        stage.plane.kubectl("apply", "-f", "-", input=document)
        binding = ("create", "rolebinding", name, *where, f"--role={name}", f"--user={self.user}")
        stage.plane.kubectl("apply", "-f", "-", input=stage.plane.kubectl(*binding, "--dry-run=client", "-o", "json"))


SOURCES: Mapping[str, type[Instances] | type[Tasks] | type[Pods]] = {"EC2": Instances, "ECS": Tasks, "Kubernetes": Pods}
