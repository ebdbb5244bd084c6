"""Turns failures of SSM into errors of commands: which reason, and whether the command may have been carried out."""

from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoRegionError,
    ParamValidationError,
    ProxyConnectionError,
)

from seatpool.aws import errors as aws
from seatpool.servers.errors import FAULT_OF_REASON, CommandFault, TransportError

_FAULT_OF_STATUS = {
    "DeliveryTimedOut": CommandFault.DELIVERY_TIMED_OUT,
    "Undeliverable": CommandFault.UNDELIVERABLE,
    "InvalidPlatform": CommandFault.INVALID_INSTANCE,
    "AccessDenied": CommandFault.ACCESS_DENIED,
    "Terminated": CommandFault.TERMINATED,
    "ExecutionTimedOut": CommandFault.EXECUTION_TIMED_OUT,
    "TimedOut": CommandFault.EXECUTION_TIMED_OUT,
    "Cancelled": CommandFault.CANCELLED,
    "Failed": CommandFault.FAILED,
}
"""StatusDetails of SSM and the reason.

SSM sets some of them without the agent's word: a command that the agent runs, or has run, can end as DeliveryTimedOut.
So the list may have changed after each of them.
"""


def fault_of(error: Exception) -> CommandFault:
    """Returns the reason of a failed AWS call."""
    return FAULT_OF_REASON.get(aws.reason_of(error), CommandFault.AWS_ERROR)


def may_have_been_sent(error: Exception) -> bool:
    """Tells whether a SendCommand that failed so may have been carried out.

    It was not if AWS refused it, or if there was no connection to send it over.
    """
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError):
        return False
    if isinstance(error, NoRegionError | ParamValidationError):
        return False
    reason = aws.reason_of(error)
    if reason is aws.AwsErrorReason.NO_CREDENTIALS:
        return False
    return reason is aws.AwsErrorReason.UNREACHABLE or not _is_refusal(error)


def error_of_status(details: str, message: str) -> TransportError:
    """Returns the error for a command that ended with this StatusDetails."""
    return ended_with(_FAULT_OF_STATUS.get(details, CommandFault.AWS_ERROR), message)


def ended_with(reason: CommandFault, message: str) -> TransportError:
    """Returns the error for a command that SSM accepted and that has ended badly."""
    return TransportError(reason, message, maybe_applied=True, is_known_to_have_ended=True)


def _is_refusal(error: Exception) -> bool:
    response = getattr(error, "response", {})
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)) < 500
