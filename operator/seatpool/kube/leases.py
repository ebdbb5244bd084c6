"""Reads, creates and replaces one Lease of coordination.k8s.io, by compare-and-swap."""

from dataclasses import dataclass
from urllib.parse import quote

from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import NotFound

API_VERSION = "coordination.k8s.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseObject:
    """One Lease, by its namespace and name. It need not exist."""

    kube: KubeClient
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    async def read(self) -> Body | None:
        """Returns the Lease as the API server has it. None: there is none. Raises KubeError."""
        try:
            return await self.kube.get_raw(f"{self._collection}/{quote(self.name, safe='')}")
        except NotFound:
            return None

    async def create(self, *, annotations: Body, spec: Body) -> Body:
        """Creates the Lease. Raises AlreadyExists if another process was faster, else KubeError."""
        return await self.kube.create_raw(self._collection, self._body({"annotations": annotations}, spec))

    async def replace(self, metadata: Body, *, spec: Body) -> Body:
        """Replaces the Lease. Raises Conflict if it changed since `metadata` was read, else KubeError."""
        return await self.kube.replace_raw(
            f"{self._collection}/{quote(self.name, safe='')}", self._body(metadata, spec)
        )

    @property
    def _collection(self) -> str:
        return f"/apis/{API_VERSION}/namespaces/{quote(self.namespace, safe='')}/leases"

    def _body(self, metadata: Body, spec: Body) -> Body:
        named = metadata | {"name": self.name, "namespace": self.namespace}
        return {"apiVersion": API_VERSION, "kind": "Lease", "metadata": named, "spec": spec}
