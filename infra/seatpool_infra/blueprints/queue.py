"""A queue that loses nothing silently: a dead-letter queue behind it, redrive both ways, alarms on both, encryption.

The dead-letter queue takes messages of this queue only. Its alarm rings at the first message, because a dead letter is
something that a person has to look at; the queue's own rings when the oldest message is old, which means that nobody
reads it.
"""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from seatpool_infra.blueprints.alarm import Alarm

KEPT_DEAD = Duration.days(14)


class QueueWithDeadLetters(Construct):
    """`queue`, `dead_letters`, and who may put events on them."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        queue_name: str,
        key: kms.IKey,
        max_receives: int,
        kept: Duration,
        too_old: Duration,
        alarm_topic_arn: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        arn = Stack.of(self).format_arn(service="sqs", resource=queue_name)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=f"{queue_name}-dlq",
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=KEPT_DEAD,
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE,
                source_queues=[sqs.Queue.from_queue_arn(self, "Source", arn)],
            ),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=queue_name,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=kept,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=max_receives),
        )
        _ring_at_first_message(
            self,
            "DeadLettersAlarm",
            self.dead_letters,
            meaning=f"Messages in {queue_name}-dlq could not be handled: look at them with `seatpool dlq list`.",
            topic_arn=alarm_topic_arn,
        )
        Alarm(
            self,
            "AgeAlarm",
            metric=self.queue.metric_approximate_age_of_oldest_message(
                statistic=cloudwatch.Stats.MAXIMUM, period=Duration.minutes(1)
            ),
            above=too_old.to_seconds(),
            minutes=3,
            meaning=f"Messages in {queue_name} are not read: is the operator running, and may it read the queue?",
            topic_arn=alarm_topic_arn,
        )

    def accept_from(self, rule_arns: Sequence[str]) -> None:
        """Let these EventBridge rules deliver to the queue, and leave in the dead-letter queue what they could not."""
        for queue in (self.queue, self.dead_letters):
            _accept_from(queue, rule_arns)


class UndeliveredEvents(Construct):
    """`queue`, where EventBridge rules of the same region leave events that they could not deliver, and an alarm on it.

    SQS encrypts it by a key of its own: that costs nothing, and needs no policy by which EventBridge may use a key.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        queue_name: str,
        rule_arns: Sequence[str],
        alarm_topic_arn: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=queue_name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=KEPT_DEAD,
        )
        Validations.of(self.queue).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3", reason="it is a dead-letter queue itself, of rules and not of a queue"
            )
        )
        _accept_from(self.queue, rule_arns)
        _ring_at_first_message(
            self,
            "Alarm",
            self.queue,
            meaning=f"Events in {queue_name} could not be delivered: their attributes ERROR_CODE and ERROR_MESSAGE say why.",
            topic_arn=alarm_topic_arn,
        )


def _ring_at_first_message(
    scope: Construct, name: str, queue: sqs.Queue, *, meaning: str, topic_arn: str | None
) -> None:
    """An alarm on a queue in which each message is something that a person has to look at."""
    metric = queue.metric_approximate_number_of_messages_visible(
        statistic=cloudwatch.Stats.MAXIMUM, period=Duration.minutes(1)
    )
    Alarm(scope, name, metric=metric, above=0, meaning=meaning, topic_arn=topic_arn)


def _accept_from(queue: sqs.Queue, rule_arns: Sequence[str]) -> None:
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="TakeFromRules",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
        )
    )
