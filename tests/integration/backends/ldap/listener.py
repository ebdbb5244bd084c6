"""A port of 127.0.0.1 that takes TLS connections, each in a thread of its own."""

import contextlib
import socket
import ssl
import threading
from abc import ABC, abstractmethod


class TlsListener(ABC):
    """Takes connections until it is closed."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @abstractmethod
    def _serve(self, plain: socket.socket) -> None:
        """Serves one connection, on which TLS has not begun."""

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()
