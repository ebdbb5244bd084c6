"""Takes requests for keys, issues keys, and revokes them.

A key is issued by a compare-and-swap on the status of its APIKey. So of two who take it at a time, one gets it.
"""

import contextlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.apikey import APIKey, APIKeySpec, APIKeyStatus, KeyPhase, KeyScope
from seatpool.api.base import MANAGED_BY
from seatpool.api.licensepool import LicensePool
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import Conflict, Forbidden, Invalid, KubeError, NotFound
from seatpool.settings.web import KeySettings
from seatpool.trail.trail import Action, Trail
from seatpool.web.authorization import Authorizer, Question
from seatpool.web.caller import Caller
from seatpool.web.cluster import LiveCluster
from seatpool.web.keys import audit
from seatpool.web.keys.index import KeyIndex, workbench_of
from seatpool.web.keys.keyring import Keyring
from seatpool.web.keys.lifecycle import end_of, status_of
from seatpool.web.keys.requests import KeyRequest, bad_field, check_request
from seatpool.web.keys.statuses import write_status
from seatpool.web.keys.text import Key, make_key
from seatpool.web.problems import ProblemId, Refusal

TRIES = 5
"""Times that an issue is tried while others write the same status."""
_LIST = "/api/v1/keys"


@dataclass(kw_only=True)
class Issuing:
    """Makes keys for callers who may have them."""

    kube: KubeClient
    index: KeyIndex
    keyring: Keyring
    settings: KeySettings
    authorizer: Authorizer
    cluster: LiveCluster
    trail: Trail
    clock: Callable[[], datetime]
    user_id: Callable[[str], str | None]
    """Returns the user id of a user of Kubernetes. None: it is none."""
    _asking: Counter[str] = field(default_factory=Counter, init=False)
    """Requests of each user that are on their way."""

    async def request(self, caller: Caller, wanted: KeyRequest) -> tuple[APIKey, Key | None]:
        """Creates the APIKey that a caller asks for, and issues its key if the settings approve it. Raises Refusal."""
        check_request(wanted, longest=self.settings.longest, now=self.clock())
        namespace = await self._namespace(caller, wanted)
        self._check_number(caller.name)
        self._asking[caller.name] += 1
        try:
            with self._answering(namespace):
                raw = await self.kube.create(APIKey, namespace, _body(caller, wanted))
        finally:
            self._asking[caller.name] -= 1
            if not self._asking[caller.name]:
                del self._asking[caller.name]
        self.index.upsert(raw)
        key = APIKey.model_validate(raw)
        audit.note(self.trail, Action.KEY_REQUEST, key, by=caller.name)
        await self._drop_old(caller.name)
        if self.keyring.state_of(key).phase is not KeyPhase.APPROVED:
            return key, None
        return await self._issue(caller, key)

    async def issue(self, caller: Caller, namespace: str, name: str) -> tuple[APIKey, Key]:
        """Issues the key of an APIKey that is approved: to its user, or to who may grant keys. Raises Refusal."""
        key = await self._read(caller, namespace, name)
        if caller.name != key.spec.user and not await self.authorizer.may(caller, Question("grant", APIKey.plural)):
            raise Refusal(ProblemId.FORBIDDEN, verb="grant", resource=APIKey.plural, where="the whole cluster")
        return await self._issue(caller, key)

    async def revoke(self, caller: Caller, namespace: str, name: str) -> APIKey:
        """Ends a key for good: one's own, or as who may approve keys. Raises Refusal."""
        key = await self._read(caller, namespace, name)
        question = Question("approve", APIKey.plural, namespace)
        if caller.name != key.spec.user and not await self.authorizer.may(caller, question):
            raise Refusal(ProblemId.FORBIDDEN, verb="approve", resource=APIKey.plural, where=f"namespace {namespace}")
        if key.spec.revoked:
            return key
        with self._answering(namespace, name):
            raw = await self.kube.merge_patch(APIKey, namespace, name, {"spec": {"revoked": True}})
        self.index.upsert(raw)
        revoked = APIKey.model_validate(raw)
        audit.note(self.trail, Action.KEY_REVOKE, revoked, by=caller.name)
        return revoked

    async def _issue(self, caller: Caller, key: APIKey) -> tuple[APIKey, Key]:
        namespace, name = key.metadata.namespace, key.metadata.name
        for _ in range(TRIES):
            self._check_takeable(key)
            made, now = make_key(), self.clock()
            before = key.status.phase
            issued = key.model_copy(update={"status": self._issued_status(caller, key, made, now)})
            status = status_of(issued, self.keyring.state_of(issued), now=now)
            with self._answering(namespace, name), contextlib.suppress(Conflict):
                raw = await write_status(self.kube, key, status)
                self.index.upsert(raw)
                issued = APIKey.model_validate(raw)
                if before is not KeyPhase.APPROVED:
                    approval = self.keyring.state_of(issued).approval.value
                    audit.note(self.trail, Action.KEY_APPROVE, issued, reason=approval)
                audit.note(self.trail, Action.KEY_ISSUE, issued, by=caller.name)
                return issued, made
            with self._answering(namespace, name):
                key = APIKey.model_validate(await self.kube.get(APIKey, namespace, name))
        raise Refusal(ProblemId.NO_ANSWER, retry_after=2)

    def _check_takeable(self, key: APIKey) -> None:
        """Raises Refusal if no key of an APIKey can be issued now."""
        state = self.keyring.state_of(key)
        said = state.said
        if state.phase is KeyPhase.APPROVED:
            count = len(self._living(key.spec.user))
            if count > self.settings.most_per_user:
                raise Refusal(ProblemId.TOO_MANY_KEYS, count=count, most=self.settings.most_per_user)
            if self.keyring.has_workbench(key):
                return
            said = f"workbench {key.spec.workbench} is not active, or is another user's"
        elif state.phase is KeyPhase.ISSUED:
            said = "it was shown already, and is stored nowhere; revoke it and ask for another"
        raise Refusal(ProblemId.KEY_NOT_TAKEABLE, name=key.key, said=said.rstrip("."))

    def _issued_status(self, caller: Caller, key: APIKey, made: Key, now: datetime) -> APIKeyStatus:
        workbench = self.cluster.store.workbenches.get(workbench_of(key) or "")
        return key.status.model_copy(
            update={
                "prefix": made.prefix,
                "hash": made.hash,
                "groups": caller.groups if caller.name == key.spec.user else groups_of(key.spec.user),
                "workbench_uid": None if workbench is None else workbench.metadata.uid,
                "issued_at": now,
                "expires_at": end_of(key, self.settings, now=now),
            }
        )

    async def _read(self, caller: Caller, namespace: str, name: str) -> APIKey:
        """Returns an APIKey that the caller may know of. Others look as if they did not exist. Raises Refusal."""
        missing = Refusal(ProblemId.NOT_FOUND, kind="APIKey", name=f"{namespace}/{name}", list=_LIST)
        known = self.index.get(f"{namespace}/{name}")
        is_own = known is not None and known.spec.user == caller.name
        if not is_own and not await self.authorizer.may_get(caller, APIKey, namespace, name):
            raise missing
        try:
            with self._answering(namespace, name):
                return APIKey.model_validate(await self.kube.get(APIKey, namespace, name))
        except NotFound as error:
            raise missing from error

    async def _namespace(self, caller: Caller, wanted: KeyRequest) -> str:
        """Returns the namespace of a new key. Raises Refusal if the caller may not see what the key would open."""
        if wanted.scope is KeyScope.OWN:
            return await self._namespace_of_own(caller, wanted)
        namespace = wanted.namespace or ""
        if wanted.pool is not None:
            if not await self.authorizer.may_get(caller, LicensePool, namespace, wanted.pool):
                raise Refusal(ProblemId.FORBIDDEN, verb="get", resource="licensepools", where=f"namespace {namespace}")
            if f"{namespace}/{wanted.pool}" not in self.cluster.store.pools:
                name = f"{namespace}/{wanted.pool}"
                raise Refusal(ProblemId.NOT_FOUND, kind="LicensePool", name=name, list="/api/v1/pools")
        elif namespace not in await self.authorizer.scope(caller, LicensePool, [namespace]):
            raise Refusal(ProblemId.FORBIDDEN, verb="list", resource="licensepools", where=f"namespace {namespace}")
        return namespace

    async def _namespace_of_own(self, caller: Caller, wanted: KeyRequest) -> str:
        user = self.user_id(caller.name)
        if user is None:
            raise bad_field("scope", wanted.scope.value, "you are no user with seats; ask for scope Pool or List")
        rows = self.cluster.subject(user).rows
        if wanted.workbench is not None:
            active = {row.namespace for row in rows if row.name == wanted.workbench and row.is_running}
            if not active or wanted.namespace not in (None, *active):
                raise bad_field("workbench", wanted.workbench, "name one of your workbenches that is active")
            return wanted.namespace or min(active)
        own = {row.namespace for row in rows}
        if wanted.namespace is None:
            if not own:
                raise bad_field("namespace", None, "you have no workbench; name the namespace of the key")
            return min(own)
        question = Question("create", APIKey.plural, wanted.namespace)
        if wanted.namespace not in own and not await self.authorizer.may(caller, question):
            raise Refusal(
                ProblemId.FORBIDDEN, verb="create", resource=APIKey.plural, where=f"namespace {wanted.namespace}"
            )
        return wanted.namespace

    def _living(self, user: str) -> list[APIKey]:
        return [key for key in self.index.of_user(user) if not self._has_ended(key)]

    def _has_ended(self, key: APIKey) -> bool:
        return self.keyring.state_of(key).phase in (KeyPhase.ENDED, KeyPhase.REFUSED)

    def _check_number(self, user: str) -> None:
        count = len(self._living(user)) + self._asking[user]
        if count >= self.settings.most_per_user:
            raise Refusal(ProblemId.TOO_MANY_KEYS, count=count, most=self.settings.most_per_user)

    async def _drop_old(self, user: str) -> None:
        """Deletes the oldest keys of a user that have ended, so that asking again and again fills no cluster."""
        ended = [key for key in self.index.of_user(user) if self._has_ended(key)]
        ended.sort(key=lambda key: (key.metadata.creation_timestamp or self.clock(), key.key), reverse=True)
        for key in ended[self.settings.most_per_user :]:
            with contextlib.suppress(KubeError):  # the next request tries again
                await self.kube.delete(APIKey, key.metadata.namespace, key.metadata.name, uid=key.metadata.uid)

    @contextlib.contextmanager
    def _answering(self, namespace: str, name: str = "") -> Iterator[None]:
        """Turns errors of the API server into refusals, but Conflict and NotFound of an object."""
        try:
            yield
        except Conflict:
            raise
        except NotFound as error:
            if name:
                raise
            raise bad_field("namespace", namespace, "there is no such namespace") from error
        except Forbidden as error:
            raise Refusal(ProblemId.MAY_NOT_WRITE, namespace=namespace) from error
        except Invalid as error:
            raise bad_field("spec", "refused by the API server", error.message) from error
        except KubeError as error:
            raise Refusal(ProblemId.NO_ANSWER, retry_after=2) from error


def groups_of(user: str) -> tuple[str, ...]:
    """Returns the groups that a user has in any cluster, whatever else."""
    every = ("system:authenticated",)
    kind, _, rest = user.partition("system:serviceaccount:")
    if kind or not rest:
        return every
    return ("system:serviceaccounts", f"system:serviceaccounts:{rest.partition(':')[0]}", *every)


def _body(caller: Caller, wanted: KeyRequest) -> Body:
    spec = {
        "user": caller.name, "scope": wanted.scope, "purpose": wanted.purpose, "pool": wanted.pool,
        "valid_for": wanted.valid_for, "expires_at": wanted.expires_at, "workbench": wanted.workbench,
    }  # fmt: skip
    metadata = {"name": f"key-{secrets.token_hex(5)}", "labels": {MANAGED_BY: "seatpool-web"}}
    return {"metadata": metadata, "spec": APIKeySpec.model_validate(spec).wire()}
