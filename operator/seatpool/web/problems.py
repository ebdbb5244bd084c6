"""Defines every error of the API, in one table, as problem details (RFC 9457).

A problem has an id for programs and a sentence that says what to do. The OpenAPI document is made from the same table. No
problem tells whether an object exists that the caller may not see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from seatpool.domain.errors import SeatpoolError
from seatpool.text import escape_unprintable

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:seatpool:problem:"


class ProblemId(StrEnum):
    """Ids of the problems."""

    NO_TOKEN = "NoToken"  # noqa: S105
    BAD_TOKEN = "BadToken"  # noqa: S105
    BAD_PROXY_USER = "BadProxyUser"
    BAD_CODE = "BadCode"
    TOKEN_TOO_LONG = "TokenTooLong"  # noqa: S105
    NO_HTTPS = "NoHttps"
    OTHER_SITE = "OtherSite"
    FORBIDDEN = "Forbidden"
    NOT_FOUND = "NotFound"
    NO_ROUTE = "NoRoute"
    WRONG_METHOD = "WrongMethod"
    BAD_PARAMETER = "BadParameter"
    BAD_CURSOR = "BadCursor"
    TOO_MANY_REQUESTS = "TooManyRequests"
    TOO_MANY_STREAMS = "TooManyStreams"
    NOT_READY = "NotReady"
    NO_ANSWER = "NoAnswer"
    MAY_NOT_ASK = "MayNotAsk"
    NO_HISTORY = "NoHistory"
    NOTHING_RECORDED = "NothingRecorded"
    TOO_MUCH_HISTORY = "TooMuchHistory"
    HISTORY_BUSY = "HistoryBusy"
    HISTORY_UNREADABLE = "HistoryUnreadable"
    MAY_NOT_WRITE = "MayNotWrite"
    BAD_BODY = "BadBody"
    BAD_KEY = "BadKey"
    KEY_ENDED = "KeyEnded"
    KEY_SCOPE = "KeyScope"
    KEYS_OFF = "KeysOff"
    KEY_NOT_TAKEABLE = "KeyNotTakeable"
    TOO_MANY_KEYS = "TooManyKeys"
    UNEXPECTED = "Unexpected"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem. `detail` may have fields in braces."""

    status: int
    title: str
    detail: str
    on_a_page: str = ""
    """What a page says in place of it, where the API's sentence is for programs. Empty: the same."""


