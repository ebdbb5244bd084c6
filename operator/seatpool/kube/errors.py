"""Errors of the Kubernetes API, one class for each answer that callers treat differently."""

from seatpool.domain.errors import SeatpoolError


class KubeError(SeatpoolError):
    """The API server refused or could not be reached; `status` is 0 when there was no answer."""

    def __init__(self, *, status: int, reason: str, message: str, what: str) -> None:
        super().__init__(f"{what}: {message or reason or status}")
        self.status = status
        self.reason = reason


class NotFound(KubeError):
    """No such object."""


class Conflict(KubeError):
    """The object changed since it was read, or another field manager owns a field."""


class AlreadyExists(KubeError):
    """An object of that name is there already."""


class Forbidden(KubeError):
    """RBAC does not allow it; the message names the verb and the resource."""


class Invalid(KubeError):
    """The object breaks the schema; the message names the field."""


class Gone(KubeError):
    """The continue token or resource version is too old."""


class Unavailable(KubeError):
    """No answer, too many requests or a server error: worth another try."""


def error_for(*, status: int, reason: str, message: str, what: str) -> KubeError:
    """The most precise class for an answer."""
    if reason == "AlreadyExists":
        kind: type[KubeError] = AlreadyExists
    elif status in (401, 403):
        kind = Forbidden
    elif status == 429 or status >= 500 or status == 0:
        kind = Unavailable
    else:
        kind = {404: NotFound, 409: Conflict, 410: Gone, 422: Invalid, 400: Invalid}.get(status, KubeError)
    return kind(status=status, reason=reason, message=message, what=what)
