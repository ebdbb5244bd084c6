"""Reads the ARN of a task: `arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID`.

ARNs of before 2018 name no cluster, and a task cannot be asked for without it. No running task has one.
"""

import re
from dataclasses import dataclass

_ARN = re.compile(
    r"arn:aws[a-z-]*:ecs:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):task/(?P<cluster>[A-Za-z0-9_-]{1,255})/"
    r"(?P<id>[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)


@dataclass(frozen=True, slots=True)
class TaskArn:
    """The parts of a task's ARN."""

    text: str
    region: str
    account: str
    cluster: str
    id: str


def read_task_arn(text: object) -> TaskArn | None:
    """Returns the parts. None: it is no ARN of a task with its cluster."""
    found = _ARN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    return TaskArn(found[0], found["region"], found["account"], found["cluster"], found["id"])
