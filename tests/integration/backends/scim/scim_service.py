"""scim2-server over HTTPS, behind a small proxy that takes away what other services lack, or gives what they do."""

import io
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import trustme
from scim2_models import Group, User
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_provider
from werkzeug.serving import WSGIRequestHandler, make_server

TOKEN = "token-of-a-test-0123456789"
EXTENSION = "urn:example:params:scim:schemas:extension:1.0:Group"
Environ = dict[str, Any]


@dataclass
class Lacks:
    """What the service lacks, or does otherwise."""

    etag: bool = False
    patch: bool = False
    patch_is_told: bool = False
    """/ServiceProviderConfig says that there is no PATCH."""
    put: bool = False
    config: bool = False
    """There is no /ServiceProviderConfig."""
    pages: bool = False
    """startIndex and count are ignored."""
    page_size: int | None = None
    or_filters: bool = False
    """A filter with `or` is refused."""
    wrong_or: bool = False
    """Of a filter with `or` only the first part counts."""
    filters: bool = False
    """All filters are ignored."""
    whole_listings: bool = False
    """A listing without a filter passes over a user on each page, as when users come and go meanwhile."""
    external_id: bool = False
    """externalId of a group is dropped."""
    external_id_refused: bool = False
    members_unasked: bool = False
    """Members are told only if they are asked for."""
    answers: bool = False
    """A write is answered without a body."""
    replace_keeps_stale: bool = False
    removal_has_no_effect: bool = False
    write_has_no_effect: bool = False


