"""Reads and writes Kubernetes objects.

Kopf watches. Everything else goes through this client, because Kopf has neither server-side apply nor paged lists. It
uses the asynchronous client of the package `kubernetes`. Bodies are plain dicts. The callers turn them into models
where needed.

Every method raises KubeError, or a subclass of `errors`, if the API server refuses or does not answer.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlencode
from urllib.request import getproxies

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.exceptions import ApiException
from multidict import CIMultiDict
from pydantic_core import from_json

from seatpool.api.base import FIELD_MANAGER, GROUP, VERSION, Resource
from seatpool.kube.errors import Unavailable, error_for
from seatpool.kube.kubeconfig import Kubeconfig, KubeconfigChoice, NoServiceAccount, load_service_account
from seatpool.kube.pod import service_account_namespace

Body = dict[str, Any]
REQUEST_TIMEOUT = 30.0
CONNECTIONS = 64
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Access:
    """Address and credentials of the API server, for other clients such as Kopf's."""

    server: str
    ca_file: str | None
    verify: bool
    scheme: str | None
    token: str | None
    certificate_file: str | None
    key_file: str | None


@dataclass(frozen=True, slots=True)
class Impersonation:
    """User and groups that requests are made as. The caller needs the right to impersonate them."""

    user: str
    groups: tuple[str, ...] = ()

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [("Impersonate-User", self.user), *(("Impersonate-Group", group) for group in self.groups)]


