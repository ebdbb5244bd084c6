"""Sets up what a site has before Seatpool is installed: a queue of events, the SSM document, license servers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from seatpool.api.licenseserver import DEFAULT_DOCUMENT
from seatpool.sim.aws_access import ACCOUNT, AwsAccess
from seatpool.sim.aws_control import Aws
from seatpool.sim.fleet import IMAGE, Fleet
from seatpool.sim.license_host import LicenseHost

__all__ = ["LicenseServerNode", "Site"]

REGION = "eu-central-1"
SERVER_TAG = "seatpool:license-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseServerNode:
    """A license server: an instance with a tag, and its disk."""

    instance_id: str
    tag: str
    value: str
    host: LicenseHost


class Site:
    """One account in one region, set up."""

    def __init__(self, aws: Aws, *, region: str = REGION, account: str = ACCOUNT) -> None:
        self.aws = aws
        self.access = AwsAccess(aws.endpoint, region=region, account=account)
        self.queue = ""
        self.queue_url = ""
        self.dead_letter_url = ""
        self.document_name = ""

    @classmethod
    def create(
        cls,
        aws: Aws,
        *,
        document: str | Mapping[str, Any],
        document_name: str = DEFAULT_DOCUMENT,
        queue: str | None = "seatpool-events",
        max_receives: int = 3,
        region: str = REGION,
        account: str = ACCOUNT,
    ) -> Self:
        """Sets up a site. An account without the operator has no queue: its fleet posts to the other site's."""
        site = cls(aws, region=region, account=account)
        if queue is not None:
            site.make_queues(queue, max_receives=max_receives)
        site.make_document(document_name, document)
        return site

    @property
    def endpoint(self) -> str:
        return self.aws.endpoint

    @property
    def region(self) -> str:
        return self.access.region

    @property
    def account(self) -> str:
        return self.access.account

    def client(self, service: str) -> Any:
        return self.access.client(service)

    def make_queues(self, name: str, *, max_receives: int) -> None:
        """Creates the queue of events and its dead-letter queue."""
        sqs = self.client("sqs")
        self.queue = name
        self.dead_letter_url = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
        policy = {
            "deadLetterTargetArn": f"arn:aws:sqs:{self.region}:{self.account}:{name}-dlq",
            "maxReceiveCount": str(max_receives),
        }
        answer = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(policy)})
        self.queue_url = answer["QueueUrl"]

    def make_document(self, name: str, content: str | Mapping[str, Any]) -> None:
        self.document_name = name
        self.client("ssm").create_document(
            Name=name, Content=_text(content), DocumentType="Command", DocumentFormat="JSON"
        )

    def change_document(self, content: str | Mapping[str, Any]) -> None:
        """Makes another version of the document the default one."""
        ssm = self.client("ssm")
        answer = ssm.update_document(Name=self.document_name, Content=_text(content), DocumentVersion="$LATEST")
        version = answer["DocumentDescription"]["DocumentVersion"]
        ssm.update_document_default_version(Name=self.document_name, DocumentVersion=version)

    def add_license_server(self, name: str = "license-server") -> LicenseServerNode:
        """Starts an instance with this tag, an SSM agent and the vendor's client."""
        tags = [{"Key": SERVER_TAG, "Value": name}, {"Key": "Name", "Value": name}]
        answer = self.client("ec2").run_instances(
            ImageId=IMAGE, MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}]
        )
        instance_id = str(answer["Instances"][0]["InstanceId"])
        host = LicenseHost(self.aws.directory / instance_id)
        self.aws.control.register_node(instance_id, host.home)
        return LicenseServerNode(instance_id=instance_id, tag=SERVER_TAG, value=name, host=host)

    def fleet(self, *, queue_url: str | None = None, **options: Any) -> Fleet:
        """Returns the workbenches of this account and region.

        Their events go to this site's queue or to another site's.
        """
        return Fleet(
            self.endpoint,
            region=self.region,
            account=self.account,
            queue_url=queue_url or self.queue_url,
            access=self.access,
            **options,
        )

    def waiting_events(self) -> int:
        return self._depth(self.queue_url)

    def dead_letters(self) -> int:
        return self._depth(self.dead_letter_url)

    def _depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


def _text(content: str | Mapping[str, Any]) -> str:
    return content if isinstance(content, str) else json.dumps(content)
