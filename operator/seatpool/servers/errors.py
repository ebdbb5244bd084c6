"""Why a command failed, each with a reason from a closed set, a sentence that says what to do, and whether the list
may have been changed all the same: then it has to be read before anything else is decided.
"""

from enum import StrEnum

from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoRegionError,
    ParamValidationError,
    ProxyConnectionError,
)

from seatpool.aws.refusals import error_code, is_denied, is_throttled, is_unreachable, lacks_credentials
from seatpool.domain.errors import SeatpoolError


class CommandFault(StrEnum):
    """Why a command failed; also the reason of a condition and the label of a metric."""

    THROTTLED = "Throttled"
    ACCESS_DENIED = "AccessDenied"
    INVALID_INSTANCE = "InvalidInstance"
    INVALID_DOCUMENT = "InvalidDocument"
    DOCUMENT_CHANGED = "DocumentChanged"
    NO_CREDENTIALS = "NoCredentials"
    UNREACHABLE = "Unreachable"
    UNDELIVERABLE = "Undeliverable"
    DELIVERY_TIMED_OUT = "DeliveryTimedOut"
    EXECUTION_TIMED_OUT = "ExecutionTimedOut"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    INVOCATION_MISSING = "InvocationMissing"
    AWS_ERROR = "AWSError"
    BAD_OUTPUT = "BadOutput"


ADVICE = {
    CommandFault.THROTTLED: "nothing: it is tried again with growing pauses",
    CommandFault.ACCESS_DENIED: "allow the action in the IAM policy, or check roleArn and externalId",
    CommandFault.INVALID_INSTANCE: "check spec.target and spec.region, and that the SSM agent runs and is connected",
    CommandFault.INVALID_DOCUMENT: "check spec.document, or create it from what `seatpool document` prints",
    CommandFault.DOCUMENT_CHANGED: "upload what `seatpool document` prints, after finding out who changed the document",
    CommandFault.NO_CREDENTIALS: "give the pod an IAM role",
    CommandFault.UNREACHABLE: "check the network, the region and the endpoint",
    CommandFault.UNDELIVERABLE: "check that the node is running and that its SSM agent is connected",
    CommandFault.DELIVERY_TIMED_OUT: "check that the node is running and that its SSM agent is connected",
    CommandFault.EXECUTION_TIMED_OUT: "raise spec.timeout if the vendor's client needs longer, or see why it hangs",
    CommandFault.CANCELLED: "nothing if somebody cancelled it on purpose; it is sent again",
    CommandFault.FAILED: "see the message and the SSM agent's log on the node",
    CommandFault.TERMINATED: "see the command in the Run Command history of SSM",
    CommandFault.INVOCATION_MISSING: "see the Run Command history of SSM; it is sent again",
    CommandFault.AWS_ERROR: "see the message",
    CommandFault.BAD_OUTPUT: "check that the SSM document is the one that `seatpool document` prints",
}

_BY_CODE = {
    "InvalidInstanceId": CommandFault.INVALID_INSTANCE,
    "UnsupportedPlatformType": CommandFault.INVALID_INSTANCE,
    "InvalidDocument": CommandFault.INVALID_DOCUMENT,
    "InvalidDocumentVersion": CommandFault.INVALID_DOCUMENT,
    "InvalidParameters": CommandFault.INVALID_DOCUMENT,
    "InvalidCommandId": CommandFault.INVOCATION_MISSING,
    "InvocationDoesNotExist": CommandFault.INVOCATION_MISSING,
}
_BY_STATUS = {
    "DeliveryTimedOut": (CommandFault.DELIVERY_TIMED_OUT, False),
    "Undeliverable": (CommandFault.UNDELIVERABLE, False),
    "InvalidPlatform": (CommandFault.INVALID_INSTANCE, False),
    "AccessDenied": (CommandFault.ACCESS_DENIED, False),
    "Terminated": (CommandFault.TERMINATED, False),
    "ExecutionTimedOut": (CommandFault.EXECUTION_TIMED_OUT, True),
    "TimedOut": (CommandFault.EXECUTION_TIMED_OUT, True),
    "Cancelled": (CommandFault.CANCELLED, True),
    "Failed": (CommandFault.FAILED, True),
}


class TransportError(SeatpoolError):
    """A command did not come to a known good end."""

    def __init__(self, reason: CommandFault, message: str, *, maybe_applied: bool) -> None:
        super().__init__(f"{message}; {ADVICE[reason]}")
        self.reason = reason
        self.maybe_applied = maybe_applied
        """Whether the server's list may have changed."""


def fault_of(error: Exception) -> CommandFault:
    """The reason for a failed AWS call."""
    code = error_code(error)
    if code == "InvalidDocument" and "hash" in str(error).lower():
        return CommandFault.DOCUMENT_CHANGED
    if code in _BY_CODE:
        return _BY_CODE[code]
    if is_denied(error):
        return CommandFault.ACCESS_DENIED
    if is_throttled(error):
        return CommandFault.THROTTLED
    if lacks_credentials(error):
        return CommandFault.NO_CREDENTIALS
    if is_unreachable(error):
        return CommandFault.UNREACHABLE
    return CommandFault.AWS_ERROR


def may_have_been_sent(error: Exception) -> bool:
    """Whether a SendCommand that failed so may have been carried out: only a plain refusal or no connection says no."""
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError):
        return False
    if lacks_credentials(error) or isinstance(error, NoRegionError | ParamValidationError):
        return False
    return is_unreachable(error) or not _is_refusal(error)


def ended_badly(details: str, message: str) -> TransportError:
    """The error for a command that ended with this StatusDetails."""
    reason, maybe_applied = _BY_STATUS.get(details, (CommandFault.AWS_ERROR, True))
    return TransportError(reason, message, maybe_applied=maybe_applied)


def _is_refusal(error: Exception) -> bool:
    response = getattr(error, "response", {})
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)) < 500
