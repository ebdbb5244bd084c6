"""Holds the managed nodes: EC2 instances of moto that have an agent."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.ec2.models import ec2_backends

from seatpool.sim.lifeline import Lifeline
from seatpool.sim.refusals import Refusal
from seatpool.sim.ssm.agent import Agent

__all__ = ["Caller", "Node", "Nodes"]

AGENT_VERSION = "3.3.2746.0"
LEGACY_AGENT_VERSION = "3.3.2656.0"
SENDABLE = frozenset({"pending", "running", "stopping", "stopped"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Account and region whose credentials signed a request."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Node:
    """An instance with its agent."""

    place: Caller
    agent: Agent
    instance: Any
    """moto's own object, so that it need not be looked up among thousands."""

    @property
    def id(self) -> str:
        return self.agent.instance_id

    @property
    def sendable(self) -> bool:
        return self.instance.state in SENDABLE

    @property
    def ping(self) -> str:
        return "Online" if self.agent.online else "ConnectionLost"

    def matches(self, wanted: Mapping[str, Any]) -> bool:
        """Tells whether a target or a filter `{Key, Values}` selects this node."""
        key, values = wanted["Key"], wanted["Values"]
        if key.casefold() in {"instanceids", "instanceid"}:
            return self.id in values
        if key.startswith("tag:"):
            return self._tags().get(key.removeprefix("tag:")) in values
        if key == "tag-key":
            return not self._tags().keys().isdisjoint(values)
        if key == "PingStatus":
            return self.ping in values
        raise Refusal("InvalidFilterKey", f"the stand-in knows no filter {key!r}")

    def describe(self) -> dict[str, Any]:
        """Returns the entry of DescribeInstanceInformation."""
        behavior = self.agent.behavior
        return {
            "InstanceId": self.id,
            "PingStatus": self.ping,
            "AgentVersion": LEGACY_AGENT_VERSION if behavior.legacy else AGENT_VERSION,
            "PlatformType": behavior.platform,
            "ResourceType": "EC2Instance",
            "ComputerName": f"{self.id}.{self.place.region}.compute.internal",
        }

    def _tags(self) -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in self.instance.get_tags()}


class Nodes:
    """All nodes of this process, of every account."""

    def __init__(self, lifeline: Lifeline) -> None:
        self._lifeline = lifeline
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._nodes: dict[str, Node] = {}

    def register(self, instance_id: str, home: Path) -> None:
        """Gives an instance an agent. moto must know the instance."""
        place, instance = _find(instance_id)
        agent = Agent(
            instance_id,
            home,
            region=place.region,
            lifeline=self._lifeline,
            is_running=lambda: instance.state == "running",
            closing=self._closing,
        )
        with self._lock:
            self._nodes[instance_id] = Node(place, agent, instance)

    def reachable_by(self, caller: Caller) -> dict[str, Node]:
        """Returns the nodes that the caller can send commands to."""
        with self._lock:
            return {name: node for name, node in self._nodes.items() if node.place == caller and node.sendable}

    def clear(self) -> None:
        with self._lock:
            self._nodes.clear()

    def close(self) -> None:
        self._closing.set()


def _find(instance_id: str) -> tuple[Caller, Any]:
    for account, regions in list(ec2_backends.items()):
        for region, backend in list(regions.items()):
            if (instance := backend.get_instance_by_id(instance_id)) is not None:
                return Caller(account, region), instance
    raise Refusal("InvalidInstanceId", f"no account has an instance {instance_id}; start it before it is registered")
