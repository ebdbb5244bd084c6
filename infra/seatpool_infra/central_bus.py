"""The bus that other accounts put their events on, and the rule that takes from it what the operator understands.

A bus of its own, because a policy on the account's default bus would let the same accounts send events that other
rules act on. Services' events cannot be forged on it: PutEvents takes no source that begins with `aws.`, and the account
in an event is the sender's own.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from constructs import Construct

from seatpool_infra.blueprints.alarm import Alarm
from seatpool_infra.blueprints.queue import QueueWithDeadLetters
from seatpool_infra.patterns import accepted
from seatpool_infra.site import Site

TRIED_FOR = Duration.hours(24)
ATTEMPTS = 185


class CentralBus(Construct):
    """Bus, policy and rule; what cannot be delivered goes into the dead-letter queue as well."""

    def __init__(self, scope: Construct, name: str, *, site: Site, queue: QueueWithDeadLetters) -> None:
        super().__init__(scope, name)
        bus = events.CfnEventBus(
            self, "Bus", name=site.name, description="Instances that start and stop, for Seatpool."
        )
        self.arn = bus.attr_arn
        statement = _statement(site)
        if statement is not None:
            events.CfnEventBusPolicy(
                self,
                "Policy",
                event_bus_name=site.name,
                statement_id="PutFromWorkbenchAccounts",
                statement=statement,
            ).add_dependency(bus)
        pattern = accepted(site)
        rule = events.CfnRule(
            self,
            "Rule",
            event_bus_name=site.name,
            name=site.queue,
            description=pattern.description,
            event_pattern=pattern.pattern,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="queue",
                    arn=queue.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.dead_letters.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=TRIED_FOR.to_seconds(), maximum_retry_attempts=ATTEMPTS
                    ),
                )
            ],
        )
        rule.add_dependency(bus)
        queue.accept_from([site.central_rule_arn, *site.license.hub_rule_arns])
        Alarm(
            self,
            "FailedInvocations",
            metric=cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"EventBusName": site.name, "RuleName": site.queue},
                statistic=cloudwatch.Stats.SUM,
                period=Duration.minutes(5),
            ),
            above=0,
            meaning=f"Events did not get from bus {site.name} into {site.queue}: look at the queue's and the key's policy.",
            topic_arn=site.license.alarm_topic_arn,
        )


def _statement(site: Site) -> Mapping[str, Any] | None:
    """None when all workbenches are in the bus's own account, which needs no policy."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": site.bus_arn}
    if site.organization is not None:
        return statement | {
            "Principal": "*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": site.organization}},
        }
    others = sorted(each.account for each in site.workbenches if each.account != site.license.account)
    if not others:
        return None
    return statement | {"Principal": {"AWS": [f"arn:{site.partition}:iam::{account}:root" for account in others]}}
