"""What kind of failure an AWS call met, whatever service it was."""

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
)

_DENIED = {
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "OptInRequired",
    "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken",
    "ExpiredTokenException", "Blocked",
}  # fmt: skip
_THROTTLED = {
    "RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException", "RequestThrottled",
}  # fmt: skip


def error_code(error: Exception) -> str:
    """AWS's own code for a refused call, empty when there was no answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def is_denied(error: Exception) -> bool:
    """The caller may not do this, or is not who it says."""
    return error_code(error) in _DENIED


def is_throttled(error: Exception) -> bool:
    """The call was refused for its rate and not carried out."""
    return error_code(error) in _THROTTLED


def lacks_credentials(error: Exception) -> bool:
    """There was nothing to sign the call with."""
    return isinstance(error, NoCredentialsError | CredentialRetrievalError)


def is_unreachable(error: Exception) -> bool:
    """There was no answer."""
    return isinstance(error, ConnectionError | HTTPClientError)
