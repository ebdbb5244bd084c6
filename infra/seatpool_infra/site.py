"""What one site decides: which accounts and regions there are, and how the operator is known to AWS.

Every name that two accounts have to agree on is made here from these few fields. Two accounts cannot ask each other
when they are deployed, so their names are fixed and their ARNs are written out in full.
"""

from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from seatpool.api.licenseserver import DEFAULT_DOCUMENT
from seatpool.domain.errors import SeatpoolError
from seatpool.mirror.config import ACCOUNT_PATTERN, MirrorConfig, Region

NAMESPACE = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
HISTORY_PREFIX = "history"
ARN = r"^arn:aws[a-z-]*:"
Account = Annotated[str, Field(pattern=ACCOUNT_PATTERN)]


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
    alarm_topic_arn: str | None = Field(default=None, pattern=ARN + r"sns:[a-z0-9-]+:[0-9]{12}:\S+$")
    history: bool = False
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


class WorkbenchAccount(BaseModel):
    """An account whose instances are workbenches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: Account
    regions: tuple[Region, ...] = Field(min_length=1)
    namespace: str = Field(default="default", pattern=NAMESPACE)
    external_id: str = Field(min_length=8, max_length=1224, pattern=r"^[\w+=,.@:/-]+$")


class Site(BaseModel):
    """One installation of Seatpool and all its accounts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="seatpool", pattern=r"^[a-z][a-z0-9-]{1,30}$")
    partition: str = Field(default="aws", pattern=r"^aws[a-z-]*$")
    organization: str | None = Field(default=None, pattern=r"^o-[a-z0-9]{10,32}$")
    tag_owner: str = MirrorConfig.model_fields["tag_owner"].default
    tag_type: str = MirrorConfig.model_fields["tag_type"].default
    seat_tag: str | None = Field(default=None, min_length=1, max_length=128)
    custom_events: CustomEvents | None = None
    license: LicenseAccount
    workbenches: tuple[WorkbenchAccount, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _a_seat_tag_is_only_that(self) -> Self:
        if self.seat_tag in (self.tag_owner, self.tag_type):
            raise ValueError(f"seat_tag {self.seat_tag} is read as owner or type already; name another tag")
        return self

    @model_validator(mode="after")
    def _accounts_are_there_once(self) -> Self:
        accounts = [each.account for each in self.workbenches]
        if len(set(accounts)) != len(accounts):
            twice = next(account for account in accounts if accounts.count(account) > 1)
            raise ValueError(f"account {twice} is in workbenches twice; write it once, with all its regions")
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

    @property
    def document_arn(self) -> str:
        return self._arn("ssm", f"document/{self.license.document}")

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
