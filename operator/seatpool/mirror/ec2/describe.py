"""What EC2 says when it is asked: for all workbenches, for some instances, or for one that seems to be gone.

These functions block; they run in threads.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from seatpool.api.workbench import InstanceState
from seatpool.aws.refusals import error_code
from seatpool.domain.instants import to_milliseconds
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.aws_errors import UnexpectedAnswer
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.regions import Source
from seatpool.mirror.type_aliases import TypeAliases

IDS_IN_A_FILTER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One instance in an answer of EC2."""

    instance_id: str
    state: InstanceState
    launched_at: datetime | None
    owner: str | None
    type: str | None

    @property
    def is_workbench(self) -> bool:
        return self.owner is not None and self.type is not None


class Ec2Reader:
    """DescribeInstances in the three forms that the mirror needs, with the patience that the purpose permits."""

    def __init__(self, config: MirrorConfig, clients: AwsClients, aliases: TypeAliases, purpose: Purpose) -> None:
        self._config = config
        self._clients = clients
        self._aliases = aliases
        self._purpose = purpose

    def account_number(self, source: Source) -> str:
        return self._clients.account_number(source.account)

    def workbenches(self, source: Source) -> list[Seen]:
        """Every tagged instance of a region, all pages or an error."""
        pages = (
            self._clients.ec2(source.account, source.region, self._purpose)
            .get_paginator("describe_instances")
            .paginate(
                Filters=[
                    {"Name": "tag-key", "Values": [self._config.tag_owner]},
                    {"Name": "tag-key", "Values": [self._config.tag_type]},
                ],
                PaginationConfig={"PageSize": self._config.inventory_page},
            )
        )
        return [seen for page in pages for seen in self._seen(page) if seen.is_workbench]

    def find(self, source: Source, instance_ids: Iterable[str]) -> dict[str, Seen]:
        """Those of the instances that EC2 knows. Asked by filter, because by id one unknown instance fails them all."""
        answer = self._clients.ec2(source.account, source.region, self._purpose).describe_instances(
            Filters=[{"Name": "instance-id", "Values": list(instance_ids)}]
        )
        return {seen.instance_id: seen for seen in self._seen(answer)}

    def find_one(self, source: Source, instance_id: str) -> Seen | None:
        """The instance, or None when EC2 says in so many words that there is no such instance."""
        try:
            answer = self._clients.ec2(source.account, source.region, self._purpose).describe_instances(
                InstanceIds=[instance_id]
            )
        except ClientError as error:
            if error_code(error) == "InvalidInstanceID.NotFound":
                return None
            raise
        return next(self._seen(answer))

    def _seen(self, answer: Any) -> Iterator[Seen]:
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
                type_tag = tags.get(self._config.tag_type)
                yield Seen(
                    instance_id=instance["InstanceId"],
                    state=state,
                    launched_at=to_milliseconds(launched_at.astimezone(UTC)) if launched_at else None,
                    owner=tags.get(self._config.tag_owner) or None,
                    type=self._aliases.of(type_tag) if type_tag else None,
                )
