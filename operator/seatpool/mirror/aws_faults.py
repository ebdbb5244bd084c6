"""Failures of AWS calls, each with a reason from a closed set and a sentence that says what to do."""

from enum import StrEnum

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)

from seatpool.domain.errors import SeatpoolError


class UnexpectedAnswer(SeatpoolError):  # noqa: N818
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


_DENIED = {
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "OptInRequired",
    "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken", "Blocked",
}  # fmt: skip
_MISSING = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue"}
_THROTTLED = {
    "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException", "RequestThrottled",
}  # fmt: skip

_ADVICE = {
    FaultReason.ACCESS_DENIED: "allow the action in the IAM policy, or check role_arn and external_id",
    FaultReason.QUEUE_MISSING: "check mirror.queue, or create the queue",
    FaultReason.THROTTLED: "nothing: it is tried again with growing pauses",
    FaultReason.UNREACHABLE: "check the network, the region and the endpoint",
    FaultReason.NO_CREDENTIALS: "give the pod an IAM role",
    FaultReason.NO_REGION: "set mirror.region",
    FaultReason.AWS_ERROR: "see the message",
}


def error_code(error: Exception) -> str:
    """AWS's own code for a refused call, empty when there was no answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def reason_of(error: Exception) -> FaultReason:
    code = error_code(error)
    if code in _DENIED:
        return FaultReason.ACCESS_DENIED
    if code in _MISSING:
        return FaultReason.QUEUE_MISSING
    if code in _THROTTLED:
        return FaultReason.THROTTLED
    if isinstance(error, NoCredentialsError | CredentialRetrievalError):
        return FaultReason.NO_CREDENTIALS
    if isinstance(error, NoRegionError):
        return FaultReason.NO_REGION
    if isinstance(error, ConnectionError | HTTPClientError):
        return FaultReason.UNREACHABLE
    return FaultReason.AWS_ERROR


def describe_fault(error: Exception) -> str:
    """What happened and what to do about it."""
    return f"{error}; {_ADVICE[reason_of(error)]}"
