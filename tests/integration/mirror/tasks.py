"""Tasks of ECS in moto, tagged or not, and the events that ECS sends of them."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from moto.backends import get_backend
from moto.moto_api import state_manager
from tests.integration.mirror.conftest import ACCOUNT, REGION, Aws, Body

from seatpool.api.base import format_instant

CLUSTER = "benches"
FAMILY = "bench"


def open_cluster(aws: Aws, name: str = CLUSTER) -> None:
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10**9})  # no task ends by itself
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(
        family=FAMILY, containerDefinitions=[{"name": "tool", "image": "tool", "memory": 64}], networkMode="none"
    )


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def start_task(aws: Aws, tags: Mapping[str, str], *, cluster: str = CLUSTER, group: str | None = None) -> str:
    more = {"group": group} if group is not None else {}
    answer = aws.client("ecs").run_task(
        cluster=cluster, taskDefinition=FAMILY, launchType="FARGATE", tags=pairs(tags), **more
    )
    return str(answer["tasks"][0]["taskArn"])


def create_service(aws: Aws, name: str, tags: Mapping[str, str], *, cluster: str = CLUSTER) -> None:
    aws.client("ecs").create_service(
        cluster=cluster, serviceName=name, taskDefinition=FAMILY, desiredCount=1, tags=pairs(tags)
    )


def stop_task(aws: Aws, arn: str, *, cluster: str = CLUSTER) -> None:
    aws.client("ecs").stop_task(cluster=cluster, task=arn)


def forget_task(arn: str) -> None:
    """ECS forgets a task an hour after its end."""
    for tasks in get_backend("ecs")[ACCOUNT][REGION].tasks.values():
        tasks.pop(arn, None)


def object_of(arn: str) -> str:
    return f"ecs-{arn.rpartition('/')[2]}"


def task_event(arn: str, status: str, at: datetime, *, account: str = ACCOUNT) -> Body:
    cluster = arn.split("/")[1]
    detail: dict[str, Any] = {
        "taskArn": arn,
        "clusterArn": f"arn:aws:ecs:{REGION}:{account}:cluster/{cluster}",
        "lastStatus": status,
        "desiredStatus": "RUNNING" if status in ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING") else "STOPPED",
        "group": f"family:{FAMILY}",
        "launchType": "FARGATE",
        "version": 3,
        "updatedAt": format_instant(at),
    }
    return {
        "version": "0",
        "id": secrets.token_hex(8),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": account,
        "time": format_instant(at),
        "region": REGION,
        "resources": [arn],
        "detail": detail,
    }
