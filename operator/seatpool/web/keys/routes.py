"""Defines the routes of keys. No key opens them: a caller needs a token."""

from fastapi import Request, Response

from seatpool.api.apikey import APIKey
from seatpool.web.keys.keys import Keys
from seatpool.web.keys.lines import KeyAnswer, KeyLine, KeysPage, line_of
from seatpool.web.keys.requests import KeyRequest, read_request
from seatpool.web.keys.text import Key
from seatpool.web.paging import USUAL_PAGE, page_of
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.replies import JSON, reply, to_json
from seatpool.web.routing import (
    PREFIX,
    Authenticated,
    Cursor,
    Described,
    Limit,
    Name,
    Namespace,
    get,
    route,
    service_of,
)

_WRITING = (
    ProblemId.KEYS_OFF,
    ProblemId.FORBIDDEN,
    ProblemId.NOT_FOUND,
    ProblemId.BAD_PARAMETER,
    ProblemId.MAY_NOT_WRITE,
)


def keys_of(request: Request) -> Keys:
    """Returns the keys of the application that the request is for. Raises Refusal if it has none."""
    keys = service_of(request).keys
    if keys is None:
        raise Refusal(ProblemId.KEYS_OFF)
    return keys


@get("/keys", "Keys, page by page", KeysPage, ProblemId.KEYS_OFF, ProblemId.BAD_PARAMETER, ProblemId.BAD_CURSOR)
async def keys(request: Request, caller: Authenticated, cursor: Cursor = None, limit: Limit = USUAL_PAGE) -> Response:
    """Lists the caller's own keys, and the keys of the namespaces in which the caller may list APIKeys. No secret is in it."""
    found = keys_of(request)
    every = {key.key: key for key in found.index}
    namespaces = {key.metadata.namespace for key in every.values()}
    scope = await service_of(request).authorizer.scope(caller, APIKey, namespaces)
    seen = [name for name, key in every.items() if key.spec.user == caller.name or key.metadata.namespace in scope]
    page = page_of(sorted(seen), cursor=cursor, limit=limit)
    lines = tuple(_line(found, every[name]) for name in page.items)
    return reply(request, KeysPage(items=lines, next_cursor=page.next_cursor))


@route(
    "post",
    "/keys",
    "Ask for a key",
    Described(
        KeyAnswer,
        (*_WRITING, ProblemId.BAD_BODY, ProblemId.TOO_MANY_KEYS, ProblemId.KEY_NOT_TAKEABLE),
        body=KeyRequest,
        success={
            201: "The key. It is shown this once.",
            202: "An admin has to approve it. Then take the key: see `Location`.",
        },
    ),
)
async def ask_for_key(request: Request, caller: Authenticated) -> Response:
    """Asks for a key that acts for the caller and never sees more than the caller may see.

    It is shown at once if the settings approve its scope. Else an admin approves the APIKey, and then its user takes the key.
    """
    made, key = await keys_of(request).issuing.request(caller, await read_request(request))
    return _shown(request, made, key)


@route(
    "post",
    "/keys/{namespace}/{name}/secret",
    "Take a key",
    Described(
        KeyAnswer,
        (*_WRITING, ProblemId.TOO_MANY_KEYS, ProblemId.KEY_NOT_TAKEABLE),
        success={201: "The key. It is shown this once."},
    ),
)
async def take_key(request: Request, caller: Authenticated, namespace: Namespace, name: Name) -> Response:
    """Shows the key of an approved APIKey, once: to its user, or to a caller who may grant apikeys in the whole cluster."""
    made, key = await keys_of(request).issuing.issue(caller, namespace, name)
    return _shown(request, made, key)


@route("delete", "/keys/{namespace}/{name}", "Revoke a key", Described(KeyLine, _WRITING))
async def revoke_key(request: Request, caller: Authenticated, namespace: Namespace, name: Name) -> Response:
    """Ends a key at once and for good: an own one, or any if the caller may approve apikeys in its namespace.

    The APIKey stays, with revoked set, so that it can be seen later. Revoking again changes nothing.
    """
    found = keys_of(request)
    revoked = await found.issuing.revoke(caller, namespace, name)
    return _stored_nowhere(200, _line(found, revoked))


def _shown(request: Request, made: APIKey, key: Key | None) -> Response:
    answer = KeyAnswer(item=_line(keys_of(request), made), key=None if key is None else key.text)
    metadata = made.metadata
    response = _stored_nowhere(202 if key is None else 201, answer)
    secret = "/secret" if key is None else ""
    response.headers["Location"] = f"{PREFIX}/keys/{metadata.namespace}/{metadata.name}{secret}"
    return response


def _stored_nowhere(status: int, answer: object) -> Response:
    return Response(to_json(answer), status, media_type=JSON, headers={"Cache-Control": "no-store"})


def _line(keys: Keys, key: APIKey) -> KeyLine:
    return line_of(key, keys.keyring.state_of(key))
