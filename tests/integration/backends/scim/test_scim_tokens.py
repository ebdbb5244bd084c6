"""Tokens by OAuth client credentials, from a real HTTPS server."""

import base64
import json
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from tests.integration.backends.scim.lists import PRODUCT, read, write
from tests.integration.backends.scim.scim_service import Service, serve

from seatpool.api.list_backends import ScimToken, SecretKey
from seatpool.servers.command_result import Result
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.scim.target import ScimTarget

CLIENT, CLIENT_SECRET = "seat+pool client", "s%cr:t &/é"
OAUTH_SECRETS = {"scim/secret": CLIENT_SECRET}


@dataclass
class TokenServer:
    """A token endpoint. Each token is another one."""

    service: Service
    life: Any = 3600
    takes_basic: bool = True
    answer: tuple[int, bytes] | None = None
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    url: str = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
        self.asked.append(form)
        status, content = self._answered(environ.get("HTTP_AUTHORIZATION", ""), form)
        start_response(f"{status} so", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    def _answered(self, header: str, form: dict[str, list[str]]) -> tuple[int, bytes]:
        if self.answer is not None:
            return self.answer
        if self.takes_basic:
            name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
            given = (unquote_plus(name), unquote_plus(secret))
        else:
            given = (form.get("client_id", [""])[0], form.get("client_secret", [""])[0])
        if given != (CLIENT, CLIENT_SECRET) or form["grant_type"] != ["client_credentials"]:
            return 401, b'{"error":"invalid_client","error_description":"secret of a test"}'
        token = f"token-{len(self.asked)}"
        self.service.app.bearer_tokens = {token}
        answer = {"access_token": token, "token_type": "bearer"}
        if self.life is not None:
            answer["expires_in"] = self.life
        return 200, json.dumps(answer).encode()


@pytest.fixture
def tokens(service: Service, context: ssl.SSLContext) -> Iterator[TokenServer]:
    made = TokenServer(service)
    with serve(made, context) as url:
        made.url = f"{url}/token"
        yield made


@pytest.fixture
def oauth(tokens: TokenServer) -> ScimToken:
    return ScimToken(
        url=tokens.url, client_id=CLIENT, client_secret=SecretKey(name="scim", key="secret"), scope="lists:write"
    )


@pytest.mark.parametrize("takes_basic", [True, False])
async def test_a_token_is_fetched_once_and_used_for_all_requests(
    service: Service, tokens: TokenServer, oauth: ScimToken, backend: Callable[..., DirectBackend], takes_basic: bool
) -> None:
    tokens.takes_basic = takes_basic
    service.add_users("ann", "bob")
    group = service.add_group(PRODUCT)
    made = backend(oauth=oauth, secrets=OAUTH_SECRETS)
    assert (await write(made, "ann", "bob")).result is Result.APPLIED
    assert (await write(made, "ann", revision=2)).result is Result.APPLIED
    assert service.names(group) == ["ann"]
    assert len(tokens.asked) == (1 if takes_basic else 2)
    assert tokens.asked[0]["scope"] == ["lists:write"]
    if takes_basic:
        assert all("client_secret" not in one for one in tokens.asked)


async def test_a_token_that_the_service_refuses_is_renewed_once(
    service: Service, tokens: TokenServer, oauth: ScimToken, connect: Callable[..., ScimTarget]
) -> None:
    service.add_group(PRODUCT)
    target = connect(oauth=oauth, secrets=OAUTH_SECRETS)
    await target.read(PRODUCT)
    service.app.bearer_tokens = {"none"}
    await target.read(PRODUCT)
    assert len(tokens.asked) == 2
    service.answer_next.extend([(401, {}, b"")] * 2)
    with pytest.raises(TransportError) as caught:
        await target.read(PRODUCT)
    assert caught.value.reason is CommandFault.REFUSED
    assert len(tokens.asked) == 3
    await target.read(PRODUCT)


async def test_a_token_is_renewed_shortly_before_its_end(
    service: Service, tokens: TokenServer, oauth: ScimToken, connect: Callable[..., ScimTarget]
) -> None:
    service.add_group(PRODUCT)
    target = connect(oauth=oauth, secrets=OAUTH_SECRETS)
    credentials = target._client._tokens
    now = [0.0]
    credentials._monotonic = lambda: now[0]
    for life, good, ended in (
        (3600, 3569, 3571),
        (100, 89, 91),
        (None, 269, 271),
        ("7200", 7169, 7171),
        (-1, 269, 271),
    ):
        tokens.life, credentials._token = life, None
        now[0], before = 0.0, len(tokens.asked)
        await target.read(PRODUCT)
        now[0] = float(good)
        await target.read(PRODUCT)
        assert len(tokens.asked) == before + 1, life
        now[0] = float(ended)
        await target.read(PRODUCT)
        assert len(tokens.asked) == before + 2, life


@pytest.mark.parametrize(
    ("answer", "fault", "says"),
    [
        ((400, b'{"error":"invalid_scope"}'), CommandFault.REFUSED, "the token endpoint answered 400 (invalid_scope)"),
        ((401, b'{"error":"<\\u001b>"}'), CommandFault.REFUSED, "the token endpoint answered 401;"),
        ((401, b"no"), CommandFault.REFUSED, "the token endpoint answered 401;"),
        ((500, b"no"), CommandFault.BAD_ANSWER, "the token endpoint answered 500;"),
        ((302, b""), CommandFault.BAD_ANSWER, "answered 302, a redirect, which is not followed"),
        ((200, b"[]"), CommandFault.BAD_ANSWER, "answered without a bearer token"),
        ((200, b'{"access_token":7}'), CommandFault.BAD_ANSWER, "answered without a bearer token"),
        ((200, b'{"access_token":"a","token_type":"mac"}'), CommandFault.BAD_ANSWER, "without a bearer token"),
        ((200, b'{"access_token":"a\\r\\nX: y"}'), CommandFault.REFUSED, "is no token"),
        ((200, b'{"access_token":"' + b"a" * 20_000 + b'"}'), CommandFault.REFUSED, "is no token"),
        ((200, b" " * 100_000), CommandFault.BAD_ANSWER, "answered with more than 64 KiB"),
    ],
)
async def test_what_a_token_endpoint_refuses_is_told_without_a_secret(
    service: Service,
    tokens: TokenServer,
    oauth: ScimToken,
    connect: Callable[..., ScimTarget],
    answer: tuple[int, bytes],
    fault: CommandFault,
    says: str,
) -> None:
    tokens.answer = answer
    with pytest.raises(TransportError) as caught:
        await connect(oauth=oauth, secrets=OAUTH_SECRETS).read(PRODUCT)
    assert caught.value.reason is fault
    assert says in str(caught.value)
    assert CLIENT_SECRET not in str(caught.value)
    assert str(caught.value).isprintable()
    assert service.seen == []


async def test_a_wrong_client_secret_is_told(
    service: Service, tokens: TokenServer, oauth: ScimToken, backend: Callable[..., DirectBackend]
) -> None:
    with pytest.raises(TransportError) as caught:
        await read(backend(oauth=oauth, secrets={"scim/secret": "wrong one"}))
    assert "the token endpoint answered 401 (invalid_client); check the account in the Secret" in str(caught.value)
    assert "wrong one" not in str(caught.value)
    assert "secret of a test" not in str(caught.value)


async def test_many_requests_at_the_same_time_share_one_token_request(
    service: Service, tokens: TokenServer, oauth: ScimToken, connect: Callable[..., ScimTarget]
) -> None:
    names = [f"user{number}" for number in range(40)]
    service.add_users(*names)
    service.lacks.or_filters = True
    target = connect(oauth=oauth, secrets=OAUTH_SECRETS)
    assert set(await target.find(names)) == set(names)
    assert len(tokens.asked) == 1
