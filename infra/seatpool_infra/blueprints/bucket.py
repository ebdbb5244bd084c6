"""A bucket that is shut: no public access, TLS only, encrypted, versioned, with access logs, and kept when its stack goes.

Where access logs of a bucket go is another bucket, which has none of its own; it says why, and cdk-nag takes that word.
"""

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


class LockedBucket(Construct):
    """`bucket`; without a key S3's own encrypts it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bucket_name: str | None = None,
        key: kms.IKey | None = None,
        logs: "LockedBucket | None" = None,
        unlogged_because: str | None = None,
        expires_after: Duration | None = None,
        old_versions_kept: Duration | None = None,
    ) -> None:
        super().__init__(scope, name)
        self.bucket: s3.Bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=bucket_name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            bucket_key_enabled=key is not None,
            encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
            encryption_key=key,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN,
            versioned=True,
            server_access_logs_bucket=None if logs is None else logs.bucket,
            server_access_logs_prefix=None if logs is None else f"{name.lower()}/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="tidy",
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    expiration=expires_after,
                    # With an expiration S3 removes such markers by itself, and takes no rule that says both.
                    expired_object_delete_marker=True if expires_after is None else None,
                    noncurrent_version_expiration=old_versions_kept or Duration.days(90),
                )
            ],
        )
        if unlogged_because is not None:
            Validations.of(self.bucket).acknowledge(Acknowledgment(id="AwsSolutions-S1", reason=unlogged_because))
