"""Tells why a command failed: a reason from a closed set, an advice, and whether the list may have changed anyway.

If it may have changed, the list has to be read back before anything else is decided. Reasons and advice of failed AWS calls
come from `seatpool.aws.errors`.
"""

from enum import StrEnum

from seatpool.aws import errors as aws
from seatpool.domain.errors import SeatpoolError


class CommandFault(StrEnum):
    """Reasons of failed commands. They are also reasons of conditions and labels of metrics."""

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
    NO_REPLY = "NoReply"
    CANCELLED = "Cancelled"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    INVOCATION_MISSING = "InvocationMissing"
    AWS_ERROR = "AWSError"
    BAD_OUTPUT = "BadOutput"
    NOT_ALLOWED = "NotAllowed"
    REFUSED = "Refused"
    CERTIFICATE_REFUSED = "CertificateRefused"
    SECRET_MISSING = "SecretMissing"  # noqa: S105
    TIMED_OUT = "TimedOut"
    BAD_ANSWER = "BadAnswer"


FAULT_OF_REASON = {
    reason: CommandFault(reason.value) for reason in aws.AwsErrorReason if reason.value in set(CommandFault)
}
_AGENT_ADVICE = "check that the node is running and that its SSM agent is connected"

ADVICE = {
    **{fault: aws.ADVICE[reason] for reason, fault in FAULT_OF_REASON.items()},
    CommandFault.ACCESS_DENIED: aws.ADVICE[aws.AwsErrorReason.ACCESS_DENIED]
    .replace("role_arn", "roleArn")
    .replace("external_id", "externalId"),
    CommandFault.UNREACHABLE: "check the network, and the region or the URL",
    CommandFault.UNDELIVERABLE: _AGENT_ADVICE,
    CommandFault.DELIVERY_TIMED_OUT: _AGENT_ADVICE,
    CommandFault.EXECUTION_TIMED_OUT: "raise spec.timeout if the vendor's client needs longer, or see why it hangs",
    CommandFault.NO_REPLY: f"its reply may be lost: {_AGENT_ADVICE}; a longer spec.timeout does not help",
    CommandFault.CANCELLED: "nothing if it was cancelled on purpose; it is sent again",
    CommandFault.FAILED: "see the message and the SSM agent's log on the node",
    CommandFault.TERMINATED: "see the command in the Run Command history of SSM",
    CommandFault.BAD_OUTPUT: "check that the SSM document is the one that `seatpool document` prints",
    CommandFault.REFUSED: "check the account in the Secret, and its rights on the server",
    CommandFault.CERTIFICATE_REFUSED: "check that the URL has the name that is in the server's certificate, and the CA",
    CommandFault.SECRET_MISSING: "create the Secret in the LicenseServer's namespace, and name it in the chart's value "
    "backends.secrets",
    CommandFault.TIMED_OUT: "check that the server answers; raise spec.timeout if it needs longer",
    CommandFault.BAD_ANSWER: "check that the URL is the server's, and see its log",
    CommandFault.NOT_ALLOWED: "nothing was sent; change the field, or have it allowed in the operator's setting servers.allowed",
}

_UNANSWERED = frozenset(
    {CommandFault.THROTTLED, CommandFault.ACCESS_DENIED, CommandFault.NO_CREDENTIALS, CommandFault.UNREACHABLE}
)


class TransportError(SeatpoolError):
    """A command did not come to a known good end."""

    def __init__(
        self, reason: CommandFault, message: str, *, maybe_applied: bool, is_known_to_have_ended: bool = False
    ) -> None:
        super().__init__(f"{message}; {ADVICE[reason]}")
        self.reason = reason
        self.maybe_applied = maybe_applied
        """True: the server's list may have changed."""
        self.is_known_to_have_ended = is_known_to_have_ended
        """True: SSM says that the command is over. Its result will not come any more."""

    @property
    def is_unanswered(self) -> bool:
        """Whether only the question for the result failed. The command may be well, and its result is asked for again."""
        return self.reason in _UNANSWERED and not self.is_known_to_have_ended

    @property
    def is_overrun(self) -> bool:
        """Whether the agent killed the command at its time limit: one of its products may hang."""
        return self.reason is CommandFault.EXECUTION_TIMED_OUT
