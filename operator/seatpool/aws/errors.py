"""Maps an error of an AWS call to a reason from a closed set and to an advice.

This is the only such table. `mirror` uses it as it is. `servers.errors` takes its reasons and sentences from it.
"""

import re
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
from seatpool.threads import UnexpectedEnd


class UnexpectedAnswer(SeatpoolError):
    """AWS answered with something that its documentation does not know."""


AWS_ERRORS = (ClientError, BotoCoreError, UnexpectedAnswer, UnexpectedEnd)
"""Every error that an AWS call raises."""


class AwsErrorReason(StrEnum):
    """Reasons of failed calls. They are also reasons of conditions and labels of metrics."""

    ACCESS_DENIED = "AccessDenied"
    THROTTLED = "Throttled"
    NO_CREDENTIALS = "NoCredentials"
    NO_REGION = "NoRegion"
    UNREACHABLE = "Unreachable"
    QUEUE_MISSING = "QueueMissing"
    INVALID_INSTANCE = "InvalidInstance"
    INVALID_DOCUMENT = "InvalidDocument"
    DOCUMENT_CHANGED = "DocumentChanged"
    INVOCATION_MISSING = "InvocationMissing"
    AWS_ERROR = "AWSError"


ADVICE = {
    AwsErrorReason.ACCESS_DENIED: "allow the action in the IAM policy, or check role_arn and external_id",
    AwsErrorReason.THROTTLED: "nothing: it is tried again with growing pauses",
    AwsErrorReason.NO_CREDENTIALS: "give the pod an IAM role",
    AwsErrorReason.NO_REGION: "set mirror.region",
    AwsErrorReason.UNREACHABLE: "check the network, the region and the endpoint",
    AwsErrorReason.QUEUE_MISSING: "check mirror.queue, or create the queue",
    AwsErrorReason.INVALID_INSTANCE: "check spec.target and spec.region, and that the SSM agent runs and is connected",
    AwsErrorReason.INVALID_DOCUMENT: "check spec.document, or create it from what `seatpool document` prints",
    AwsErrorReason.DOCUMENT_CHANGED: "upload what `seatpool document` prints, after finding out who changed the document",
    AwsErrorReason.INVOCATION_MISSING: "see the Run Command history of SSM; it is sent again",
    AwsErrorReason.AWS_ERROR: "see the message",
}
"""Advice for each reason. Names are those of the settings file. `servers.errors` uses the names of resources."""

_CODES = {
    AwsErrorReason.ACCESS_DENIED: (
        "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "OptInRequired",
        "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken",
        "ExpiredTokenException", "Blocked",
    ),
    AwsErrorReason.THROTTLED: (
        "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException", "RequestThrottled",
    ),
    AwsErrorReason.QUEUE_MISSING: (
        "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue",
    ),
    AwsErrorReason.INVALID_INSTANCE: ("InvalidInstanceId", "UnsupportedPlatformType"),
    AwsErrorReason.INVALID_DOCUMENT: ("InvalidDocument", "InvalidDocumentVersion", "InvalidParameters"),
    AwsErrorReason.INVOCATION_MISSING: ("InvalidCommandId", "InvocationDoesNotExist"),
}  # fmt: skip
_RETRIES = re.compile(r" \(reached max retries: [0-9]+\)")
_REASON_OF_CODE = {code: reason for reason, codes in _CODES.items() for code in codes}


def error_code(error: Exception) -> str:
    """Returns AWS's own code of a refused call. Empty: there was no answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def reason_of(error: Exception) -> AwsErrorReason:
    """Returns the reason of a failed call."""
    code = error_code(error)
    if code == "InvalidDocument" and "hash" in str(error).lower():
        return AwsErrorReason.DOCUMENT_CHANGED
    if code in _REASON_OF_CODE:
        return _REASON_OF_CODE[code]
    if isinstance(error, NoCredentialsError | CredentialRetrievalError):
        return AwsErrorReason.NO_CREDENTIALS
    if isinstance(error, NoRegionError):
        return AwsErrorReason.NO_REGION
    if isinstance(error, ConnectionError | HTTPClientError):
        return AwsErrorReason.UNREACHABLE
    return AwsErrorReason.AWS_ERROR


def error_text(error: Exception) -> str:
    """Returns AWS's own words in one line, without how often botocore tried: callers try again by themselves."""
    return " ".join(_RETRIES.sub("", str(error)).split())


def describe_error(error: Exception) -> str:
    """Returns what happened and what to do about it."""
    return f"{error_text(error)}; {ADVICE[reason_of(error)]}"
