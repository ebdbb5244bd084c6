"""An account with workbenches: its events go to the central bus, and the operator may look at its instances.

Nothing here can change an instance, but for the one tag that a site may ask for. What a lost event would have told, the
operator's inventory finds out, so failed deliveries are tried for an hour only. Then they are kept in a queue, for a person to
see what was wrong, and alarms ring.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from seatpool_infra.blueprints.alarm import Alarm
from seatpool_infra.blueprints.queue import UndeliveredEvents
from seatpool_infra.blueprints.role import NarrowRole, trust
from seatpool_infra.operator_role import trust_operator
from seatpool_infra.patterns import Pattern, forwarded
from seatpool_infra.permissions import forwarder_permissions, reader_permissions
from seatpool_infra.site import Site, WorkbenchAccount

TRIED_FOR = Duration.hours(1)
"""Older news the inventory has told already."""
ATTEMPTS = 60


class WorkbenchRegion(Stack):
    """One region of the account. Roles are of no region: the reader comes with the first one."""

    def __init__(
        self, scope: Construct, name: str, *, site: Site, account: WorkbenchAccount, region: str, **stack: Any
    ) -> None:
        super().__init__(scope, name, **stack)
        forwarder = NarrowRole(
            self,
            "Forwarder",
            description="EventBridge puts this region's events on Seatpool's central bus.",
            trust=[
                trust(
                    principal=iam.ServicePrincipal("events.amazonaws.com"),
                    conditions={"StringEquals": {"aws:SourceAccount": account.account}},
                )
            ],
            permissions=forwarder_permissions(site),
        )
        topic = account.alarm_topic_in(region)
        patterns = {f"{site.name}-{pattern.name.lower()}": pattern for pattern in forwarded(site)}
        undelivered = UndeliveredEvents(
            self,
            "Undelivered",
            queue_name=f"{site.name}-undelivered",
            rule_arns=[
                f"arn:{site.partition}:events:{region}:{account.account}:rule/{rule_name}" for rule_name in patterns
            ],
            alarm_topic_arn=topic,
        )
        for rule_name, pattern in patterns.items():
            self._forward(site, rule_name, pattern, forwarder, undelivered, topic)
        if region == account.regions[0]:
            self._reader(site, account)

    def _forward(
        self,
        site: Site,
        rule_name: str,
        pattern: Pattern,
        forwarder: NarrowRole,
        undelivered: UndeliveredEvents,
        topic: str | None,
    ) -> None:
        events.CfnRule(
            self,
            pattern.name,
            name=rule_name,
            description=pattern.description,
            event_pattern=pattern.pattern,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="central-bus",
                    arn=site.bus_arn,
                    role_arn=forwarder.arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=TRIED_FOR.to_seconds(), maximum_retry_attempts=ATTEMPTS
                    ),
                )
            ],
        )
        Alarm(
            self,
            f"{pattern.name}Alarm",
            metric=cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"RuleName": rule_name},
                statistic=cloudwatch.Stats.SUM,
                period=Duration.minutes(5),
            ),
            above=0,
            meaning=f"Events of rule {rule_name} did not reach {site.bus_arn}: look at the bus's policy. Inventories go on.",
            topic_arn=topic,
        )

    def _reader(self, site: Site, account: WorkbenchAccount) -> None:
        reader = NarrowRole(
            self,
            "Reader",
            role_name=site.reader_role,
            description=f"Seatpool looks at instances and changes {'nothing' if site.seat_tag is None else 'one tag'}.",
            trust=trust_operator(site, external_id=account.external_id),
            permissions=reader_permissions(site, account),
        )
        CfnOutput(self, "ReaderRoleArn", value=reader.arn, description="role_arn of the account in mirror.accounts.")
