"""What a SCIM service, a network or a Secret can do wrong: which error it is, and what it says."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import trustme
from tests.integration.backends.scim.lists import PRODUCT, read, write
from tests.integration.backends.scim.scim_service import TOKEN, Lacks, Service

from seatpool.servers.command_result import Result
from seatpool.servers.direct.backend import DirectBackend
from seatpool.servers.direct.target import ListProblem, Mark, MemberChange
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.scim.target import ScimTarget

Make = Callable[..., DirectBackend]
Connect = Callable[..., ScimTarget]


async def fails(call: Awaitable[Any]) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await call
    assert TOKEN not in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


async def test_429_is_waited_for_as_long_as_the_service_asks(service: Service, backend: Make) -> None:
    service.add_users("ann")
    group = service.add_group(PRODUCT)
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    for headers in ({"Retry-After": "1"}, {"Retry-After": later}, {}, {"Retry-After": "soon"}):
        service.answer_next.append((429, headers, b'{"detail":"slow down"}'))
    service.answer_next.append((503, {"Retry-After": "1"}, b"<html>busy</html>"))
    began = time.monotonic()
    result = await write(backend(), "ann")
    assert result.result is Result.APPLIED
    assert time.monotonic() - began > 2
    assert service.names(group) == ["ann"]


async def test_a_write_that_is_answered_429_is_repeated_and_lands_once(service: Service, backend: Make) -> None:
    service.add_users("ann")
    group = service.add_group(PRODUCT)
    service.lacks = Lacks(etag=True)
    made = backend()
    await read(made)
    target, (ann,) = made._target, (await made._target.find(("ann",))).values()
    before = await target.read(PRODUCT)
    service.answer_write_next.append((429, {"Retry-After": "0"}, b""))
    change = MemberChange(add=(ann.reference,), whole=(ann.reference,), mark=Mark(owner="site-a", revision=1))
    await target.change(PRODUCT, before, change)
    assert len(service.writes()) == 2
    assert service.names(group) == ["ann"]


@pytest.mark.parametrize(("status", "fault"), [(429, CommandFault.THROTTLED), (503, CommandFault.UNREACHABLE)])
async def test_a_longer_wait_than_the_time_limit_is_told_at_once(
    service: Service, backend: Make, status: int, fault: CommandFault
) -> None:
    service.answer_next.append((status, {"Retry-After": "3600"}, b""))
    error = await fails(read(backend(timeout=5)))
    assert error.reason is fault
    assert f"answered {status} and asks to wait 3600 s, which is beyond spec.timeout" in str(error)
    assert len(service.seen) == 1


async def test_a_hanging_service_ends_with_an_error_that_says_whether_the_list_may_have_changed(
    service: Service, connect: Connect
) -> None:
    ann = service.add_users("ann")[0]
    service.add_group(PRODUCT)
    target = connect(timeout=4)
    before = await target.read(PRODUCT)
    service.hang = threading.Event()
    try:
        error = await fails(target.read(PRODUCT))
        assert (error.reason, error.maybe_applied) == (CommandFault.TIMED_OUT, False)
        change = MemberChange(add=(ann,), whole=(ann,), mark=Mark(owner="site-a", revision=1))
        error = await fails(target.change(PRODUCT, before, change))
        assert (error.reason, error.maybe_applied) == (CommandFault.TIMED_OUT, True)
    finally:
        service.hang.set()
        service.hang = None


async def test_a_redirect_is_not_followed(service: Service, backend: Make) -> None:
    service.answer_next.append((307, {"Location": f"{service.url}/elsewhere"}, b""))
    error = await fails(read(backend()))
    assert error.reason is CommandFault.BAD_ANSWER
    assert "answered 307, a redirect, which is not followed" in str(error)
    assert [one.path for one in service.seen] == ["/v2/ServiceProviderConfig"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html>hello</html>", "with what is no JSON object"),
        (b"[1]", "with what is no JSON object"),
        (b"[" * 100_000, "with what is no JSON object"),
        (b'{"a":' * 100_000, "with what is no JSON object"),
        (b'{"a": "' + b"x" * (17 * 1024 * 1024) + b'"}', "with more than 16384 KiB"),
        (b"", "with what is no JSON object"),
        (b"\xff\xfe{}", "with what is no JSON object"),
    ],
    ids=["html", "array", "deep array", "deep object", "long", "nothing", "bytes"],
)
async def test_an_answer_that_cannot_be_used_is_told(
    service: Service, backend: Make, content: bytes, says: str
) -> None:
    service.answer_next.append((200, {}, content))
    error = await fails(read(backend()))
    assert error.reason is CommandFault.BAD_ANSWER
    assert says in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"Resources": "x"},
        {"Resources": [1, None, {"id": 7}, {"id": ""}], "totalResults": "many"},
        {"totalResults": 10**9},
        {"Resources": [{"id": "a", "displayName": ["matlab"]}], "totalResults": -1},
        {},
    ],
)
async def test_a_list_answer_of_an_odd_form_is_no_group(service: Service, backend: Make, body: Any) -> None:
    service.lacks.config = True
    made = backend()
    service.answer_next.append((404, {}, b""))
    service.answer_next.append((200, {}, json.dumps(body).encode()))
    result = await read(made)
    assert result.result is Result.FAILED
    assert "the group matlab is not on 127.0.0.1" in result.detail


@pytest.mark.parametrize(
    "members",
    [
        "x",
        7,
        [None, 1, [], {}, {"value": 5}, {"value": None}, {"value": ""}],
        {"value": "0000"},
        [{"value": "\x1b[2J"}, {"value": "0000", "type": 7, "$ref": []}],
    ],
)
async def test_members_of_an_odd_form_are_shown_and_replaced(service: Service, backend: Make, members: Any) -> None:
    service.add_users("ann")
    group = service.add_group(PRODUCT)
    made = backend()
    await read(made)
    shown = {**service.group(group), "members": members}
    service.answer_next.append((200, {}, json.dumps(shown, default=str).encode()))
    result = await read(made)
    assert (result.result, result.users) == (Result.LISTED, ())
    assert result.odd or result.surplus
    assert all(one.isprintable() for one in (*result.odd, *result.surplus))
    service.answer_next.append((200, {}, json.dumps(shown, default=str).encode()))
    assert (await write(made, "ann")).users == ("ann",)
    assert service.names(group) == ["ann"]


async def test_what_a_service_says_is_shown_without_secrets_and_control_characters(
    service: Service, backend: Make
) -> None:
    service.add_users("ann")
    service.add_group(PRODUCT)
    made = backend()
    await read(made)
    detail = f"no \x1b[31m{TOKEN}\n" + "x" * 1000
    answer = (400, {}, json.dumps({"detail": detail, "scimType": "invalidValue"}).encode())
    before = await made._target.read(PRODUCT)
    service.answer_next.extend([answer] * 4)
    with pytest.raises(ListProblem, match="cannot be changed") as caught:
        await made._target.change(PRODUCT, before, MemberChange(whole=(), mark=Mark(owner="site-a", revision=1)))
    assert TOKEN not in str(caught.value)
    assert str(caught.value).isprintable()
    assert "(invalidValue: no \\x1b[31m…\\nxxx" in str(caught.value)
    assert len(str(caught.value)) < 1500


async def test_a_refused_token_is_told(service: Service, backend: Make, connect: Connect) -> None:
    target = connect(secrets={"scim/token": "another-token"})
    error = await fails(target.read(PRODUCT))
    assert error.reason is CommandFault.REFUSED
    assert "refuses the operator's token (401); check the account in the Secret" in str(error)
    assert "another-token" not in str(error)


async def test_missing_rights_are_told(service: Service, connect: Connect) -> None:
    service.add_group(PRODUCT)
    target = connect()
    before = await target.read(PRODUCT)
    service.answer_next.append((403, {}, b'{"detail":"not yours"}'))
    with pytest.raises(ListProblem, match=r"answered 403 \(not yours\); check the operator's rights on it"):
        await target.change(PRODUCT, before, MemberChange(whole=(), mark=Mark(owner="site-a", revision=9)))
    service.answer_next.append((403, {}, b'{"detail":"not yours"}'))
    error = await fails(target.find(("ann",)))
    assert error.reason is CommandFault.REFUSED
    assert "answered 403 (not yours) to the filter userName eq" in str(error)


async def test_a_certificate_of_another_authority_is_refused(service: Service, connect: Connect) -> None:
    target = connect(secrets={"scim/ca": trustme.CA().cert_pem.bytes().decode()})
    error = await fails(target.read(PRODUCT))
    assert error.reason is CommandFault.CERTIFICATE_REFUSED
    assert not error.maybe_applied
    assert service.seen == []
    error = await fails(connect(ca=None).read(PRODUCT))
    assert error.reason is CommandFault.CERTIFICATE_REFUSED
    by_name = connect(url=service.url.replace("127.0.0.1", "localhost") + "/v2")
    error = await fails(by_name.read(PRODUCT))
    assert error.reason is CommandFault.CERTIFICATE_REFUSED


async def test_a_port_that_nothing_listens_on_is_told(connect: Connect) -> None:
    error = await fails(connect(url="https://127.0.0.1:9/v2").read(PRODUCT))
    assert (error.reason, error.maybe_applied) == (CommandFault.UNREACHABLE, False)
    assert "127.0.0.1:9 cannot be reached" in str(error)


async def test_a_service_without_tls_is_told(connect: Connect) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await fails(connect(url=f"https://127.0.0.1:{port}/v2").read(PRODUCT))
    assert error.reason in (CommandFault.CERTIFICATE_REFUSED, CommandFault.UNREACHABLE)


@pytest.mark.parametrize("requests", range(14))
async def test_a_process_that_dies_at_any_request_leaves_what_the_next_one_finishes(
    service: Service, backend: Make, requests: int
) -> None:
    names = [f"user{number:03}" for number in range(230)]
    ids = service.add_users(*names)
    group = service.add_group(PRODUCT, ids[:120], external_id="seatpool:site-a:1")
    service.lacks = Lacks(etag=requests % 2 == 0)
    dying = backend()
    await dying.find_unlistable(names)
    client = dying._target._client
    real, count = client._once, 0

    async def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count > requests // 2:
            raise KeyError("the process died")
        return await real(*args, **kwargs)

    client._once = counted
    with suppress(KeyError):
        await write(dying, *names[110:], revision=2)
    assert len(service.members(group)) <= 120
    result = await write(backend(), *names[110:], revision=3)
    assert (result.result, result.users, result.fence) == (Result.APPLIED, tuple(names[110:]), 3)
    assert service.members(group) == sorted(ids[110:])
