"""Asks ECS for tasks: all workbenches of a region, some tasks, or those that may be gone.

A task has its owner's tags if its service or RunTask propagated them. If it lacks one, the tags of its service count too.
These functions block, so they run in threads.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from seatpool.api.workbench import SourceKind, WorkbenchSource
from seatpool.aws.errors import UnexpectedAnswer, error_code
from seatpool.domain.instants import to_milliseconds
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ecs.task_arn import TaskArn, read_task_arn
from seatpool.mirror.ecs.task_state import STATES
from seatpool.mirror.names import object_name
from seatpool.mirror.regions import AccountRegion, ServedRegion
from seatpool.mirror.source import ById, Machine, Survey
from seatpool.mirror.type_aliases import TypeAliases

TASKS_IN_A_REQUEST = 100
SERVICES_IN_A_REQUEST = 10
KEYS_SHOWN = 6
VALUES_SHOWN = 4
MISSING = "MISSING"
NO_CLUSTER = "ClusterNotFoundException"
_SERVICE = "service:"

Tags = dict[str, str]


class EcsReader:
    """Calls ListTasks and DescribeTasks. The purpose sets timeouts and retries. See AwsReader."""

    kind = SourceKind.ECS

    def __init__(self, config: MirrorConfig, clients: AwsClients, aliases: TypeAliases, purpose: Purpose) -> None:
        self._tags = config.tags
        self._clients = clients
        self._aliases = aliases
        self._purpose = purpose
        self._surveys: dict[AccountRegion, Survey] = {}

    def list_workbenches(self, served: ServedRegion) -> list[Machine]:
        """Returns every task of a region that is a workbench and is not to end. A page that fails fails the whole call."""
        ecs = self._clients.ecs(served, self._purpose)
        tasks: list[tuple[TaskArn, Any]] = []
        for clusters in ecs.get_paginator("list_clusters").paginate():
            for cluster in clusters["clusterArns"]:
                pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus="RUNNING")
                arns = [arn for page in pages for arn in page["taskArns"]]
                tasks += self._describe(ecs, cluster, arns)[0]
        tags = self._all_tags(ecs, [task for _, task in tasks])
        self._surveys[served.key] = self._survey_of(tags)
        machines = [self._machine(arn, task, own) for (arn, task), own in zip(tasks, tags, strict=True)]
        return [machine for machine in machines if machine.is_workbench]

    def describe_many(self, served: ServedRegion, references: Iterable[str]) -> dict[str, Machine]:
        """Returns those tasks that ECS shows, by ARN. It shows one for about an hour after its end."""
        return dict(self.describe_by_id(served, references).found)

    def describe_by_id(self, served: ServedRegion, references: Iterable[str]) -> ById:
        """Asks for tasks that may be gone. ECS names those that it does not know, and clusters that do not exist."""
        ecs = self._clients.ecs(served, self._purpose)
        by_cluster: dict[str, list[str]] = {}
        for reference in references:
            arn = read_task_arn(reference)
            if arn is not None:
                by_cluster.setdefault(arn.cluster, []).append(reference)
        shown: list[tuple[TaskArn, Any]] = []
        gone: set[str] = set()
        asked: set[str] = set()
        for cluster, arns in by_cluster.items():
            asked.update(arns)
            try:
                found, missing = self._describe(ecs, cluster, arns)
            except ClientError as error:
                if error_code(error) != NO_CLUSTER:
                    raise
                gone.update(arns)
                continue
            shown += found
            gone |= missing
        tags = self._all_tags(ecs, [task for _, task in shown])
        machines = {arn.text: self._machine(arn, task, own) for (arn, task), own in zip(shown, tags, strict=True)}
        return ById(found=machines, gone=frozenset(gone), silent=frozenset(asked - gone - machines.keys()))

    def survey(self, served: ServedRegion) -> Survey | None:
        """Returns what the last list showed, whatever the tags were."""
        return self._surveys.get(served.key)

    def _describe(self, ecs: Any, cluster: str, arns: Sequence[str]) -> tuple[list[tuple[TaskArn, Any]], set[str]]:
        """Returns tasks as ECS describes them, and the ARNs that it does not know."""
        found: list[tuple[TaskArn, Any]] = []
        missing: set[str] = set()
        for start in range(0, len(arns), TASKS_IN_A_REQUEST):
            part = arns[start : start + TASKS_IN_A_REQUEST]
            answer = ecs.describe_tasks(cluster=cluster, tasks=list(part), include=["TAGS"])
            for task in answer["tasks"]:
                arn = read_task_arn(task.get("taskArn"))
                if arn is None or task.get("lastStatus") not in STATES:
                    raise UnexpectedAnswer(
                        f"DescribeTasks: task {task.get('taskArn')} with lastStatus {task.get('lastStatus')}"
                    )
                found.append((arn, task))
            for failure in answer.get("failures", []):
                if failure.get("reason") != MISSING:
                    raise UnexpectedAnswer(f"DescribeTasks: {failure.get('arn')}: {failure.get('reason')}")
                missing.add(str(failure.get("arn")))
        return found, missing

    def _all_tags(self, ecs: Any, tasks: Sequence[Any]) -> list[Tags]:
        """Returns the tags of each task, with those of its service behind them where it lacks one."""
        own = [_tags(task) for task in tasks]
        lacking: dict[str, set[str]] = {}
        for task, tags in zip(tasks, own, strict=True):
            group = str(task.get("group", ""))
            if group.startswith(_SERVICE) and not all(tags.get(key) for key in self._tags.keys):
                lacking.setdefault(task["clusterArn"], set()).add(group.removeprefix(_SERVICE))
        services = {
            (cluster, name): tags
            for cluster, names in lacking.items()
            for name, tags in self._tags_of_services(ecs, cluster, sorted(names))
        }
        return [
            services.get((task["clusterArn"], str(task.get("group", "")).removeprefix(_SERVICE)), {}) | tags
            for task, tags in zip(tasks, own, strict=True)
        ]

    def _tags_of_services(self, ecs: Any, cluster: str, names: Sequence[str]) -> Iterator[tuple[str, Tags]]:
        for start in range(0, len(names), SERVICES_IN_A_REQUEST):
            part = list(names[start : start + SERVICES_IN_A_REQUEST])
            answer = ecs.describe_services(cluster=cluster, services=part, include=["TAGS"])
            for service in answer["services"]:
                yield service["serviceName"], _tags(service)

    def _machine(self, arn: TaskArn, task: Any, tags: Mapping[str, str]) -> Machine:
        source = WorkbenchSource(kind=self.kind, reference=arn.text)
        created_at: datetime | None = task.get("createdAt")
        return Machine(
            source=source,
            name=object_name(source),
            state=STATES[task["lastStatus"]],
            launched_at=to_milliseconds(created_at.astimezone(UTC)) if created_at is not None else None,
            tags=self._tags.read(tags, self._aliases),
        )

    def _survey_of(self, tags: Sequence[Tags]) -> Survey:
        keys = Counter(key for one in tags for key in one)
        required = Counter((key, one[key]) for one in tags for key in self._tags.require if key in one)
        return Survey(
            machines=len(tags),
            what="tasks",
            has_more=False,
            tag_keys=tuple(keys.most_common(KEYS_SHOWN)),
            required=tuple((key, value, count) for (key, value), count in required.most_common(VALUES_SHOWN)),
            hint=self._tags.hint(frozenset(keys)),
        )


def _tags(resource: Any) -> Tags:
    return {tag["key"]: tag.get("value", "") for tag in resource.get("tags", [])}
