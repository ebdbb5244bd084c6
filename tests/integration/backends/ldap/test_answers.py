"""A server that speaks TLS and then something that is no LDAP, half an answer, or nothing."""

import asyncio
import contextlib
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.integration.backends.conformance import run_one, write
from tests.integration.backends.ldap.directory import PASSWORD, Authority
from tests.integration.backends.ldap.listener import TlsListener
from tests.integration.backends.site import UNDISTURBED, direct_backend

from seatpool.api.list_backends import LdapSettings
from seatpool.servers.backend import ListBackend
from seatpool.servers.command_result import ProductResult, Result
from seatpool.servers.errors import CommandFault, TransportError
from seatpool.servers.ldap.factory import make_target

NUMBER = bytes.fromhex("02017e")
"""The number of a message, which the speaker replaces by that of the request."""
BOUND = bytes.fromhex("300c02017e61070a010004000400")
DONE = bytes.fromhex("300c02017e65070a010004000400")
ENTRY = bytes.fromhex("302602017e642104026f3d301b3019040b6f626a656374436c617373310a04086f7267616e697a65")


class Speaker(TlsListener):
    """Sends the same bytes to each connection, piece by piece: one for each request that comes."""

    def __init__(self, authority: Authority, name: str = "127.0.0.1") -> None:
        self.pieces: list[bytes] = []
        self.received = b""
        self.open = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.ca.issue_cert(name).configure_cert(context)
        super().__init__(context)

    def _serve(self, plain: socket.socket) -> None:
        self.open += 1
        with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as near:
            for piece in self.pieces:
                request = near.recv(65_536)
                self.received += request
                if not request:
                    break
                start = 2 + (request[1] & 0x7F if request[1] & 0x80 else 0)
                near.sendall(piece.replace(NUMBER, request[start : start + 2 + request[start + 1]]))
            while self.pieces[-1:] == [b""] and near.recv(65_536):
                pass
        self.open -= 1


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def speaker(authority: Authority) -> Iterator[Speaker]:
    one = Speaker(authority)
    yield one
    one.close()


async def fault(speaker: Speaker, authority: Authority, *pieces: bytes, seconds: float = 2) -> CommandFault | None:
    """Returns why a list was not read. None: the list alone is blamed."""
    speaker.pieces = list(pieces)
    settings = {
        "url": f"ldaps://127.0.0.1:{speaker.port}",
        "ca": {"name": "dir", "key": "ca.crt"},
        "bindDn": "cn=seatpool",
        "password": {"name": "dir", "key": "password"},
        "group": "cn={product}",
        "users": {"base": "ou=people"},
    }
    secrets = {"dir/ca.crt": authority.pem, "dir/password": PASSWORD}
    target = make_target(LdapSettings.model_validate(settings), secrets=secrets, timeout=timedelta(seconds=seconds))
    backend = direct_backend(target, names=None, timeout=timedelta(seconds=60), disturbance=UNDISTURBED)
    ended = await _ended(backend)
    await target.close()
    if isinstance(ended, TransportError):
        assert str(ended).isprintable()
        assert PASSWORD not in str(ended)
        return ended.reason
    assert ended.result is Result.FAILED
    return None


async def _ended(backend: ListBackend) -> ProductResult | TransportError:
    try:
        return await run_one(backend, write(1, "ann"))
    except TransportError as error:
        return error


@pytest.mark.parametrize("seed", range(40))
async def test_bytes_that_are_no_ldap(speaker: Speaker, authority: Authority, seed: int) -> None:
    chosen = random.Random(seed)
    answers = [BOUND, BOUND + DONE, DONE, ENTRY + DONE, ENTRY]
    pieces = [BOUND] * chosen.randint(0, 1)
    for _ in range(3):
        piece = bytearray(chosen.choice(answers))
        match chosen.randrange(4):
            case 0:
                piece = bytearray(chosen.randbytes(chosen.randint(1, 60)))
            case 1:
                piece[chosen.randrange(len(piece))] = chosen.randrange(256)
            case 2:
                del piece[chosen.randrange(1, len(piece)) :]
            case _:
                piece[1] = chosen.randrange(256)
        pieces.append(bytes(piece))
    reason = await fault(speaker, authority, *pieces)
    assert reason in (
        None,
        *(CommandFault.UNREACHABLE, CommandFault.BAD_ANSWER, CommandFault.TIMED_OUT, CommandFault.REFUSED),
    )


async def test_a_server_that_is_silent_after_tls_and_one_that_is_silent_after_the_bind(
    speaker: Speaker, authority: Authority
) -> None:
    assert await fault(speaker, authority, b"") is CommandFault.TIMED_OUT
    assert await fault(speaker, authority, BOUND, b"") is CommandFault.TIMED_OUT
    assert await fault(speaker, authority, BOUND, bytes.fromhex("30847fffffff"), b"") is CommandFault.TIMED_OUT


@pytest.mark.parametrize("name", ["directory.example.com", "127.0.0.2", "*.0.0.1"])
async def test_a_certificate_for_another_name_gets_no_password(authority: Authority, name: str) -> None:
    speaker = Speaker(authority, name)
    assert await fault(speaker, authority, BOUND) is CommandFault.CERTIFICATE_REFUSED
    assert speaker.received == b""
    speaker.close()


async def test_a_port_that_takes_connections_and_speaks_no_tls(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        speaker = Speaker(authority)
        speaker.close()
        speaker.port = silent.getsockname()[1]
        assert await fault(speaker, authority) is CommandFault.TIMED_OUT


async def test_answers_that_trickle_end_with_the_time_limit_and_leave_no_thread(
    speaker: Speaker, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece comes before the time limit of one piece, and the whole never comes."""
    before = threading.active_count()

    def trickle(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), speaker._context.wrap_socket(plain, server_side=True) as near:
            near.recv(65_536)
            near.sendall(bytes.fromhex("30847fffffff"))
            while True:
                near.sendall(b"\x00")
                threading.Event().wait(0.2)

    monkeypatch.setattr(speaker, "_serve", trickle)
    assert await fault(speaker, authority) is CommandFault.TIMED_OUT
    for _ in range(300):
        if threading.active_count() <= before + 1:
            break
        await asyncio.sleep(0.1)
    assert threading.active_count() <= before + 1
