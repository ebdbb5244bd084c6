"""Finds out what a caller may see, by asking the API server (SubjectAccessReview) as RBAC decides it for kubectl.

Nothing is answered that the caller could not read by kubectl with the same rights, except the caller's own seat. Answers are
kept for a minute if they are a yes, and for five seconds if they are a no.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from seatpool.api.base import GROUP, Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.domain.demand import ALL_NAMESPACES
from seatpool.kube.errors import Forbidden, KubeError
from seatpool.web.authentication import NO, YES, Caller, Reviews
from seatpool.web.problems import ProblemId, Refusal

REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
MOST_ANSWERS = 100_000


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a caller may do something. Namespace None: in all of them. Name None: with all objects there."""

    verb: str
    resource: str
    namespace: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The namespaces in which a caller may do something."""

    everywhere: bool
    namespaces: frozenset[str] = frozenset()

    def __contains__(self, namespace: object) -> bool:
        return self.everywhere or namespace in self.namespaces

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.namespaces)


@dataclass(kw_only=True)
class Authorizer:
    """Asks the API server what a caller may do, and remembers the answers."""

    reviews: Reviews
    monotonic: Callable[[], float] = time.monotonic
    _known: OrderedDict[tuple[Caller, Question], tuple[bool, float]] = field(default_factory=OrderedDict, init=False)

    async def may(self, caller: Caller, question: Question) -> bool:
        """Tells whether a caller may do something: what its key permits, if it has one, and what the API server allows.

        Raises Refusal if the API server does not answer.
        """
        if caller.key is not None and not caller.key.permits(
            question.verb, question.resource, question.namespace, question.name
        ):
            return False
        known = self._known.get((caller, question))
        if known is not None and known[1] > self.monotonic():
            return known[0]
        attributes = {"group": GROUP, "resource": question.resource, "verb": question.verb}
        if question.namespace is not None:
            attributes["namespace"] = question.namespace
        if question.name is not None:
            attributes["name"] = question.name
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**caller.subject, "resourceAttributes": attributes},
        }
        try:
            answer = await self.reviews.create_raw(REVIEWS, body)
        except Forbidden as error:
            raise Refusal(ProblemId.MAY_NOT_ASK) from error
        except KubeError as error:
            raise Refusal(ProblemId.NO_ANSWER, retry_after=2) from error
        allowed = (answer.get("status") or {}).get("allowed") is True
        self._known.pop((caller, question), None)
        self._known[caller, question] = allowed, self.monotonic() + (YES if allowed else NO)
        if len(self._known) > MOST_ANSWERS:
            self._known.popitem(last=False)
        return allowed

    async def may_get(self, caller: Caller, kind: type[Resource], namespace: str, name: str) -> bool:
        """Tells whether a caller may see one object, whether it exists or not."""
        return await self.may(caller, Question("get", kind.plural, namespace, name))

    async def scope(self, caller: Caller, kind: type[Resource], namespaces: Iterable[str]) -> Scope:
        """Returns in which of these namespaces a caller may list a kind."""
        if await self.may(caller, Question("list", kind.plural)):
            return Scope(everywhere=True)
        asked = sorted(set(namespaces))
        answers = await asyncio.gather(*(self.may(caller, Question("list", kind.plural, one)) for one in asked))
        return Scope(False, frozenset(one for one, allowed in zip(asked, answers, strict=True) if allowed))

    async def may_see_names(self, caller: Caller, pool: LicensePool) -> bool:
        """Tells whether a caller may see who has a seat of a pool: who may list its ledgers and the workbenches it serves."""
        own = pool.metadata.namespace
        if own not in await self.scope(caller, SeatLedger, [own]):
            return False
        served = set(pool.spec.workbench_namespaces or (own,))
        scope = await self.scope(caller, Workbench, served - {ALL_NAMESPACES})
        return scope.everywhere or (ALL_NAMESPACES not in served and served <= scope.namespaces)

    async def may_see_names_in(self, caller: Caller, namespaces: Collection[str], pools: Iterable[LicensePool]) -> bool:
        """Tells whether a caller may see the names of all users in these namespaces. In none: no.

        What is said of a license server may name users of each pool in its namespace, also of a pool that is gone. So the
        caller needs the right of `may_see_names` for all pools there, and has to be able to list the ledgers there.
        """
        ledgers = await self.scope(caller, SeatLedger, namespaces)
        if not namespaces or any(one not in ledgers for one in namespaces):
            return False
        there = [pool for pool in pools if pool.metadata.namespace in namespaces]
        return all([await self.may_see_names(caller, pool) for pool in there])
