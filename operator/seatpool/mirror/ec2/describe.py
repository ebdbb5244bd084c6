"""Asks EC2 for instances: all workbenches of a region, some instances, or one that may be gone.

These functions block, so they run in threads.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from seatpool.api.workbench import InstanceState
from seatpool.aws.errors import UnexpectedAnswer, error_code
from seatpool.domain.instants import to_milliseconds
from seatpool.mirror.aws_clients import AwsClients, Purpose
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.event_order import Fact
from seatpool.mirror.regions import AccountRegion, ServedRegion
from seatpool.mirror.type_aliases import TypeAliases

IDS_IN_A_FILTER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Instance:
    """An instance as EC2 describes it."""

    instance_id: str
    state: InstanceState
    launched_at: datetime | None
    owner: str | None
    type: str | None

    @property
    def is_workbench(self) -> bool:
        """True: the instance has both tags."""
        return self.owner is not None and self.type is not None

    def as_fact(self, key: AccountRegion, *, at: datetime) -> Fact:
        """Returns the description as a fact that holds at this time."""
        return Fact(
            account=key.account,
            region=key.region,
            state=self.state,
            at=at,
            owner=self.owner,
            type=self.type,
            launched_at=self.launched_at,
            observed=True,
        )


class Ec2Reader:
    """Calls DescribeInstances in three forms. The purpose sets timeouts and retries."""

    def __init__(self, config: MirrorConfig, clients: AwsClients, aliases: TypeAliases, purpose: Purpose) -> None:
        self._config = config
        self._clients = clients
        self._aliases = aliases
        self._purpose = purpose

    def account_number(self, served: ServedRegion) -> str:
        """Asks STS which account the credentials of a region belong to."""
        return self._clients.account_number(served)

    def list_workbenches(self, served: ServedRegion) -> list[Ec2Instance]:
        """Returns every tagged instance of a region. A page that fails fails the whole call."""
        pages = (
            self._clients.ec2(served, self._purpose)
            .get_paginator("describe_instances")
            .paginate(
                Filters=[
                    {"Name": "tag-key", "Values": [self._config.tag_owner]},
                    {"Name": "tag-key", "Values": [self._config.tag_type]},
                ],
                PaginationConfig={"PageSize": self._config.inventory_page},
            )
        )
        return [instance for page in pages for instance in self._instances(page) if instance.is_workbench]

    def describe_many(self, served: ServedRegion, instance_ids: Iterable[str]) -> dict[str, Ec2Instance]:
        """Returns those instances that EC2 shows, by id."""
        # By filter and not by id: one unknown id would fail the call for all.
        answer = self._clients.ec2(served, self._purpose).describe_instances(
            Filters=[{"Name": "instance-id", "Values": list(instance_ids)}]
        )
        return {instance.instance_id: instance for instance in self._instances(answer)}

    def describe_one(self, served: ServedRegion, instance_id: str) -> Ec2Instance | None:
        """Returns the instance. None: EC2 says explicitly that it does not exist."""
        try:
            answer = self._clients.ec2(served, self._purpose).describe_instances(InstanceIds=[instance_id])
        except ClientError as error:
            if error_code(error) == "InvalidInstanceID.NotFound":
                return None
            raise
        return next(self._instances(answer))

    def _instances(self, answer: Any) -> Iterator[Ec2Instance]:
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
                yield Ec2Instance(
                    instance_id=instance["InstanceId"],
                    state=state,
                    launched_at=to_milliseconds(launched_at.astimezone(UTC)) if launched_at else None,
                    owner=tags.get(self._config.tag_owner) or None,
                    type=self._aliases.resolve(type_tag) if type_tag else None,
                )
