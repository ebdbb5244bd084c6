"""Settings of the mirror: the queue, the accounts and regions, the tags, and the timing."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from seatpool.api.base import Duration
from seatpool.api.regions import REGION_PATTERN
from seatpool.api.workbench import SourceKind
from seatpool.mirror.kubernetes.rule import KubernetesRule
from seatpool.mirror.workbench_tags import PRESETS, Profile, WorkbenchTags, keys_of_type, with_preset

MAX_TAG_KEY = 128
ACCOUNT_PATTERN = r"^[0-9]{12}$"
INVENTORY_LIMIT_INTERVALS = 3
LEAST_INVENTORY_LIMIT = timedelta(minutes=5)
QUEUE_NAME = r"([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)"
QUEUE_PATTERN = rf"^(https?://\S+|arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{{12}}:{QUEUE_NAME}|{QUEUE_NAME})$"

Region = Annotated[str, Field(pattern=REGION_PATTERN)]
TagKey = Annotated[str, Field(min_length=1, max_length=MAX_TAG_KEY)]
TagValue = Annotated[str, Field(min_length=1, max_length=256)]


class AccountConfig(BaseModel):
    """An AWS account with workbenches. Events of other accounts and regions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: str = Field(pattern=ACCOUNT_PATTERN, description="AWS account number, 12 digits.")
    regions: tuple[Region, ...] = Field(min_length=1, description="Regions with workbenches.")
    namespace: str = Field(
        default="default", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description="Where its objects are written."
    )
    inventory: bool = Field(
        default=True, description="Whether EC2 may be asked. Without it the objects live by events alone."
    )
    role_arn: str | None = Field(
        default=None, pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$", description="Role to assume to ask EC2."
    )
    external_id: str | None = Field(
        default=None, min_length=2, max_length=1224, description="External id that the role asks for."
    )

    @model_validator(mode="after")
    def _an_external_id_needs_a_role(self) -> Self:
        if self.external_id is not None and self.role_arn is None:
            raise ValueError(f"account {self.account}: external_id is given without role_arn; give both or neither")
        return self


