"""A door before moto at which one account, one region or one operation can be refused, or left without an answer.

It also does what moto does not: SQS's own move of dead letters, and ECS's word for tasks that it does not know.
"""

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from moto.backends import get_backend
from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

SIGNED = re.compile(r"Credential=([^/,]+)/[0-9]+/([^/]+)/([^/]+)/")
ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]+)")
MOVES = ("StartMessageMoveTask", "ListMessageMoveTasks")


@dataclass(frozen=True)
class Trouble:
    """What happens to requests that fit; None fits everything."""

    account: str | None = None
    region: str | None = None
    operation: str | None = None
    code: str | None = None
    """Refused with this code; without one there is no answer at all."""
    delay: float | None = None
    """Only late by so many seconds, and carried out."""

    def fits(self, account: str, region: str, operation: str) -> bool:
        wanted = (self.account, self.region, self.operation)
        return all(one in (None, is_) for one, is_ in zip(wanted, (account, region, operation), strict=True))


@dataclass
class Gate:
    """A WSGI application around moto's."""

    moto: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))
    troubles: list[Trouble] = field(default_factory=list)
    calls: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """How often each (account, region, operation) was asked for."""
    can_move: bool = False
    moves: list[dict[str, Any]] = field(default_factory=list)
    at_once: dict[str, int] = field(default_factory=dict)
    """How many requests of each operation are under way."""
    most_at_once: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    mended: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        signed = SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        if signed is None:
            return self.moto(environ, start_response)  # type: ignore[no-any-return]
        account, region = get_account_id_from(signed[1]), signed[2]
        operation = _operation(environ)
        self.calls[account, region, operation] = self.calls.get((account, region, operation), 0) + 1
        for trouble in tuple(self.troubles):
            if trouble.fits(account, region, operation):
                if trouble.delay is not None:
                    with self._counted(operation):
                        time.sleep(trouble.delay)
                    break
                if trouble.code is None:
                    self.mended.wait(30)
                return _refuse(environ, start_response, trouble.code or "Late", service=signed[3])
        if operation in MOVES:
            if not self.can_move:
                return _refuse(environ, start_response, "UnsupportedOperation", service="sqs")
            return self._move(environ, start_response, operation, account, region)
        if operation == "DescribeTasks":
            return self._describe_tasks(environ, start_response)
        return self.moto(environ, start_response)  # type: ignore[no-any-return]

    def _describe_tasks(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        body = _read(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        said: list[Any] = []
        answer = b"".join(self.moto(environ, lambda status, headers, *_: said.extend((status, headers))))
        if not said[0].startswith("200"):
            start_response(*said)
            return [answer]
        document = json.loads(answer)
        shown = {task["taskArn"] for task in document["tasks"]}
        missing = [arn for arn in json.loads(body)["tasks"] if arn not in shown]
        document["failures"] = [{"arn": arn, "reason": "MISSING"} for arn in missing]
        return _send(start_response, 200, json.dumps(document))

    @contextmanager
    def trouble(self, **what: Any) -> Iterator[None]:
        """As long as the block lasts."""
        one = Trouble(**what)
        self.mended.clear()
        self.troubles.append(one)
        try:
            yield
        finally:
            self.troubles.remove(one)
            self.mended.set()

    @contextmanager
    def _counted(self, operation: str) -> Iterator[None]:
        with self.lock:
            self.at_once[operation] = self.at_once.get(operation, 0) + 1
            self.most_at_once[operation] = max(self.most_at_once.get(operation, 0), self.at_once[operation])
        try:
            yield
        finally:
            with self.lock:
                self.at_once[operation] -= 1

    def reset(self) -> None:
        self.troubles.clear()
        self.calls.clear()
        self.moves.clear()
        self.most_at_once.clear()
        self.can_move = False
        self.mended.set()

    def _move(self, environ: Any, start_response: Any, operation: str, account: str, region: str) -> list[bytes]:
        order = json.loads(_read(environ))
        if operation == "ListMessageMoveTasks":
            found = [move for move in self.moves if move["SourceArn"] == order["SourceArn"]]
            return _send(start_response, 200, json.dumps({"Results": found}))
        queues = get_backend("sqs")[account][region].queues
        source = queues[order["SourceArn"].rpartition(":")[2]]
        target = queues[order["DestinationArn"].rpartition(":")[2]]
        moved = list(source._messages)
        source._messages.clear()
        for message in moved:
            target.add_message(message)
        self.moves.append({"SourceArn": order["SourceArn"], "Status": "COMPLETED", "TaskHandle": "task-1",
                           "ApproximateNumberOfMessagesMoved": len(moved),
                           "ApproximateNumberOfMessagesToMove": len(moved)})  # fmt: skip
        return _send(start_response, 200, json.dumps({"TaskHandle": "task-1"}))


@contextmanager
def served(gate: Gate) -> Iterator[str]:
    """The gate's URL."""
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    gate.mended.set()
    server.shutdown()
    server.server_close()
    thread.join()


class _Quiet(MotoRequestHandler):  # type: ignore[misc]
    def log_request(self, *_: object) -> None:
        pass


def _read(environ: Any) -> bytes:
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _operation(environ: Any) -> str:
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).partition(".")[2]
    body = _read(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    found = ACTION.search(body)
    return found[1].decode() if found else ""


def _refuse(environ: Any, start_response: Callable[..., Any], code: str, *, service: str) -> list[bytes]:
    message = "as the test wants it"
    if environ.get("HTTP_X_AMZ_TARGET"):
        return _send(start_response, 400, json.dumps({"__type": code, "message": message}))
    error = f"<Error><Code>{escape(code)}</Code><Message>{message}</Message></Error>"
    text = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
    if service != "ec2":
        text = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    return _send(start_response, 400, text, kind="text/xml")


def _send(start_response: Any, status: int, text: str, *, kind: str = "application/x-amz-json-1.0") -> list[bytes]:
    payload = text.encode()
    start_response(f"{status} Answer", [("Content-Type", kind), ("Content-Length", str(len(payload)))])
    return [payload]
