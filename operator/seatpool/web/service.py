"""Connects what a request needs: the cluster, who the caller is, what it may see, and the limits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Request

from seatpool.explain.operator_life import Reading
from seatpool.settings.web import WebSettings
from seatpool.web.answers import Answers
from seatpool.web.authentication import Authenticator, check_token, read_token
from seatpool.web.authorization import Authorizer
from seatpool.web.caller import Caller, user_id_of
from seatpool.web.cluster import LiveCluster
from seatpool.web.history import HistoryAnswers
from seatpool.web.identity_proxy import proxied_caller
from seatpool.web.keys.keys import Keys
from seatpool.web.keys.rights import OPEN_ROUTES
from seatpool.web.limits import RateLimit
from seatpool.web.metrics import WebMetrics
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.session import SAFE_METHODS, cookie_token, is_from_another_site, is_same_origin
from seatpool.web.sign_in_codes import SignInCodes
from seatpool.web.stream import Streams
from seatpool.web.visible_users import VisibleUsers

_REFUSED = frozenset({ProblemId.BAD_TOKEN, ProblemId.BAD_KEY, ProblemId.KEY_ENDED})
"""Problems of tokens and keys that count as guesses."""


@dataclass(kw_only=True)
class Service:
    """The parts of one process that answer requests."""

    settings: WebSettings
    cluster: LiveCluster
    authenticator: Authenticator
    authorizer: Authorizer
    metrics: WebMetrics
    streams: Streams
    leases: Callable[[], dict[str, Reading]]
    is_ready: Callable[[], bool]
    past: HistoryAnswers | None = None
    """None: no history is connected."""
    keys: Keys | None = None
    """None: no key is issued or accepted."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    sign_in_codes: SignInCodes = field(default_factory=SignInCodes)

    def __post_init__(self) -> None:
        self.answers = Answers(self.cluster)
        self._callers = RateLimit(self.settings.requests_per_minute)
        self._addresses = RateLimit(self.settings.refused_tokens_per_minute)

    async def authenticate(self, request: Request) -> Caller:
        """Returns who sends a request. Raises Refusal. The limit of refused tokens counts before the API server is asked."""
        caller = await self._read_caller(request)
        allowance = self._callers.take(caller.limited_as)
        request.state.headers = allowance.headers
        if not allowance.allowed:
            raise Refusal(ProblemId.TOO_MANY_REQUESTS, retry_after=allowance.reset)
        if not self.is_ready():
            raise Refusal(ProblemId.NOT_READY, retry_after=2)
        check_route(caller, request)
        return caller

    async def _read_caller(self, request: Request) -> Caller:
        """Returns who sends a request: by the Authorization header, by a trusted proxy, or by the cookie of the pages."""
        header, proxied = request.headers.get("authorization"), None
        if header is None:
            proxied = proxied_caller(request, self.settings.proxy)
        by_cookie = header is None and proxied is None and self.settings.pages.enabled
        token = cookie_token(request) if by_cookie else None
        _refuse_other_sites(request, by_itself=proxied is not None or token is not None)
        if proxied is not None:
            request.state.token = None
            return proxied
        request.state.token = read_token(header) if token is None else check_token(token)
        return await self.caller_of(request.state.token, request)

    async def caller_of(self, token: str, request: Request) -> Caller:
        """Returns whose token this is. Raises Refusal. Refused tokens are counted by the address of the request."""
        return await self._ask_for_caller(token, request.client.host if request.client is not None else "")

    async def caller_again(self, caller: Caller, token: str | None) -> Caller:
        """Returns who a caller is now. Token None: a proxy named the caller, and does so with each request anew."""
        return caller if token is None else await self.authenticator.caller(token)

    async def _ask_for_caller(self, token: str, address: str) -> Caller:
        if self.authenticator.is_known(self.authenticator.digest(token)):
            return await self.authenticator.caller(token)
        allowance = self._addresses.take(address)
        if not allowance.allowed:
            raise Refusal(ProblemId.TOO_MANY_REQUESTS, retry_after=allowance.reset)
        try:
            found = await self.authenticator.caller(token)
        except Refusal as refusal:
            if refusal.id not in _REFUSED:
                self._addresses.give_back(address)
            raise
        # Good tokens cost nothing: behind a proxy all callers have its address.
        self._addresses.give_back(address)
        return found

    def user_of(self, caller: Caller) -> str | None:
        """Returns the user id of a caller. None: the caller is no user of Seatpool, or has a key that does not show one."""
        if caller.key is not None and not caller.key.is_own:
            return None
        return self.user_id(caller.name)

    def user_id(self, name: str) -> str | None:
        """Returns the user id of a user of Kubernetes, by the identity settings. None: it is no user of Seatpool."""
        return user_id_of(name, prefix=self.settings.user_prefix, identity=self.cluster.store.identity)

    def shown_name(self, caller: Caller) -> str:
        """Returns who is signed in, for a screen. Others than its user may have a key of the scopes Pool and List."""
        if caller.key is not None and not caller.key.is_own:
            return f"a key of scope {caller.key.scope.value}"
        return self.user_of(caller) or caller.name

    def own_user_only(self, caller: Caller) -> VisibleUsers:
        """Returns what a caller may see without any right: the own name."""
        return VisibleUsers(self.user_of(caller), all_named=False)


def _refuse_other_sites(request: Request, *, by_itself: bool) -> None:
    """Raises Refusal if another site may have made a browser send a request that changes something.

    `by_itself`: the browser itself adds what tells who asks, to whatever it sends here. A proxy may add a token too.
    """
    if request.method in SAFE_METHODS:
        return
    if is_from_another_site(request) or (by_itself and not is_same_origin(request)):
        raise Refusal(ProblemId.OTHER_SITE)


def check_route(caller: Caller, request: Request) -> None:
    """Raises Refusal if the caller has a key that does not open the route."""
    if caller.key is None:
        return
    route = str(getattr(request.scope.get("route"), "path", ""))
    if not caller.key.opens(request.method, route, page=request.query_params.get("page", "")):
        opens = ", ".join(sorted(OPEN_ROUTES[caller.key.scope]))
        raise Refusal(ProblemId.KEY_SCOPE, scope=caller.key.scope.value, opens=opens)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def read_zone(name: str) -> tzinfo:
    """Returns the time zone of that name. Raises Refusal."""
    if name not in _zones():
        raise Refusal(
            ProblemId.BAD_PARAMETER,
            parameter="timeZone",
            value=ascii(name)[:80],
            problem="write a name of the IANA database, such as Europe/Berlin or UTC",
        )
    return ZoneInfo(name)
