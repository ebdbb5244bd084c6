"""The account of the license servers: where events arrive, where commands are sent from, and who may do either."""

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from seatpool.servers.document import document_hash, document_json
from seatpool_infra.blueprints.bucket import LockedBucket
from seatpool_infra.blueprints.queue import QueueWithDeadLetters
from seatpool_infra.blueprints.role import statements
from seatpool_infra.call_trail import CallTrail
from seatpool_infra.central_bus import CentralBus
from seatpool_infra.operator_role import OperatorRole
from seatpool_infra.permissions import dead_letter_permissions
from seatpool_infra.site import Site

KEPT = Duration.days(4)
"""Longer than any weekend's outage; after it the inventory alone would do."""
TOO_OLD = Duration.minutes(5)
MAX_RECEIVES = 10
"""A message is received again whenever it waits for EC2's answer, and hidden for up to a quarter of an hour then."""


class LicenseAccount(Stack):
    """Everything in one region of one account."""

    def __init__(self, scope: Construct, name: str, *, site: Site, **stack: Any) -> None:
        super().__init__(scope, name, **stack)
        mine = site.license
        key = self._key(site)
        queue = QueueWithDeadLetters(
            self,
            "Events",
            queue_name=site.queue,
            key=key,
            max_receives=MAX_RECEIVES,
            kept=KEPT,
            too_old=TOO_OLD,
            alarm_topic_arn=mine.alarm_topic_arn,
        )
        bus = CentralBus(self, "CentralBus", site=site, queue=queue)
        self._document(site)
        operator = OperatorRole(self, "OperatorRole", site=site, key_arn=key.key_arn)
        people = iam.ManagedPolicy(
            self,
            "DeadLetterPolicy",
            managed_policy_name=f"{site.name}-dead-letters",
            description="For people who use `seatpool dlq`.",
            statements=statements(dead_letter_permissions(site, key_arn=key.key_arn)),
        )
        if mine.history or mine.trail:
            self._buckets(site, key)
        told = {
            "QueueArn": (queue.queue.queue_arn, "mirror.queue in the operator's settings."),
            "BusArn": (bus.arn, "Where the accounts with workbenches put their events."),
            "OperatorRoleArn": (operator.role.arn, "For the service account's annotation eks.amazonaws.com/role-arn."),
            "DocumentName": (mine.document, "spec.document of a LicenseServer."),
            "DocumentHash": (document_hash(), "The operator of the same version sends this document and no other."),
            "DeadLetterPolicyArn": (people.managed_policy_arn, "For people who use `seatpool dlq`."),
        }
        for output, (value, meaning) in told.items():
            CfnOutput(self, output, value=value, description=meaning)

    def _key(self, site: Site) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=f"alias/{site.name}",
            description="Seatpool's events and history.",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        # EventBridge names no source when it uses a queue's key, so there is nothing to ask for here; which rule may
        # send is in the queue's own policy.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="EventsArriveEncrypted",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
            )
        )
        return key

    def _document(self, site: Site) -> None:
        """As text and not as an object: its hash, which every command names, is of these very bytes.

        CloudFormation takes either, the CDK's property an object only, so the text is put in its place.
        """
        resource = ssm.CfnDocument(
            self,
            "Document",
            name=site.license.document,
            content={},
            document_format="JSON",
            document_type="Command",
            update_method="NewVersion",
        )
        resource.add_property_override("Content", document_json())
        # cfn-lint's rule for documents cannot read text; a test gives it the same content as an object.
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3051"]}})

    def _buckets(self, site: Site, key: kms.Key) -> None:
        logs = LockedBucket(
            self,
            "AccessLogs",
            unlogged_because="it holds the other buckets' access logs; logs of its own would log themselves",
            expires_after=Duration.days(365),
        )
        if site.license.history:
            LockedBucket(self, "History", bucket_name=site.history_bucket, key=key, logs=logs)
            CfnOutput(
                self,
                "HistoryLocation",
                value=site.history_location,
                description="history.location in the operator's settings.",
            )
        if site.license.trail:
            CallTrail(self, "CallTrail", site=site, key=key, logs=logs)
