"""An alarm whose description says what it means and what to do, on a topic when there is one."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct


class Alarm(Construct):
    """Rings when the metric is above a number for some minutes. No data is good news: nothing came."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        metric: cloudwatch.Metric,
        above: float,
        meaning: str,
        minutes: int = 1,
        topic_arn: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        alarm = cloudwatch.Alarm(
            self,
            "Alarm",
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=meaning,
        )
        if topic_arn is not None:
            resource = alarm.node.default_child
            assert isinstance(resource, cloudwatch.CfnAlarm)  # noqa: S101
            resource.alarm_actions = [topic_arn]
            resource.ok_actions = [topic_arn]
