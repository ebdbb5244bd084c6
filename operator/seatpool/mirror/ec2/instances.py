"""Asks EC2 for instances: all workbenches of a region, some instances, those that may be gone, or whatever there is.

These functions block, so they run in threads.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from botocore.exceptions import ClientError

from seatpool.api.workbench import InstanceState, SourceKind, WorkbenchSource
from seatpool.aws.errors import UnexpectedAnswer, error_code
from seatpool.domain.instants import to_milliseconds
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.regions import ServedRegion
from seatpool.mirror.source import ById, Machine, Survey
from seatpool.mirror.type_aliases import TypeAliases

IDS_IN_A_REQUEST = 500
MAX_REQUESTS = 50
KEYS_SHOWN = 6
VALUES_SHOWN = 4
NOT_FOUND = "InvalidInstanceID.NotFound"
INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_NAMED_ID = re.compile(r"\bi-[0-9a-f]+\b")


class Ec2Reader:
    """Calls DescribeInstances in four forms. The purpose sets timeouts and retries. See AwsReader."""

    kind = SourceKind.EC2

    def __init__(self, config: MirrorConfig, clients: AwsClients, aliases: TypeAliases, purpose: Purpose) -> None:
        self._config = config
        self._tags = config.tags
        self._clients = clients
        self._aliases = aliases
        self._purpose = purpose

    def list_workbenches(self, served: ServedRegion) -> list[Machine]:
        """Returns every workbench of a region. A page that fails fails the whole call."""
        pages = (
            self._clients.ec2(served, self._purpose)
            .get_paginator("describe_instances")
            .paginate(
                Filters=self._tags.ec2_filters(),  # type: ignore[arg-type]
                PaginationConfig={"PageSize": self._config.inventory_page},
            )
        )
        return [instance for page in pages for instance in self._instances(page) if instance.is_workbench]

    def describe_many(self, served: ServedRegion, instance_ids: Iterable[str]) -> dict[str, Machine]:
        """Returns those instances that EC2 shows, by id."""
        # By filter and not by id: one unknown id would fail the call for all.
        answer = self._clients.ec2(served, self._purpose).describe_instances(
            Filters=[{"Name": "instance-id", "Values": list(instance_ids)}]
        )
        return {instance.name: instance for instance in self._instances(answer)}

    def describe_by_id(self, served: ServedRegion, instance_ids: Iterable[str]) -> ById:
        """Asks for instances that may be gone, up to 500 in a request.

        EC2 refuses a request with unknown ids, and names them all. Then the rest is asked for. If a refusal names none
        of them, the halves are asked for. After 50 requests what is left is not answered.
        """
        client = self._clients.ec2(served, self._purpose)
        ids = [instance_id for instance_id in instance_ids if INSTANCE_ID.fullmatch(instance_id)]
        pending = [ids[start : start + IDS_IN_A_REQUEST] for start in range(0, len(ids), IDS_IN_A_REQUEST)]
        found: dict[str, Machine] = {}
        gone: set[str] = set()
        silent: set[str] = set()
        for _ in range(MAX_REQUESTS):
            if not pending:
                break
            part = pending.pop(0)
            try:
                answer = client.describe_instances(InstanceIds=part)
            except ClientError as error:
                if error_code(error) != NOT_FOUND:
                    raise
                named = set(part) if len(part) == 1 else _NAMED_ID.findall(str(error))
                rest = [instance_id for instance_id in part if instance_id not in named]
                gone |= set(part) - set(rest)
                halves = [rest] if len(rest) < len(part) else [part[: len(part) // 2], part[len(part) // 2 :]]
                pending = [half for half in halves if half] + pending
                continue
            shown = {instance.name: instance for instance in self._instances(answer)}
            found |= shown
            silent |= set(part) - shown.keys()
        return ById(found=found, gone=frozenset(gone), silent=frozenset(silent))

    def survey(self, served: ServedRegion) -> Survey:
        """Looks at the first page of all instances, whatever their tags are."""
        answer: Any = self._clients.ec2(served, self._purpose).describe_instances(
            MaxResults=self._config.inventory_page
        )
        instances = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
        tags = [{tag["Key"]: tag["Value"] for tag in one.get("Tags", [])} for one in instances]
        keys = Counter(key for one in tags for key in one)
        required = Counter((key, one[key]) for one in tags for key in self._tags.require if key in one)
        return Survey(
            machines=len(instances),
            what="instances",
            has_more=bool(answer.get("NextToken")),
            tag_keys=tuple(keys.most_common(KEYS_SHOWN)),
            required=tuple((key, value, count) for (key, value), count in required.most_common(VALUES_SHOWN)),
            hint=self._tags.hint(frozenset(keys)),
        )

    def _instances(self, answer: Any) -> Iterator[Machine]:
        for reservation in answer["Reservations"]:
            for instance in reservation["Instances"]:
                try:
                    state = InstanceState(instance["State"]["Name"])
                except (KeyError, ValueError) as error:
                    raise UnexpectedAnswer(
                        f"DescribeInstances: instance {instance.get('InstanceId')}: {error}"
                    ) from error
                tags: Mapping[str, str] = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
                launched_at = instance.get("LaunchTime")
                yield Machine(
                    source=WorkbenchSource(kind=self.kind, reference=instance["InstanceId"]),
                    name=instance["InstanceId"],
                    state=state,
                    launched_at=to_milliseconds(launched_at.astimezone(UTC)) if launched_at else None,
                    tags=self._tags.read(tags, self._aliases),
                )
