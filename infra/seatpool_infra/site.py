"""What one site decides: which accounts and regions there are, and how the operator is known to AWS.

Every name that two accounts have to agree on is made here from these few fields. Two accounts cannot ask each other
when they are deployed, so their names are fixed and their ARNs are written out in full.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import botocore.session
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from seatpool.api.licenseserver import DEFAULT_DOCUMENT
from seatpool.api.workbench import SourceKind
from seatpool.domain.errors import SeatpoolError
from seatpool.mirror.config import ACCOUNT_PATTERN, MirrorConfig, Region
from seatpool.mirror.workbench_tags import Profile, WorkbenchTags, keys_of_type, with_preset

NAMESPACE = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
HISTORY_PREFIX = "history"
ARN = r"^arn:aws[a-z-]*:"
Account = Annotated[str, Field(pattern=ACCOUNT_PATTERN)]
ExternalId = Annotated[str, Field(min_length=8, max_length=1224, pattern=r"^[\w+=,.@:/-]+$")]
Topic = Annotated[str, Field(pattern=ARN + r"sns:[a-z0-9-]+:[0-9]{12}:\S+$")]


class UnusableSite(SeatpoolError):
    """The file does not describe a site; the message names each field and what is wrong with it."""


class CustomEvents(BaseModel):
    """Events of the published pipeline's own kind, when it runs already."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = MirrorConfig.model_fields["custom_source"].default
    detail_type: str = MirrorConfig.model_fields["custom_detail_type"].default


class LicenseAccount(BaseModel):
    """The account with the license servers, the queue of events, and the operator's role."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Account
    region: Region
    document: str = Field(default=DEFAULT_DOCUMENT, pattern=r"^[a-zA-Z0-9_.-]{3,128}$")
    server_tag: str = Field(default="seatpool:license-server", min_length=1, max_length=128)
    server_tag_value: str = Field(default="*", min_length=1, max_length=256)
    namespace: str = Field(default="seatpool", pattern=NAMESPACE)
    service_account: str = Field(default="seatpool", pattern=NAMESPACE)
    oidc_provider_arn: str | None = Field(default=None, pattern=ARN + r"iam::[0-9]{12}:oidc-provider/\S+$")
    pod_identity_cluster: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")
    server_role_arns: tuple[Annotated[str, Field(pattern=ARN + r"iam::[0-9]{12}:role/[\w+=,.@/-]+$")], ...] = ()
    notify_bus_arn: str | None = Field(default=None, pattern=ARN + r"events:[a-z0-9-]+:[0-9]{12}:event-bus/\S+$")
    alarm_topic_arn: Topic | None = None
    key_arn: str | None = Field(default=None, pattern=ARN + r"kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$")
    """A key of a former stack, whose files are to be readable. None: a new key is made."""
    hub_rule_arns: tuple[Annotated[str, Field(pattern=ARN + r"events:[a-z0-9-]+:[0-9]{12}:rule/\S+$")], ...] = ()
    """Rules of other buses that put events of the workbenches' accounts on the queue, such as that of a VEW hub."""
    history: bool = False
    history_retention_days: int | None = Field(default=None, ge=1)
    history_old_versions_days: int = Field(default=30, ge=1, le=3650)
    trail: bool = True

    @model_validator(mode="after")
    def _somebody_is_the_operator(self) -> Self:
        if self.oidc_provider_arn is None and self.pod_identity_cluster is None:
            raise ValueError("nobody could be the operator: give oidc_provider_arn, pod_identity_cluster or both")
        if self.oidc_provider_arn is not None and f"::{self.account}:" not in self.oidc_provider_arn:
            raise ValueError(
                f"oidc_provider_arn {self.oidc_provider_arn} is not in account {self.account}: a role trusts providers of "
                "its own account only; create one there for the cluster's issuer"
            )
        return self

    @model_validator(mode="after")
    def _the_key_is_here(self) -> Self:
        if self.key_arn is not None and f":{self.region}:{self.account}:" not in self.key_arn:
            raise ValueError(
                f"key_arn {self.key_arn} is not in region {self.region} of account {self.account}: queues and buckets use keys "
                "of their own; leave it out for a new one"
            )
        return self

    @model_validator(mode="after")
    def _rules_of_hubs_are_here(self) -> Self:
        for arn in self.hub_rule_arns:
            if _region_of(arn) != self.region:
                raise ValueError(
                    f"hub_rule_arns: {arn} is not in region {self.region}: a rule reaches queues of its own region only"
                )
        return self

    @model_validator(mode="after")
    def _the_topic_can_be_reached(self) -> Self:
        if self.alarm_topic_arn is not None and _region_of(self.alarm_topic_arn) != self.region:
            raise ValueError(
                f"alarm_topic_arn {self.alarm_topic_arn} is not in region {self.region}: alarms reach topics of their own region"
            )
        return self