class MirrorConfig(BaseModel):
    """Settings for turning EC2 instances into Workbench objects."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: str | None = Field(
        default=None, pattern=QUEUE_PATTERN, description="SQS queue of the events: its URL, ARN or name."
    )
    region: str | None = Field(
        default=None, pattern=REGION_PATTERN, description="Region of the queue when its name or URL does not say it."
    )
    endpoint_url: str | None = Field(default=None, description="Another AWS endpoint, for a stand-in.")
    accounts: tuple[AccountConfig, ...] = Field(default=(), description="Accounts with workbenches.")
    sources: tuple[Literal[SourceKind.EC2, SourceKind.ECS], ...] = Field(
        default=(SourceKind.EC2,),
        min_length=1,
        description="What may be a workbench in the accounts: EC2 instances, ECS tasks. Each needs its own rights.",
    )
    profile: Profile = Field(
        default=Profile.TAGS,
        description="Whose sources and tags these are, unless they are given: tags is the published pipeline, vew the "
        "Virtual Engineering Workbench.",
    )
    tag_owner: TagKey = Field(default=PRESETS[Profile.TAGS]["tag_owner"], description="Tag of the owner.")
    tag_type: str = Field(
        default=PRESETS[Profile.TAGS]["tag_type"],
        min_length=1,
        max_length=512,
        description="Tag of the type, or several in braces: {vew:product:name}-{vew:product:versionName}.",
    )
    require: dict[TagKey, Annotated[tuple[TagValue, ...], Field(min_length=1, max_length=50)]] = Field(
        default_factory=dict,
        description="Tags that a workbench needs besides, with the values that make it one.",
    )
    kubernetes: tuple[KubernetesRule, ...] = Field(
        default=(), description="Objects of the operator's own cluster that are workbenches, one rule a kind."
    )
    seat_tag: str | None = Field(
        default=None,
        min_length=1,
        max_length=128,
        description="Tag that tells on the instance whether its owner has every seat: ready, waiting or denied; "
        "for example seatpool:seat.",
    )
    type_aliases: dict[TagValue, TagValue] = Field(
        default_factory=dict, description="Types by another name: value of the type tag -> type of the Workbench."
    )
    custom_source: str = Field(default="vew.workbench", min_length=1, description="`source` of the custom events.")
    custom_detail_type: str = Field(
        default="Workbench State Change", min_length=1, description="`detail-type` of the custom events."
    )
    hub_sources: tuple[Annotated[str, Field(min_length=1, max_length=256)], ...] = Field(
        default=(),
        description="Own `source`s of the events WorkbenchEC2StateChanged and WorkbenchContainerStateChanged of a VEW hub. "
        "The account in their detail is believed. Those with the source aws.ec2 or aws.ecs need no entry.",
    )
    resync_interval: Annotated[Duration, Field(ge=timedelta(milliseconds=100))] = Field(
        default=timedelta(minutes=5), description="How often EC2 is asked for all workbenches."
    )
    describe_lag: Annotated[Duration, Field(ge=timedelta(0))] = Field(
        default=timedelta(seconds=15), description="How far an answer of EC2 may lag behind its own events."
    )
    future_tolerance: Annotated[Duration, Field(ge=timedelta(0))] = Field(
        default=timedelta(minutes=5),
        description="How far ahead of the clock a time may be. A later one is not believed: an event then counts as of now.",
    )
    max_event_delay: Annotated[Duration, Field(ge=timedelta(seconds=1))] = Field(
        default=timedelta(hours=1),
        description="How late an event may come into the queue. Of a later one EC2 is asked. Where EC2 may not be asked, "
        "a later one starts no workbench.",
    )
    terminated_retention: Annotated[Duration, Field(ge=timedelta(0))] = Field(
        default=timedelta(minutes=10),
        description="How long the object of a terminated instance stays, against late events. Where EC2 may not be asked, it "
        "stays at least for `max_event_delay`.",
    )
    receivers: int = Field(default=4, ge=1, le=32, description="Receives in flight at the same time.")
    long_poll: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(seconds=20))] = Field(
        default=timedelta(seconds=20), description="How long a receive waits for messages."
    )
    visibility: Annotated[Duration, Field(ge=timedelta(seconds=2), le=timedelta(hours=12))] = Field(
        default=timedelta(seconds=30), description="After how long a message that was not handled comes back."
    )
    write_concurrency: int = Field(
        default=32, ge=1, le=64, description="Writes to the Kubernetes API at the same time."
    )
    inventory_concurrency: int = Field(default=4, ge=1, le=32, description="Inventories at the same time.")
    aws_timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=500), le=timedelta(minutes=2))] = Field(
        default=timedelta(seconds=20), description="How long an answer of AWS may take."
    )
    inventory_page: int = Field(default=1000, ge=5, le=1000, description="Instances in a page of an inventory.")

    @property
    def inventory_limit(self) -> timedelta:
        """How old the last complete inventory may be: three intervals, and at least five minutes.

        One inventory may take as long.
        """
        return max(INVENTORY_LIMIT_INTERVALS * self.resync_interval, LEAST_INVENTORY_LIMIT)

    @field_validator("queue")
    @classmethod
    def _a_queue_url_names_a_host(cls, queue: str | None) -> str | None:
        if queue is not None and queue.startswith("http"):
            try:
                host = urlsplit(queue).hostname
            except ValueError:
                host = None
            if host is None and "://" in queue:
                raise ValueError(f"queue {queue}: the URL names no host; copy it from the queue's page in the console")
        return queue

    @property
    def tags(self) -> WorkbenchTags:
        """The tags that make a machine a workbench."""
        return WorkbenchTags(owner=self.tag_owner, type=self.tag_type, require=self.require, profile=self.profile)

    @model_validator(mode="before")
    @classmethod
    def _take_the_preset(cls, data: Any) -> Any:
        return with_preset(data) if isinstance(data, Mapping) else data

    @field_validator("tag_type")
    @classmethod
    def _a_type_names_tags(cls, tag_type: str) -> str:
        keys = keys_of_type(tag_type)
        if len(keys) == 1 and len(tag_type) > MAX_TAG_KEY and keys[0] == tag_type:
            raise ValueError(f"tag_type {tag_type}: a tag's key has {MAX_TAG_KEY} characters at most")
        return tag_type

    @model_validator(mode="after")
    def _the_seat_tag_is_ours(self) -> Self:
        if self.seat_tag is not None and self.seat_tag.startswith("aws:"):
            raise ValueError(f"seat_tag {self.seat_tag}: only AWS writes tags that begin with aws:; name another tag")
        if self.seat_tag in self.tags.keys:
            raise ValueError(f"seat_tag {self.seat_tag} is read as owner or type already; name another tag")
        return self

    @model_validator(mode="after")
    def _a_rule_has_a_name_of_its_own(self) -> Self:
        for name, count in Counter(rule.name for rule in self.kubernetes).items():
            if count > 1:
                raise ValueError(f"rule {name} is in mirror.kubernetes {count} times; give each rule a name of its own")
        return self

    @model_validator(mode="after")
    def _an_account_is_listed_once(self) -> Self:
        for account, count in Counter(entry.account for entry in self.accounts).items():
            if count > 1:
                raise ValueError(f"account {account} is listed {count} times; list it once with all its regions")
        return self
