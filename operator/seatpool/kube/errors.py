"""Defines the errors of the Kubernetes API, one class for each answer that callers treat differently."""

from seatpool.domain.errors import SeatpoolError


class KubeError(SeatpoolError):
    """The API server refused or could not be reached. `status` is 0 if there was no answer."""

    def __init__(self, *, status: int, reason: str, message: str, what: str) -> None:
        super().__init__(f"{what}: {message or reason or status}")
        self.status = status
        self.reason = reason
        self.message = message
        """What the API server said."""
        self.what = what
        """The request, as `GET /apis/...`."""


class NotFound(KubeError):
    """There is no such object."""


class Conflict(KubeError):
    """The object changed since it was read, or another field manager owns a field."""


class AlreadyExists(KubeError):
    """An object of that name exists."""


class Forbidden(KubeError):
    """RBAC does not allow it. The message names the verb and the resource."""


class Invalid(KubeError):
    """The object breaks the schema. The message names the field."""


class Gone(KubeError):
    """The continue token or the resource version is too old."""


class Unavailable(KubeError):
    """There was no answer, too many requests, or a server error. Another try can succeed."""


def error_for(*, status: int, reason: str, message: str, what: str) -> KubeError:
    """Returns an error of the most precise class for an answer."""
    if reason == "AlreadyExists":
        kind: type[KubeError] = AlreadyExists
    elif status in (401, 403):
        kind = Forbidden
    elif status == 429 or status >= 500 or status == 0:
        kind = Unavailable
    else:
        kind = {404: NotFound, 409: Conflict, 410: Gone, 422: Invalid, 400: Invalid}.get(status, KubeError)
    return kind(status=status, reason=reason, message=message, what=what)
