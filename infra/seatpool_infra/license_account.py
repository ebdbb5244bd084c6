"""The account of the license servers: where events arrive, where commands are sent from, and who may do either."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from seatpool.servers.ssm.document import document_hash
from seatpool_infra.apply_document import add_document
from seatpool_infra.blueprints.bucket import LockedBucket
from seatpool_infra.blueprints.permission import Permission
from seatpool_infra.blueprints.queue import QueueWithDeadLetters
from seatpool_infra.blueprints.role import acknowledge_wildcards, statements
from seatpool_infra.call_trail import CallTrail
from seatpool_infra.central_bus import CentralBus
from seatpool_infra.operator_role import OperatorRole
from seatpool_infra.permissions import dead_letter_permissions, history_reader_permissions
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
        add_document(self, site)
        operator = OperatorRole(self, "OperatorRole", site=site, key_arn=key.key_arn)
        people = self._policy(
            "DeadLetterPolicy",
            f"{site.name}-dead-letters",
            description="For people who use `seatpool dlq`.",
            permissions=dead_letter_permissions(site, key_arn=key.key_arn),
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

    def _key(self, site: Site) -> kms.IKey:
        """A new key, or that of a former stack, which has kept its policy, and has lost its alias with the stack."""
        if site.license.key_arn is not None:
            kept = kms.Key.from_key_arn(self, "Key", site.license.key_arn)
            kms.Alias(self, "KeyAlias", alias_name=f"alias/{site.name}", target_key=kept)
            return kept
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

    def _policy(
        self, construct: str, name: str, *, description: str, permissions: Sequence[Permission]
    ) -> iam.ManagedPolicy:
        policy = iam.ManagedPolicy(
            self, construct, managed_policy_name=name, description=description, statements=statements(permissions)
        )
        acknowledge_wildcards(policy, permissions)
        return policy

    def _buckets(self, site: Site, key: kms.IKey) -> None:
        logs = LockedBucket(
            self,
            "AccessLogs",
            unlogged_because="it holds the other buckets' access logs; logs of its own would log themselves",
            expires_after=Duration.days(365),
        )
        if site.license.history:
            LockedBucket(
                self,
                "History",
                bucket_name=site.history_bucket,
                key=key,
                logs=logs,
                old_versions_kept=Duration.days(site.license.history_old_versions_days),
            )
            readers = self._policy(
                "HistoryReaderPolicy",
                f"{site.name}-history-readers",
                description="For people who use `seatpool report` and `seatpool sql` with the history in S3.",
                permissions=history_reader_permissions(site, key_arn=key.key_arn),
            )
            CfnOutput(
                self,
                "HistoryReaderPolicyArn",
                value=readers.managed_policy_arn,
                description="For people who make reports.",
            )
            CfnOutput(
                self,
                "HistoryLocation",
                value=site.history_location,
                description="history.location in the operator's settings.",
            )
        if site.license.trail:
            CallTrail(self, "CallTrail", site=site, key=key, logs=logs)