class Pages:
    """Pages of a list. The first request leaves at once, each next one while the caller works on the page before."""

    def __init__(self, read: Callable[[str | None], Coroutine[Any, Any, Body]]) -> None:
        self._read = read
        self._coming: asyncio.Task[Body] | None = asyncio.create_task(read(None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Body:
        if self._coming is None:
            raise StopAsyncIteration
        page = await self._coming
        token = page["metadata"].get("continue")
        self._coming = asyncio.create_task(self._read(token)) if token else None
        await asyncio.sleep(0)  # the request leaves before the caller works
        return page


class KubeClient:
    """Client of one API server for our kinds and for Events. Tasks of one event loop can share it."""

    def __init__(
        self, api: ApiClient, *, impersonate: Impersonation | None = None, timeout: float | None = REQUEST_TIMEOUT
    ) -> None:
        """Takes the user to act as, and the seconds after which a request has failed. None: never."""
        self._api = api
        self._headers = CIMultiDict(impersonate.headers if impersonate is not None else ())
        self._timeout = timeout

    @classmethod
    async def connect(cls, *, kubeconfig: str | None = None) -> "KubeClient":
        """Connects as the pod's service account, or by the kubeconfig outside a cluster. Raises KubeconfigError.

        That is the order for the operator. Commands take `connect_as_kubectl`.
        """
        if kubeconfig is None:
            try:
                return cls.connect_in_cluster()
            except NoServiceAccount:
                pass
        return await cls.connect_by(Kubeconfig(KubeconfigChoice(file=kubeconfig)))

    @classmethod
    async def connect_by(cls, found: Kubeconfig, **options: Any) -> "KubeClient":
        """Connects by a kubeconfig, with options of the constructor. Raises KubeconfigError."""
        return cls(await found.connect(_settings()), **options)

    @classmethod
    def connect_in_cluster(cls, **options: Any) -> "KubeClient":
        """Connects as the pod's service account, with options of the constructor. Raises NoServiceAccount."""
        settings = _settings()
        load_service_account(settings)
        return cls(ApiClient(configuration=settings), **options)

    @property
    def configuration(self) -> Configuration:
        settings: Configuration = self._api.configuration
        return settings

    async def access(self) -> Access:
        """Returns the address and the credentials of now. A renewed service account token is read again."""
        headers: dict[str, str] = {}
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], "/", "GET", None)
        scheme, _, token = headers.get("authorization", headers.get("Authorization", "")).partition(" ")
        settings = self._api.configuration
        return Access(
            server=settings.host,
            ca_file=settings.ssl_ca_cert,
            verify=settings.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_file=settings.cert_file,
            key_file=settings.key_file,
        )

    async def close(self) -> None:
        await self._api.close()

    async def list_page(
        self,
        resource: type[Resource],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        limit: int = 500,
        token: str | None = None,
    ) -> Body:
        """Returns one page of a list, as the API server sends it."""
        return await self._list_page(_path(resource, namespace), label_selector, limit, token)

    def pages_at(self, path: str, *, label_selector: str | None = None, page: int = 500) -> Pages:
        """Returns the pages of a list of any kind, by the path of its collection. The caller closes them."""
        return Pages(lambda token: self._list_page(path, label_selector, page, token))

    async def _list_page(self, path: str, label_selector: str | None, limit: int, token: str | None) -> Body:
        query: dict[str, str] = {"limit": str(limit)}
        if label_selector:
            query["labelSelector"] = label_selector
        if token:
            query["continue"] = token
        return await self._call("GET", path, query=query)

    async def list_all(
        self,
        resource: type[Resource],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        page: int = 500,
    ) -> tuple[list[Body], str]:
        """Returns every object, read in pages, and the resource version of the list."""
        items: list[Body] = []
        async with self.pages(resource, namespace=namespace, label_selector=label_selector, page=page) as pages:
            async for answer in pages:
                items.extend(answer["items"])
        return items, answer["metadata"]["resourceVersion"]

    def pages(
        self,
        resource: type[Resource],
        *,
        namespace: str | None = None,
        label_selector: str | None = None,
        page: int = 500,
    ) -> Pages:
        """Returns the pages of a list. The caller closes them."""
        return Pages(
            lambda token: self.list_page(
                resource, namespace=namespace, label_selector=label_selector, limit=page, token=token
            )
        )

    async def list_cached(self, resource: type[Resource], *, namespace: str | None = None) -> list[Body]:
        """Returns every object from the cache of the API server, in one answer. It may be a moment old."""
        answer = await self._call("GET", _path(resource, namespace), query={"resourceVersion": "0"})
        items: list[Body] = answer["items"]
        return items

    async def table_cached(
        self, resource: type[Resource], *, namespace: str | None = None
    ) -> tuple[list[str], list[list[Any]]]:
        """Returns the names of the printer columns and a row for each object.

        That is about a tenth of the size of the objects.
        """
        query = {"resourceVersion": "0", "includeObject": "None"}
        answer = await self._call("GET", _path(resource, namespace), query=query, accept=TABLE)
        names = [column["name"] for column in answer["columnDefinitions"]]
        return names, [row["cells"] for row in answer.get("rows") or []]

    async def get(self, resource: type[Resource], namespace: str, name: str) -> Body:
        return await self._call("GET", _path(resource, namespace, name))

    async def create(self, resource: type[Resource], namespace: str, body: Mapping[str, Any]) -> Body:
        return await self._call(
            "POST", _path(resource, namespace), query={"fieldManager": FIELD_MANAGER}, body=_typed(resource, body)
        )

    async def replace(self, resource: type[Resource], namespace: str, name: str, body: Mapping[str, Any]) -> Body:
        """Replaces the whole object. With metadata.resourceVersion it is a compare-and-swap."""
        return await self._call(
            "PUT", _path(resource, namespace, name), query={"fieldManager": FIELD_MANAGER}, body=_typed(resource, body)
        )

    async def merge_patch(
        self, resource: type[Resource], namespace: str, name: str, body: Mapping[str, Any], *, status: bool = False
    ) -> Body:
        """Patches an object, or its status. With metadata.resourceVersion it is a compare-and-swap."""
        return await self._call(
            "PATCH",
            _path(resource, namespace, name) + ("/status" if status else ""),
            query={"fieldManager": FIELD_MANAGER},
            body=dict(body),
            content_type="application/merge-patch+json",
        )

    async def apply(
        self,
        resource: type[Resource],
        namespace: str,
        name: str,
        body: Mapping[str, Any],
        *,
        status: bool = False,
        force: bool = True,
        manager: str = FIELD_MANAGER,
    ) -> Body:
        """Applies on the server side. With metadata.resourceVersion in the body it is a compare-and-swap."""
        document = _typed(resource, body)
        document["metadata"] = {**document.get("metadata", {}), "name": name, "namespace": namespace}
        return await self._call(
            "PATCH",
            _path(resource, namespace, name) + ("/status" if status else ""),
            query={"fieldManager": manager, "force": "true" if force else "false"},
            body=document,
            content_type="application/apply-patch+yaml",
        )

    async def delete(
        self,
        resource: type[Resource],
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> None:
        """Deletes an object. With a uid or a resource version only that very object is deleted."""
        conditions = {"uid": uid, "resourceVersion": resource_version}
        preconditions = {key: value for key, value in conditions.items() if value}
        body: Body = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if preconditions:
            body["preconditions"] = preconditions
        await self._call("DELETE", _path(resource, namespace, name), body=body)

    async def events(self, *, namespace: str | None = None) -> list[Body]:
        """Returns the Kubernetes Events about our objects, from the cache of the API server."""
        where = "" if namespace is None else f"/namespaces/{quote(namespace, safe='')}"
        answer = await self._call("GET", f"/api/v1{where}/events", query={"resourceVersion": "0"})
        return [
            item
            for item in answer["items"]
            if item.get("involvedObject", {}).get("apiVersion", "").startswith(f"{GROUP}/")
        ]

    async def namespaces(self) -> list[str]:
        """Returns the names of all namespaces."""
        answer = await self._call("GET", "/api/v1/namespaces", query={"resourceVersion": "0"})
        return [item["metadata"]["name"] for item in answer["items"]]

    async def get_raw(self, path: str) -> Body:
        """Reads any path, for example a CRD or an OpenAPI document."""
        return await self._call("GET", path)

    async def create_raw(self, path: str, body: Mapping[str, Any]) -> Body:
        """Creates an object of any kind in the collection at this path."""
        return await self._call("POST", path, query={"fieldManager": FIELD_MANAGER}, body=dict(body))

    async def replace_raw(self, path: str, body: Mapping[str, Any]) -> Body:
        """Replaces an object of any kind. With metadata.resourceVersion it is a compare-and-swap."""
        return await self._call("PUT", path, query={"fieldManager": FIELD_MANAGER}, body=dict(body))

    async def merge_patch_raw(self, path: str, body: Mapping[str, Any]) -> Body:
        """Patches an object of any kind. With metadata.resourceVersion it is a compare-and-swap."""
        return await self._call(
            "PATCH",
            path,
            query={"fieldManager": FIELD_MANAGER},
            body=dict(body),
            content_type="application/merge-patch+json",
        )

    async def write_event(self, namespace: str, name: str, body: Mapping[str, Any], *, create: bool) -> Body:
        """Creates a Kubernetes Event, or updates the count of one that exists."""
        path = f"/api/v1/namespaces/{quote(namespace)}/events"
        if create:
            return await self._call("POST", path, body=dict(body))
        return await self._call(
            "PATCH", f"{path}/{quote(name)}", body=dict(body), content_type="application/merge-patch+json"
        )

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Body:
        what = f"{method} {path}"
        headers = CIMultiDict({"Content-Type": content_type, "Accept": accept})
        headers.extend(self._headers)
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = self._api.configuration.host + path + (f"?{urlencode(query)}" if query else "")
        try:
            response = await self._api.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=self._timeout
            )
            raw = await response.read()
        except ApiException as error:
            raise _from_answer(error.status or 0, str(error.body or error.reason or ""), what) from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unavailable(
                status=0, reason="NoAnswer", message=str(error) or type(error).__name__, what=what
            ) from error
        if not 200 <= response.status < 300:
            raise _from_answer(response.status, raw.decode("utf-8", "replace"), what)
        answer: Body = from_json(raw)  # takes half the time of json.loads, which matters for 10,000 objects
        return answer


