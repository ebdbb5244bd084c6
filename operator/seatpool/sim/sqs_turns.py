"""One request at a time for moto's queues, which several threads of a server would break.

In moto a message that is sent while another one is deleted may be lost, two receivers may get the same message, and when
two move one to the dead-letter queue a request fails with all that it had received. None of that is how SQS fails. So
requests take turns; a long poll gives up its turn while it waits, and asks anew when a message came or might be visible
again.
"""

import io
import json
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["TARGET", "SqsTurns"]

TARGET = "AmazonSQS"
RECEIVE = "ReceiveMessage"
MAY_BRING_MESSAGES = frozenset(
    {"SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}
)
ASK_AGAIN = 0.25
"""Seconds; a message becomes visible again without anybody saying so."""


class SqsTurns:
    """A WSGI application around moto's, for requests to SQS."""

    def __init__(self, moto: "WSGIApplication") -> None:
        self._moto = moto
        self._turn = threading.Condition()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        operation = environ["HTTP_X_AMZ_TARGET"].partition(".")[2]
        if operation == RECEIVE:
            return self._receive(environ, start_response)
        with self._turn:
            answer = list(self._moto(environ, start_response))
            if operation in MAY_BRING_MESSAGES:
                self._turn.notify()
        return answer

    def _receive(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        order = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        deadline = time.monotonic() + order.get("WaitTimeSeconds", 0)
        body = json.dumps(order | {"WaitTimeSeconds": 0}).encode()
        with self._turn:
            while True:
                answer = _Answer(self._moto, environ, body)
                rest = deadline - time.monotonic()
                if rest <= 0 or not answer.is_empty:
                    self._turn.notify()  # there may be more than this one took
                    return answer.send(start_response)
                self._turn.wait(min(rest, ASK_AGAIN))


class _Answer:
    """What moto says to a request, kept until somebody wants it."""

    def __init__(self, moto: "WSGIApplication", environ: "WSGIEnvironment", body: bytes) -> None:
        self._head: tuple[Any, ...] = ()
        asked = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        self._body = list(moto(asked, self._keep))

    @property
    def is_empty(self) -> bool:
        """The queue had nothing; an error is something."""
        return str(self._head[0]).startswith("200") and not json.loads(b"".join(self._body) or b"{}").get("Messages")

    def send(self, start_response: "StartResponse") -> list[bytes]:
        start_response(*self._head)
        return self._body

    def _keep(self, *head: Any) -> Any:
        self._head = head
        return len