@dataclass
class Seen:
    """A request that came."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    if_match: str | None


@dataclass
class Service:
    """The service, its content, and its faults."""

    app: BearerTokenApplication
    storage: InMemoryStorage
    lacks: Lacks = field(default_factory=Lacks)
    seen: list[Seen] = field(default_factory=list)
    answer_next: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    """Answers that are given instead of the service's own, each once."""
    answer_write_next: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    """The same for writes only."""
    before_write: list[Callable[[], None]] = field(default_factory=list)
    """What happens just before a write is carried out, each once."""
    after_write: list[Callable[[], None]] = field(default_factory=list)
    """What happens just after a write was carried out, each once."""
    hang: threading.Event | None = None
    """If set, requests wait until it is set."""
    url: str = ""

    def __post_init__(self) -> None:
        self.types = {one.name: one for one in self.app.provider.resource_types}

    def add_users(self, *names: str, external_id: bool = False) -> list[str]:
        """Adds users and returns their ids."""
        made = [User(user_name=name, external_id=f"x-{name}" if external_id else None) for name in names]
        return [str(self.storage.create(self.types["User"], one).id) for one in made]

    def add_group(self, name: str, members: Iterable[str] = (), external_id: str | None = None) -> str:
        """Adds a group and returns its id."""
        group = Group(
            display_name=name,
            external_id=external_id,
            members=[Group.Members(value=one) for one in members] or None,
        )
        return str(self.storage.create(self.types["Group"], group).id)

    def group(self, group_id: str) -> dict[str, Any]:
        """Returns a group as the service has it."""
        return self.storage.get(self.types["Group"], group_id).model_dump()

    def members(self, group_id: str) -> list[str]:
        """Returns the ids of a group's members, with repeats."""
        return sorted(one["value"] for one in self.group(group_id).get("members") or ())

    def names(self, group_id: str) -> list[str]:
        """Returns the names of a group's members, with repeats. An id of nothing is `?`."""
        users = {one.id: one.user_name for one in self.storage.resources if isinstance(one, User)}
        return sorted(users.get(one, "?") for one in self.members(group_id))

    def set_members(self, group_id: str, ids: Iterable[str], **changes: Any) -> None:
        """Edits a group by hand."""
        group = self.storage.get(self.types["Group"], group_id)
        members = [{"value": one} for one in ids]
        self.storage.update(
            self.types["Group"],
            type(group).model_validate({**group.model_dump(), **changes, "members": members or None}),
        )

    def delete_user(self, user_id: str) -> None:
        """Deletes a user. Groups keep its id, so it is a ghost there."""
        self.storage.delete(self.types["User"], user_id)

    def writes(self) -> list[Seen]:
        """Returns the writes that came."""
        return [one for one in self.seen if one.method in ("PUT", "PATCH", "POST", "DELETE")]

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Serves a request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(length) if length else b""
        body = json.loads(raw) if raw else None
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        query = parse_qs(environ.get("QUERY_STRING", ""))
        self.seen.append(Seen(method, path, query, body, environ.get("HTTP_IF_MATCH")))
        if self.hang is not None:
            self.hang.wait(60)
        is_write = method in ("PUT", "PATCH")
        prepared = self.answer_write_next if is_write and self.answer_write_next else self.answer_next
        if prepared:
            status, headers, content = prepared.pop(0)
            start_response(f"{status} so", [*headers.items(), ("Content-Length", str(len(content)))])
            return [content]
        refusal = self._refusal(method, path, query, body)
        if refusal is not None:
            content = json.dumps({"detail": refusal[1], "scimType": refusal[2], "status": str(refusal[0])}).encode()
            start_response(f"{refusal[0]} so", [("Content-Type", "application/scim+json")])
            return [content]
        if is_write and self.before_write:
            self.before_write.pop(0)()
        if is_write and "/Groups/" in path:
            body = self._bent(method, path, body)
        self._bend(environ, body)
        answer = self._serve(environ, start_response, query, is_write=is_write)
        if is_write and self.after_write:
            self.after_write.pop(0)()
        return answer

    def _refusal(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, str, str] | None:
        lacks, condition = self.lacks, query.get("filter", [""])[0]
        if lacks.config and path.endswith("/ServiceProviderConfig"):
            return 404, "there is no such endpoint", ""
        if lacks.patch and method == "PATCH":
            return 501, "not implemented", ""
        if lacks.put and method == "PUT":
            return 400, "managing members on updates is not supported", "invalidValue"
        if lacks.or_filters and " or " in condition:
            return 400, "the operator or is not supported", "invalidFilter"
        if lacks.external_id_refused and "externalId" in json.dumps(body) and method in ("PUT", "PATCH"):
            return 400, "attribute externalId is immutable", "mutability"
        return None

    def _bent(self, method: str, path: str, body: Any) -> Any:
        """Returns the body of a write as a service takes it that lacks something."""
        lacks, group_id = self.lacks, path.rpartition("/")[2]
        if lacks.write_has_no_effect:
            now = self.group(group_id)
            same = {"op": "replace", "path": "displayName", "value": now["displayName"]}
            return now if method == "PUT" else {**body, "Operations": [same]}
        if method == "PUT":
            if lacks.replace_keeps_stale:
                wanted = {one["value"] for one in body.get("members", ())}
                stale = [one for one in self.members(group_id) if one not in wanted]
                body = {**body, "members": [*body.get("members", ()), *({"value": one} for one in stale)]}
            if lacks.external_id:
                body = {key: value for key, value in body.items() if key != "externalId"}
            return body
        operations = body["Operations"]
        if lacks.removal_has_no_effect:
            operations = [one for one in operations if "[" not in one.get("path", "")]
        if lacks.external_id:
            operations = [one for one in operations if one.get("path") != "externalId"]
        if not operations:
            name = self.group(group_id)["displayName"]
            operations = [{"op": "replace", "path": "displayName", "value": name}]
        return {**body, "Operations": operations}

    def _bend(self, environ: Environ, body: Any) -> None:
        lacks = self.lacks
        if lacks.etag:
            environ.pop("HTTP_IF_MATCH", None)
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        if lacks.pages:
            query.pop("startIndex", None)
            query.pop("count", None)
        if lacks.page_size is not None and "filter" in query:
            query["count"] = str(min(lacks.page_size, int(query.get("count", "1000"))))
        if lacks.wrong_or and "filter" in query:
            query["filter"] = query["filter"].partition(" or ")[0]
        if lacks.filters:
            query.pop("filter", None)
        environ["QUERY_STRING"] = urlencode(query)
        raw = json.dumps(body).encode() if body is not None else b""
        environ["wsgi.input"] = io.BytesIO(raw)
        environ["CONTENT_LENGTH"] = str(len(raw))

    def _serve(
        self, environ: Environ, start_response: Any, query: dict[str, list[str]], *, is_write: bool
    ) -> Iterable[bytes]:
        began: list[Any] = []
        content = b"".join(self.app(environ, lambda status, headers, *_: began.extend((status, headers))))
        status, headers = began
        if content and self.lacks != Lacks():
            content = json.dumps(self._bent_answer(json.loads(content), query)).encode()
        if self.lacks.etag:
            headers = [one for one in headers if one[0].lower() != "etag"]
        if self.lacks.answers and is_write and status.startswith("200"):
            status, content = "204 No Content", b""
        headers = [one for one in headers if one[0].lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(content)))])
        return [content]

    def _bent_answer(self, body: Any, query: dict[str, list[str]]) -> Any:
        if not isinstance(body, dict):
            return body
        if self.lacks.etag:
            body.get("meta", {}).pop("version", None)
            if "etag" in body:
                body["etag"] = {"supported": False}
        if self.lacks.patch_is_told and "patch" in body:
            body["patch"] = {"supported": False}
        if self.lacks.whole_listings and "filter" not in query and body.get("Resources"):
            del body["Resources"][-1]
        if self.lacks.members_unasked and "members" not in query.get("attributes", [""])[0]:
            body.pop("members", None)
        return body


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Writes nothing."""


def server_context(ca: trustme.CA) -> ssl.SSLContext:
    """Returns the TLS side of a server on 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@contextmanager
def serve(app: Any, context: ssl.SSLContext) -> Iterator[str]:
    """Serves a WSGI application over HTTPS on a free port. Gives the URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_service() -> Service:
    """Returns a service without any content."""
    storage = InMemoryStorage()
    app = BearerTokenApplication(storage, load_default_provider(), bearer_tokens=[TOKEN])
    return Service(app, storage)