async def connect_as_kubectl(choice: KubeconfigChoice, **options: Any) -> KubeClient:
    """Connects by the kubeconfig if there is one, and else as the pod's service account. Raises KubeconfigError.

    `options` are those of the constructor of KubeClient.
    """
    if not choice.exists:
        try:
            return KubeClient.connect_in_cluster(**options)
        except NoServiceAccount:
            pass  # the error is about the kubeconfig, which is what is missing outside a cluster
    return await KubeClient.connect_by(Kubeconfig(choice), **options)


def namespace_of(choice: KubeconfigChoice) -> str:
    """Returns the namespace that kubectl would use. Raises KubeconfigError."""
    if not choice.exists and (own := service_account_namespace()) is not None:
        return own
    return Kubeconfig(choice).namespace


def _settings() -> Configuration:
    settings = Configuration()
    settings.connection_pool_maxsize = CONNECTIONS
    settings.retries = False
    # Otherwise aiohttp reads ~/.netrc and looks for proxies again for each request.
    settings.client_session_kwargs = {"trust_env": bool(getproxies())}
    return settings


def _from_answer(status: int, text: str, what: str) -> Exception:
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = {}
    if not isinstance(parsed, dict):
        parsed = {}
    return error_for(
        status=status, reason=str(parsed.get("reason", "")), message=str(parsed.get("message", text[:500])), what=what
    )


def _path(resource: type[Resource], namespace: str | None, name: str | None = None) -> str:
    path = f"/apis/{GROUP}/{VERSION}"
    if namespace is not None:
        path += f"/namespaces/{quote(namespace, safe='')}"
    path += f"/{resource.plural}"
    if name is not None:
        path += f"/{quote(name, safe='')}"
    return path


def _typed(resource: type[Resource], body: Mapping[str, Any]) -> Body:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": resource.kind, **body}
