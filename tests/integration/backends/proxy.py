"""A TCP relay between a back end and its server, which can be slow, hang or be away. It understands nothing it relays."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

CHUNK = 65_536


class Relay:
    """Relays every connection to 127.0.0.1:`port` of its own to the server's port.

    `connect`: how the server is reached, if its port is not one of this machine.
    """

    def __init__(self, server_port: int, connect: Callable[[tuple[str, int]], socket.socket] | None = None) -> None:
        self._server_port = server_port
        self._connect = connect or socket.create_connection
        self._delay = 0.0
        self._hangs = False
        self._away = False
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Closes the port and every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Breaks every connection that is open."""
        with self._lock:
            broken, self._sockets = self._sockets, set()
        for one in broken:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Delays what the server sends, each piece by so many seconds."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Takes what is sent, and relays nothing. Connections of this time are broken afterwards."""
        self._hangs = True
        try:
            yield
        finally:
            self._hangs = False
            self.cut()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Breaks each connection at once."""
        self._away = True
        self.cut()
        try:
            yield
        finally:
            self._away = False

    @contextlib.contextmanager
    def elsewhere(self, port: int) -> Iterator[None]:
        """Relays to another port of this machine. Connections are broken before and after."""
        usual = self._server_port
        self._server_port = port
        self.cut()
        try:
            yield
        finally:
            self._server_port = usual
            self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._away:
                near.close()
                continue
            try:
                far = self._connect(("127.0.0.1", self._server_port))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._sockets |= {near, far}
            threading.Thread(target=self._relay, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._relay, args=(far, near, True), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                if self._hangs:
                    continue
                if is_answer and self._delay:
                    time.sleep(self._delay)
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._sockets -= {source, sink}
