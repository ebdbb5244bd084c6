"""Who touched the queue's messages and the history's files: CloudTrail's data events, which no trail records by itself.

The commands to license servers are management events, which every account's event history and an organisation's trail
have already; a second copy of those would only cost. The operator's own polling of the queue is left out: at some
receives a second it would bury the calls that somebody looks for.
"""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from seatpool_infra.blueprints.bucket import LockedBucket
from seatpool_infra.site import Site

KEPT = Duration.days(365)
Selector = cloudtrail.CfnTrail.AdvancedEventSelectorProperty
Field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty


class CallTrail(Construct):
    """One trail of this region and the bucket that it writes into."""

    def __init__(self, scope: Construct, name: str, *, site: Site, key: kms.IKey, logs: LockedBucket) -> None:
        super().__init__(scope, name)
        mine = site.license
        trail_name = f"{site.name}-data"
        trail_arn = f"arn:{site.partition}:cloudtrail:{mine.region}:{mine.account}:trail/{trail_name}"
        store = LockedBucket(self, "Trail", key=key, logs=logs, expires_after=KEPT)
        service = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        from_trail = {"StringEquals": {"aws:SourceArn": trail_arn}}
        store.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TrailLooks",
                principals=[service],
                actions=["s3:GetBucketAcl"],
                resources=[store.bucket.bucket_arn],
                conditions=from_trail,
            )
        )
        store.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TrailWrites",
                principals=[service],
                actions=["s3:PutObject"],
                resources=[store.bucket.arn_for_objects(f"AWSLogs/{mine.account}/*")],
                conditions={"StringEquals": {"aws:SourceArn": trail_arn, "s3:x-amz-acl": "bucket-owner-full-control"}},
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TrailEncrypts",
                principals=[service],
                actions=["kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions=from_trail,
            )
        )
        trail = cloudtrail.CfnTrail(
            self,
            "Data",
            trail_name=trail_name,
            s3_bucket_name=store.bucket.bucket_name,
            is_logging=True,
            is_multi_region_trail=False,
            include_global_service_events=False,
            enable_log_file_validation=True,
            kms_key_id=key.key_arn,
            advanced_event_selectors=_selectors(site),
        )
        assert store.bucket.policy is not None  # noqa: S101
        trail.node.add_dependency(store.bucket.policy)


def _selectors(site: Site) -> list[Any]:
    operator = f"arn:{site.partition}:sts::{site.license.account}:assumed-role/{site.operator_role}/"
    queues = Selector(
        name="Others than the operator at its queues",
        field_selectors=[
            Field(field="eventCategory", equal_to=["Data"]),
            Field(field="resources.type", equal_to=["AWS::SQS::Queue"]),
            Field(field="resources.ARN", equal_to=[site.queue_arn, site.dead_letter_queue_arn]),
            Field(field="userIdentity.arn", not_starts_with=[operator]),
        ],
    )
    if not site.license.history:
        return [queues]
    files = Selector(
        name="Files of the history",
        field_selectors=[
            Field(field="eventCategory", equal_to=["Data"]),
            Field(field="resources.type", equal_to=["AWS::S3::Object"]),
            Field(field="resources.ARN", starts_with=[f"arn:{site.partition}:s3:::{site.history_bucket}/"]),
        ],
    )
    return [queues, files]
