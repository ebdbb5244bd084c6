"""Failures of AWS calls, each with a reason from a closed set and a sentence that says what to do."""

from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from seatpool.aws.refusals import error_code, is_denied, is_throttled, is_unreachable, lacks_credentials
from seatpool.domain.errors import SeatpoolError


class UnexpectedAnswer(SeatpoolError):
    """AWS answered with something that its documentation does not know."""


AWS_ERRORS = (ClientError, BotoCoreError, UnexpectedAnswer)


class FaultReason(StrEnum):
    """Why an AWS call failed; also the reason of a condition and the label of a metric."""

    ACCESS_DENIED = "AccessDenied"
    QUEUE_MISSING = "QueueMissing"
    THROTTLED = "Throttled"
    UNREACHABLE = "Unreachable"
    NO_CREDENTIALS = "NoCredentials"
    NO_REGION = "NoRegion"
    AWS_ERROR = "AWSError"


_MISSING = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue"}

_ADVICE = {
    FaultReason.ACCESS_DENIED: "allow the action in the IAM policy, or check role_arn and external_id",
    FaultReason.QUEUE_MISSING: "check mirror.queue, or create the queue",
    FaultReason.THROTTLED: "nothing: it is tried again with growing pauses",
    FaultReason.UNREACHABLE: "check the network, the region and the endpoint",
    FaultReason.NO_CREDENTIALS: "give the pod an IAM role",
    FaultReason.NO_REGION: "set mirror.region",
    FaultReason.AWS_ERROR: "see the message",
}


def reason_of(error: Exception) -> FaultReason:
    if is_denied(error):
        return FaultReason.ACCESS_DENIED
    if error_code(error) in _MISSING:
        return FaultReason.QUEUE_MISSING
    if is_throttled(error):
        return FaultReason.THROTTLED
    if lacks_credentials(error):
        return FaultReason.NO_CREDENTIALS
    if isinstance(error, NoRegionError):
        return FaultReason.NO_REGION
    if is_unreachable(error):
        return FaultReason.UNREACHABLE
    return FaultReason.AWS_ERROR


def describe_fault(error: Exception) -> str:
    """What happened and what to do about it."""
    return f"{error}; {_ADVICE[reason_of(error)]}"