PROBLEMS: Mapping[ProblemId, ProblemKind] = {
    ProblemId.NO_TOKEN: ProblemKind(
        401,
        "No token",
        "Send a token in the header Authorization: Bearer TOKEN. It must be for the audience {audience}.",
    ),
    ProblemId.BAD_TOKEN: ProblemKind(
        401,
        "The token is not accepted",
        "It has ended, is no token of this cluster, or is for another audience than {audience}: get a new one.",
    ),
    ProblemId.BAD_PROXY_USER: ProblemKind(
        401,
        "The proxy names no caller",
        "Header field {header} must have one printable name that does not begin with system: ask who runs the proxy.",
    ),
    ProblemId.BAD_CODE: ProblemKind(
        404,
        "The code is not valid",
        "It was used, or is older than 10 minutes: get a new one, or sign in with a token.",
    ),
    ProblemId.TOKEN_TOO_LONG: ProblemKind(
        400,
        "The token is too long for a browser",
        "It has more than {most} characters, as tokens with many groups do: use a token of a ServiceAccount.",
    ),
    ProblemId.NO_HTTPS: ProblemKind(
        400, "This address has no HTTPS", "A browser keeps no sign-in here: ask for an address that begins with https."
    ),
    ProblemId.OTHER_SITE: ProblemKind(
        403,
        "The request comes from another site",
        "A browser may send it from a page of this very site only: open the page here, and try again.",
    ),
    ProblemId.FORBIDDEN: ProblemKind(
        403,
        "You may not do this",
        "You need the right to {verb} {resource} in {where}: ask who gives rights in the cluster. Your own seats are at "
        "/api/v1/me.",
        "You need the right to {verb} {resource} in {where}: ask who gives rights in the cluster.",
    ),
    ProblemId.NOT_FOUND: ProblemKind(404, "There is no such object", "There is no {kind} {name}: look at {list}."),
    ProblemId.NO_ROUTE: ProblemKind(
        404,
        "There is no such page",
        "The API is at /api/v1; /api/v1/openapi.json lists it.",
        "The address may be mistyped, or what it showed is gone.",
    ),
    ProblemId.WRONG_METHOD: ProblemKind(
        405, "Wrong method", "Use {methods} here; /api/v1/openapi.json lists what there is."
    ),
    ProblemId.BAD_PARAMETER: ProblemKind(
        400, "A parameter is not right", "Parameter {parameter} is {value}: {problem}."
    ),
    ProblemId.BAD_CURSOR: ProblemKind(
        400, "The cursor is not right", "Send nextCursor of the page before as it is, or begin without a cursor."
    ),
    ProblemId.TOO_MANY_REQUESTS: ProblemKind(
        429,
        "Too many requests",
        "Wait {seconds} s, and use the event stream instead of asking again and again.",
        "Wait {seconds} s, then load the page again. An open page shows changes by itself.",
    ),
    ProblemId.TOO_MANY_STREAMS: ProblemKind(
        429, "Too many event streams", "At most {most} are open at a time: close one, or try again in {seconds} s."
    ),
    ProblemId.NOT_READY: ProblemKind(503, "Not ready", "The cluster was not read yet: try again in {seconds} s."),
    ProblemId.NO_ANSWER: ProblemKind(
        503,
        "The Kubernetes API does not answer",
        "Who you are or what you may see is not known: try again in {seconds} s.",
    ),
    ProblemId.MAY_NOT_ASK: ProblemKind(
        503,
        "The service lacks a right",
        "It may not create tokenreviews or subjectaccessreviews: its admin has to bind system:auth-delegator to it.",
    ),
    ProblemId.NO_HISTORY: ProblemKind(
        404,
        "This service has no history",
        "Its admin has to set history.location for it: web.history.enabled in the values of the chart.",
    ),
    ProblemId.NOTHING_RECORDED: ProblemKind(
        404, "Nothing is recorded", "The history has nothing of this pool in this time: ask for another one with since."
    ),
    ProblemId.TOO_MUCH_HISTORY: ProblemKind(
        422,
        "That is too much at once",
        "The computation takes too long: ask for a shorter time with since, such as 7d, or take `seatpool report` or "
        "`seatpool plan`, which have no limit.",
    ),
    ProblemId.HISTORY_BUSY: ProblemKind(
        503, "Others are computed first", "One answer is computed at a time: ask again in {seconds} s."
    ),
    ProblemId.HISTORY_UNREADABLE: ProblemKind(
        503, "The history cannot be read", "The log of the service says why. Ask again in {seconds} s."
    ),
    ProblemId.MAY_NOT_WRITE: ProblemKind(
        503,
        "The service lacks a right",
        "It may not write APIKeys in namespace {namespace}: its admin has to give it the rights of web.keys, and to let the "
        "admission policy know it.",
    ),
    ProblemId.BAD_BODY: ProblemKind(
        400,
        "The body is not right",
        "Send a JSON object with Content-Type: application/json, of at most {most} bytes, as /api/v1/openapi.json describes it.",
    ),
    ProblemId.BAD_KEY: ProblemKind(
        401,
        "The key is not accepted",
        "It is no whole key, or none of this service: send it as it was shown, or ask for another at /api/v1/keys.",
    ),
    ProblemId.KEY_ENDED: ProblemKind(
        401, "The key is not accepted any more", "Key {prefix}: {said}. Ask for another at /api/v1/keys."
    ),
    ProblemId.KEY_SCOPE: ProblemKind(
        403,
        "The key does not open this",
        "Its scope {scope} opens {opens}: ask for a key of another scope, or send a token of the cluster.",
    ),
    ProblemId.KEYS_OFF: ProblemKind(
        404, "There are no keys here", "This service issues no keys: its admin can switch them on (web.keys.enabled)."
    ),
    ProblemId.KEY_NOT_TAKEABLE: ProblemKind(409, "The key cannot be taken", "APIKey {name}: {said}."),
    ProblemId.TOO_MANY_KEYS: ProblemKind(
        409,
        "Too many keys",
        "The user has {count} keys that have not ended, and may have {most}: revoke one, by DELETE "
        "/api/v1/keys/NAMESPACE/NAME.",
    ),
    ProblemId.UNEXPECTED: ProblemKind(
        500,
        "Something unexpected happened",
        "The log of the service has more under request {request}: please report it.",
    ),
}


class Refusal(SeatpoolError):
    """A request that is answered with a problem."""

    def __init__(self, id: ProblemId, *, retry_after: int | None = None, **values: object) -> None:  # noqa: A002
        super().__init__(PROBLEMS[id].title)
        self.id = id
        self.retry_after = retry_after
        """Seconds after which another try may succeed."""
        self.values = values

    def details(self, *, on_a_page: bool = False, **always: object) -> dict[str, Any]:
        """Returns the problem details. `always` has values for all problems, such as the audience."""
        kind = PROBLEMS[self.id]
        detail = (on_a_page and kind.on_a_page) or kind.detail
        values = {"seconds": self.retry_after or 1} | always | self.values
        shown = {name: escape_unprintable(str(value)) for name, value in values.items()}
        return {
            "type": f"{TYPE_PREFIX}{self.id.value}",
            "title": kind.title,
            "status": kind.status,
            "detail": detail.format(**shown),
            "id": self.id.value,
        }
