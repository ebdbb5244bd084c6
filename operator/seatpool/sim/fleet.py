"""Simulates a fleet of workbenches: EC2 instances that start and stop, and the events of EventBridge about them."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from seatpool.sim.aws_access import ACCOUNT, AwsAccess
from seatpool.sim.envelopes import state_change, workbench_event
from seatpool.sim.posting import DeliveryFaults, EventPoster

__all__ = ["Fleet"]

OWNER_TAG, TYPE_TAG = "vew:workbench:ownerId", "vew:workbench:type"
IMAGE = "ami-12c6146b"  # one that moto knows


class Fleet:
    """Instances of one account in one region. Several threads may call its methods."""

    def __init__(
        self,
        endpoint_url: str,
        *,
        region: str,
        queue_url: str,
        account: str = ACCOUNT,
        queue_region: str | None = None,
        access: AwsAccess | None = None,
        owner_tag: str = OWNER_TAG,
        type_tag: str = TYPE_TAG,
        custom_events: bool = False,
        whole_seconds: bool = False,
        troubles: DeliveryFaults | None = None,
        randomness: random.Random | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Creates a fleet.

        Its queue is in the stand-in's own account, where the operator runs. `access` shares clients.

        EC2's events have whole seconds. Without `whole_seconds` they have milliseconds, because a simulated user can
        act faster than a machine boots.
        """
        self._access = access or AwsAccess(endpoint_url, region=region, account=account)
        self._owner_tag = owner_tag
        self._type_tag = type_tag
        self._custom_events = custom_events
        self._whole_seconds = whole_seconds
        self._now = now
        self._people: dict[str, tuple[str, str]] = {}
        home = AwsAccess(endpoint_url, region=queue_region or region)
        self._poster = EventPoster(
            home.client("sqs"),
            queue_url,
            troubles=troubles or DeliveryFaults(),
            randomness=randomness or random.Random(0),  # noqa: S311
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def account(self) -> str:
        return self._access.account

    @property
    def region(self) -> str:
        return self._access.region

    @property
    def troubles(self) -> DeliveryFaults:
        return self._poster.troubles

    @troubles.setter
    def troubles(self, troubles: DeliveryFaults) -> None:
        self._poster.troubles = troubles

    @property
    def lost(self) -> int:
        """Returns how many events never reached the queue."""
        return self._poster.lost

    def start(self, owner: str | None, type: str = "vew-matlab", *, tags: Mapping[str, str] | None = None) -> str:  # noqa: A002
        """Starts a new workbench and returns its instance id. `owner` may be any text that EC2 takes. None: no tag."""
        all_tags = {self._type_tag: type} | ({} if owner is None else {self._owner_tag: owner}) | dict(tags or {})
        answer = self._ec2.run_instances(
            ImageId=IMAGE,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": key, "Value": text} for key, text in all_tags.items()]}
            ],
        )
        instance_id = str(answer["Instances"][0]["InstanceId"])
        self._people[instance_id] = (owner or "", type)
        self.announce(instance_id, "pending", "running")
        return instance_id

    def stop(self, instance_id: str, *, forward: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        """Stops an instance. `forward` makes another event of each, as a hub does."""
        self._ec2.stop_instances(InstanceIds=[instance_id])
        events = [self.event(instance_id, state) for state in ("stopping", "stopped")]
        self._poster.post(events if forward is None else [forward(event) for event in events])

    def start_again(self, instance_id: str) -> None:
        self._ec2.start_instances(InstanceIds=[instance_id])
        self.announce(instance_id, "pending", "running")

    def terminate(self, instance_id: str) -> None:
        self._ec2.terminate_instances(InstanceIds=[instance_id])
        self.announce(instance_id, "shutting-down", "terminated")

    def announce(self, instance_id: str, *states: str, at: datetime | None = None) -> None:
        """Posts events that EC2 need not agree with."""
        self._poster.post([self.event(instance_id, state, at=at) for state in states])

    def post(self, events: Sequence[dict[str, Any]]) -> None:
        """Posts any events, with the same faults."""
        self._poster.post(events)

    def event(self, instance_id: str, state: str, *, at: datetime | None = None) -> dict[str, Any]:
        at = at or self._now()
        at = at.replace(microsecond=0) if self._whole_seconds else at
        place = {"account": self.account, "region": self.region}
        if self._custom_events:
            owner, kind = self._people[instance_id]
            return workbench_event(instance_id=instance_id, state=state, at=at, owner=owner, type=kind, **place)
        return state_change(instance_id=instance_id, state=state, at=at, **place)

    def wait_until_posted(self) -> None:
        """Waits until every delayed event is in the queue."""
        self._poster.wait_until_posted()

    def close(self) -> None:
        """Closes the fleet. Delayed events that are left are lost."""
        self._poster.close()

    @property
    def _ec2(self) -> Any:
        return self._access.client("ec2")
