"""Serves one request at a time to moto's queues, which are not safe for several threads.

In moto a message that is sent while another is deleted may be lost. Two receivers may get the same message. If two of
them move one to the dead-letter queue, a request fails with all that it had received. SQS does not fail like that. So
requests take turns. A long poll gives up its turn while it waits, and asks again when a message came or might be
visible again.
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
"""Seconds. A message becomes visible again without a signal."""


class SqsTurns:
    """WSGI application around moto's, for requests to SQS."""

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
                    self._turn.notify()  # there may be more messages than this one took
                    return answer.send(start_response)
                self._turn.wait(min(rest, ASK_AGAIN))


class _Answer:
    """An answer of moto, kept until it is needed."""

    def __init__(self, moto: "WSGIApplication", environ: "WSGIEnvironment", body: bytes) -> None:
        self._head: tuple[Any, ...] = ()
        asked = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        self._body = list(moto(asked, self._keep))

    @property
    def is_empty(self) -> bool:
        """Tells whether the queue had no message. An error is not empty."""
        return str(self._head[0]).startswith("200") and not json.loads(b"".join(self._body) or b"{}").get("Messages")

    def send(self, start_response: "StartResponse") -> list[bytes]:
        start_response(*self._head)
        return self._body

    def _keep(self, *head: Any) -> Any:
        self._head = head
        return len