class WorkbenchAccount(BaseModel):
    """An account whose instances are workbenches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Account
    regions: tuple[Region, ...] = Field(min_length=1)
    namespace: str = Field(default="default", pattern=NAMESPACE)
    external_id: ExternalId
    alarm_topic_arns: tuple[Topic, ...] = ()
    """At most one in each region, because alarms reach topics of their own region only."""

    @model_validator(mode="after")
    def _topics_can_be_reached(self) -> Self:
        regions = [_region_of(arn) for arn in self.alarm_topic_arns]
        for arn, region in zip(self.alarm_topic_arns, regions, strict=True):
            if region not in self.regions:
                raise ValueError(
                    f"alarm_topic_arns: {arn} is in none of the regions {', '.join(self.regions)}: alarms reach topics of their "
                    "own region"
                )
            if regions.count(region) > 1:
                raise ValueError(f"alarm_topic_arns has two topics in {region}; name one for each region")
        return self

    def alarm_topic_in(self, region: str) -> str | None:
        """Returns the topic of a region. None: alarms ring in CloudWatch only."""
        return next((arn for arn in self.alarm_topic_arns if _region_of(arn) == region), None)


class ServerAccount(BaseModel):
    """License servers outside the region or outside the account of `license`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Account
    regions: tuple[Region, ...] = Field(min_length=1)
    external_id: ExternalId | None = None
    """What the role asks for. None in the account of `license`, where the operator needs no other role."""


