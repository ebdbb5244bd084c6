"""Defines a rule: which objects of the cluster are workbenches, whose they are, of which type and in which state."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from seatpool.api.workbench import InstanceState
from seatpool.mirror.kubernetes.json_path import compile_path

DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
LABEL_KEY = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$"
STATES: Mapping[str, InstanceState] = {
    "Pending": InstanceState.PENDING,
    "Provisioning": InstanceState.PENDING,
    "WaitingForVolumeBinding": InstanceState.PENDING,
    "WaitingForReceiver": InstanceState.PENDING,
    "Starting": InstanceState.PENDING,
    "Running": InstanceState.RUNNING,
    "Migrating": InstanceState.RUNNING,
    "Paused": InstanceState.RUNNING,
    "Stopping": InstanceState.STOPPING,
    "Failing": InstanceState.STOPPING,
    "Terminating": InstanceState.STOPPING,
    "Stopped": InstanceState.STOPPED,
    "Succeeded": InstanceState.STOPPED,
    "Failed": InstanceState.STOPPED,
    "CrashLoopBackOff": InstanceState.STOPPED,
}
"""States of Pods, DevWorkspaces and KubeVirt's virtual machines. A paused machine has its tool open."""


def _a_path(text: str) -> str:
    compile_path(text)
    return text


def _a_path_or_text(text: str) -> str:
    return _a_path(text) if text.startswith((".", "{", "[")) else text


Path = Annotated[str, Field(min_length=2, max_length=256), AfterValidator(_a_path)]
PathOrText = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_a_path_or_text)]


class KubernetesRule(BaseModel):
    """Objects of one kind in the cluster that are workbenches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=DNS_LABEL, description="Name of the rule. It is in the reference of each Workbench.")
    group: str = Field(
        default="", pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$", description="API group; empty: core."
    )
    version: str = Field(pattern=r"^v[0-9]+((alpha|beta)[0-9]+)?$", description="API version, such as v1.")
    kind: str = Field(pattern=DNS_LABEL, description="Kind in the plural, such as pods. Its objects are in namespaces.")
    namespaces: tuple[Annotated[str, Field(pattern=DNS_LABEL)], ...] = Field(
        default=(), description="Namespaces of the objects. Empty: all that the operator serves."
    )
    selector: dict[Annotated[str, Field(pattern=LABEL_KEY)], Annotated[str, Field(pattern=LABEL_VALUE)]] = Field(
        default_factory=dict, description="Labels that an object has to have."
    )
    owner: Path = Field(description="Path of the owner, such as .metadata.annotations['hub.jupyter.org/username'].")
    type: PathOrText = Field(description="Path of the type, or the type itself if it begins with no dot.")
    state: Path = Field(default=".status.phase", description="Path of the state's word.")
    states: dict[Annotated[str, Field(min_length=1, max_length=64)], InstanceState] = Field(
        default_factory=dict,
        description="State of a Workbench for each word, besides those of Pods, DevWorkspaces and KubeVirt. An object with "
        "any other word keeps the state that it had.",
    )
    seat_annotation: str | None = Field(
        default=None,
        pattern=LABEL_KEY,
        description="Annotation that tells on the object whether its owner has every seat: ready, waiting or denied; for "
        "example seatpool.io/seat. The operator may then patch these objects.",
    )
    scheduling_gate: str | None = Field(
        default=None,
        pattern=LABEL_KEY,
        description="Scheduling gate of Pods that is taken away when their owner has every seat, or no pool serves them.",
    )
    namespace: str = Field(default="default", pattern=DNS_LABEL, description="Where its Workbench objects are written.")

    @model_validator(mode="after")
    def _a_core_kind_has_version_1(self) -> Self:
        if not self.group and self.version != "v1":
            raise ValueError(f"rule {self.name}: version {self.version} of the core group does not exist; write v1")
        return self

    @model_validator(mode="after")
    def _only_pods_have_gates(self) -> Self:
        if self.scheduling_gate is not None and (self.group, self.kind) != ("", "pods"):
            raise ValueError(f"rule {self.name}: only pods have scheduling gates; take scheduling_gate out")
        return self

    @property
    def tells_seats(self) -> bool:
        """True: objects say something of their owner's seats."""
        return self.seat_annotation is not None or self.scheduling_gate is not None

    @property
    def prefix(self) -> str:
        """Path of the API up to namespace and kind."""
        return f"/apis/{self.group}/{self.version}" if self.group else "/api/v1"

    @property
    def resource(self) -> str:
        """Kind and group, as in `kubectl get`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def covers(self, metadata: Mapping[str, Any]) -> bool:
        """Tells whether an object is in the namespaces of the rule."""
        return not self.namespaces or metadata.get("namespace") in self.namespaces

    def selects(self, metadata: Mapping[str, Any]) -> bool:
        """Tells whether an object has the labels of the selector."""
        labels = metadata.get("labels") or {}
        return all(labels.get(key) == value for key, value in self.selector.items())
