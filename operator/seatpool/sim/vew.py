"""Simulates a Virtual Engineering Workbench: the tags of what it launches, container workbenches, and the events of its hub."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from seatpool.sim.envelopes import state_change

__all__ = ["OWNER_TAG", "PRODUCT_TAG", "Containers", "ProductKind", "hub_event", "launch_tags", "task_state_change"]

OWNER_TAG, PRODUCT_TAG = "vew:provisionedProduct:ownerId", "vew:product:name"
CLUSTER, FAMILY = "vew", "container-workbench"


class ProductKind(StrEnum):
    """Kinds of products, as the tag `vew:product:type` has them."""

    WORKBENCH = "WORKBENCH"
    VIRTUAL_TARGET = "VIRTUAL_TARGET"
    CONTAINER = "CONTAINER"


def launch_tags(owner: str, product: str, kind: ProductKind, *, version: str = "1.0.0") -> dict[str, str]:
    """Returns the tags of what is launched."""
    return {
        "UserTID": owner,
        "OwnerID": owner,
        "OwnerDomains": ":",
        "vew:provisionedProduct:ownerDomains": ":",
        "vew:provisionedProduct:productType": kind.value,
        "vew:provisionedProduct:id": f"pp-{secrets.token_hex(4)}",
        OWNER_TAG: owner,
        "vew:provisionedProduct:versionName": version,
        PRODUCT_TAG: product,
        "vew:product:versionName": version,
        "vew:product:type": kind.value,
        "vew:product:category": "Container" if kind is ProductKind.CONTAINER else "VirtualMachine",
    }


def task_state_change(*, task_arn: str, status: str, at: datetime, account: str, region: str) -> dict[str, Any]:
    """Returns ECS's own event."""
    cluster = task_arn.split("/")[1]
    event = state_change(instance_id="", state="", at=at, account=account, region=region)
    return event | {
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "resources": [task_arn],
        "detail": {
            "taskArn": task_arn,
            "clusterArn": f"arn:aws:ecs:{region}:{account}:cluster/{cluster}",
            "lastStatus": status,
        },
    }


def hub_event(event: dict[str, Any]) -> dict[str, Any]:
    """Returns what the hub makes of an event of EC2 or ECS."""
    detail, place = event["detail"], {"accountId": event["account"], "region": event["region"]}
    if "taskArn" in detail:
        return event | {"detail-type": "WorkbenchContainerStateChanged", "detail": detail | place}
    instance = {"instanceId": detail["instance-id"], "state": detail["state"]}
    return event | {"detail-type": "WorkbenchEC2StateChanged", "detail": instance | place}


class Containers:
    """Container workbenches: tasks of one cluster. `post` sends events, and `keep` makes the stand-in keep tasks running."""

    def __init__(
        self,
        ecs: Any,
        *,
        account: str,
        region: str,
        post: Callable[[list[dict[str, Any]]], None],
        keep: Callable[[], None],
    ) -> None:
        self._ecs = ecs
        self._account = account
        self._region = region
        self._post = post
        keep()
        ecs.create_cluster(clusterName=CLUSTER)
        ecs.register_task_definition(
            family=FAMILY, networkMode="none", containerDefinitions=[{"name": "tool", "image": "tool", "memory": 64}]
        )

    def start(self, owner: str, product: str) -> str:
        """Starts a container workbench, whose task has its tags, and returns the task's ARN."""
        tags = launch_tags(owner, product, ProductKind.CONTAINER)
        answer = self._ecs.run_task(
            cluster=CLUSTER, taskDefinition=FAMILY, launchType="FARGATE",
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        )  # fmt: skip
        arn = str(answer["tasks"][0]["taskArn"])
        self._tell(arn, "RUNNING")
        return arn

    def stop(self, task_arn: str) -> None:
        self._ecs.stop_task(cluster=CLUSTER, task=task_arn)
        self._tell(task_arn, "STOPPED")

    def _tell(self, task_arn: str, status: str) -> None:
        at = datetime.now(UTC)
        event = task_state_change(task_arn=task_arn, status=status, at=at, account=self._account, region=self._region)
        self._post([hub_event(event)])