class Site(BaseModel):
    """One installation of Seatpool and all its accounts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="seatpool", pattern=r"^[a-z][a-z0-9-]{1,30}$")
    partition: str = Field(default="aws", pattern=r"^aws[a-z-]*$")
    organization: str | None = Field(default=None, pattern=r"^o-[a-z0-9]{10,32}$")
    profile: Profile = Profile.TAGS
    """Whose sources and tags the next four have, unless they are given."""
    sources: tuple[Literal[SourceKind.EC2, SourceKind.ECS], ...] = Field(default=(SourceKind.EC2,), min_length=1)
    tag_owner: str = MirrorConfig.model_fields["tag_owner"].default
    tag_type: str = MirrorConfig.model_fields["tag_type"].default
    require: dict[str, tuple[str, ...]] = {}
    seat_tag: str | None = Field(default=None, min_length=1, max_length=128)
    custom_events: CustomEvents | None = None
    license: LicenseAccount
    workbenches: tuple[WorkbenchAccount, ...] = Field(min_length=1)
    license_servers: tuple[ServerAccount, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _take_the_preset(cls, data: Any) -> Any:
        return with_preset(data) if isinstance(data, dict) else data

    @property
    def tags(self) -> WorkbenchTags:
        """The tags that make a machine a workbench."""
        return WorkbenchTags(owner=self.tag_owner, type=self.tag_type, require=self.require, profile=self.profile)

    @model_validator(mode="after")
    def _a_type_names_tags(self) -> Self:
        keys_of_type(self.tag_type)
        return self

    @model_validator(mode="after")
    def _a_seat_tag_is_only_that(self) -> Self:
        if self.seat_tag in self.tags.keys:
            raise ValueError(f"seat_tag {self.seat_tag} is read as owner or type already; name another tag")
        return self

    @model_validator(mode="after")
    def _accounts_are_there_once(self) -> Self:
        for name, listed in (("workbenches", self.workbenches), ("license_servers", self.license_servers)):
            accounts = [each.account for each in listed]
            if len(set(accounts)) != len(accounts):
                twice = next(account for account in accounts if accounts.count(account) > 1)
                raise ValueError(f"account {twice} is in {name} twice; write it once, with all its regions")
        return self

    @model_validator(mode="after")
    def _regions_are_of_the_partition(self) -> Self:
        regions = {self.license.region, *(region for each in self.workbenches for region in each.regions)}
        regions |= {region for each in self.license_servers for region in each.regions}
        for region in sorted(regions):
            partition = botocore.session.get_session().get_partition_for_region(region)
            if partition != self.partition:
                raise ValueError(f"region {region} is in partition {partition}, and partition is {self.partition}")
        return self

    @model_validator(mode="after")
    def _license_servers_are_elsewhere(self) -> Self:
        for each in self.license_servers:
            at_home = each.account == self.license.account
            if at_home and self.license.region in each.regions:
                raise ValueError(
                    f"license_servers: region {self.license.region} of account {each.account} is that of `license`, which has "
                    "the document already; list other regions only"
                )
            if at_home and each.external_id is not None:
                raise ValueError(
                    f"license_servers: account {each.account} is that of `license`, where the operator assumes no other role; "
                    "leave external_id out"
                )
            if not at_home and each.external_id is None:
                raise ValueError(f"license_servers: account {each.account} needs an external_id for its role")
        return self

    @property
    def queue(self) -> str:
        return f"{self.name}-events"

    @property
    def queue_arn(self) -> str:
        return self._arn("sqs", self.queue)

    @property
    def dead_letter_queue_arn(self) -> str:
        return f"{self.queue_arn}-dlq"

    @property
    def bus_arn(self) -> str:
        return self._arn("events", f"event-bus/{self.name}")

    @property
    def central_rule_arn(self) -> str:
        return self._arn("events", f"rule/{self.name}/{self.queue}")

    def server_regions(self, account: str) -> tuple[str, ...]:
        """Returns the regions of an account with license servers. They have the document."""
        home = (self.license.region,) if account == self.license.account else ()
        return home + tuple(
            region for each in self.license_servers if each.account == account for region in each.regions
        )

    @property
    def server_role(self) -> str:
        return f"{self.name}-license-servers"

    def server_role_arn(self, account: str) -> str:
        return f"arn:{self.partition}:iam::{account}:role/{self.server_role}"

    @property
    def history_bucket(self) -> str:
        return f"{self.name}-history-{self.license.account}-{self.license.region}"

    @property
    def history_location(self) -> str:
        return f"s3://{self.history_bucket}/{HISTORY_PREFIX}"

    @property
    def operator_role(self) -> str:
        return f"{self.name}-operator"

    @property
    def operator_role_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.license.account}:role/{self.operator_role}"

    @property
    def reader_role(self) -> str:
        return f"{self.name}-reader"

    def reader_role_arn(self, account: str) -> str:
        return f"arn:{self.partition}:iam::{account}:role/{self.reader_role}"

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.license.region}:{self.license.account}:{resource}"


def _region_of(arn: str) -> str:
    return arn.split(":")[3]


def load_site(file: Path) -> Site:
    """The site that a YAML file describes."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Site.model_validate(content)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc'])) or 'site'}: {item['msg']}" for item in error.errors()]
        raise UnusableSite(f"site {file}: " + "; ".join(problems)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnusableSite(f"site {file}: {error}; name a file like infra/site.example.yaml") from error
