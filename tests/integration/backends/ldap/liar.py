"""A server between a back end and a directory that answers every Modify with success and makes none of them."""

import contextlib
import socket
import ssl
import threading

from tests.integration.backends.ldap.listener import TlsListener

MODIFY_REQUEST, MODIFY_RESPONSE = 0x66, 0x67
SUCCESS = b"\x0a\x01\x00\x04\x00\x04\x00"


class Liar(TlsListener):
    """Relays what is no Modify to the directory's plain port."""

    def __init__(self, context: ssl.SSLContext, server_port: int) -> None:
        self._server_port = server_port
        self.lies = 0
        super().__init__(context)

    def _serve(self, plain: socket.socket) -> None:
        """Relays message by message: LDAP without pipelining has one answer, of one or more messages, to each request."""
        with contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as near:
            far = socket.create_connection(("127.0.0.1", self._server_port))
            threading.Thread(target=self._answer, args=(far, near), daemon=True).start()
            while message := _message(near):
                number, operation = _operation(message)
                if operation == MODIFY_REQUEST:
                    self.lies += 1
                    answer = number + bytes((MODIFY_RESPONSE, len(SUCCESS))) + SUCCESS
                    near.sendall(bytes((0x30, len(answer))) + answer)
                else:
                    far.sendall(message)
            far.close()

    def _answer(self, far: socket.socket, near: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65_536):
                near.sendall(data)


def _message(source: socket.socket) -> bytes:
    """Returns the next message in BER. Empty: there is none any more."""
    head = _exactly(source, 2)
    if len(head) < 2:
        return b""
    length = head[1]
    if length & 0x80:
        more = _exactly(source, length & 0x7F)
        head, length = head + more, int.from_bytes(more, "big")
    return head + _exactly(source, length)


def _operation(message: bytes) -> tuple[bytes, int]:
    """Returns the encoded number of a message, and the tag of its operation."""
    start = 2 + (message[1] & 0x7F if message[1] & 0x80 else 0)
    end = start + 2 + message[start + 1]
    return message[start:end], message[end]


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            return b""
        data += more
    return data
