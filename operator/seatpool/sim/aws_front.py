"""Routes the requests to the AWS stand-in: Run Command, the orders of tests, and everything else to moto."""

import io
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.iam.models import get_account_id_from

from seatpool.domain.errors import SeatpoolError
from seatpool.sim import ec2_past, sqs_turns
from seatpool.sim.refusals import PlannedRefusal, Refusal, Refusals
from seatpool.sim.sqs_turns import SqsTurns
from seatpool.sim.ssm.api import RunCommand
from seatpool.sim.ssm.nodes import Caller

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["CALLS", "FORGOTTEN", "NODES", "REFUSALS", "RESET", "Front"]

NODES, REFUSALS, CALLS = "/seatpool/nodes", "/seatpool/refusals", "/seatpool/calls"
FORGOTTEN = "/seatpool/forgotten"
RESET = "/moto-api/reset"
SSM = "AmazonSSM"
_SIGNED = re.compile(r"Credential=([^/,]+)/[0-9]+/([^/]+)/([^/]+)/")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]+)")


class Front:
    """WSGI application around moto's."""

    def __init__(self, moto: "WSGIApplication", run_command: RunCommand) -> None:
        self._moto = moto
        self._queues = SqsTurns(moto)
        self._run_command = run_command
        self._refusals = Refusals()
        self._orders: dict[str, Callable[[Any], object]] = {
            NODES: lambda order: run_command.register(order["instance_id"], Path(order["home"])),
            REFUSALS: lambda order: self._refusals.plan(PlannedRefusal(**order)),
            CALLS: lambda _: self._refusals.calls(),
            FORGOTTEN: lambda order: ec2_past.forget_instances(frozenset(order["instance_ids"])),
        }

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in self._orders:
            return _answer(start_response, lambda: self._orders[path](_read_json(environ)))
        if path == RESET:
            self._refusals.reset()
            self._run_command.reset()
            return self._moto(environ, start_response)
        planned = self._refusals.count_request(_operation(environ))
        if planned is None:
            return self._carry_out(environ, start_response)
        if planned.after_work:
            list(self._carry_out(environ, _unheard))
        else:
            _read(environ)
        return _refuse(environ, start_response, planned.refusal())

    def _carry_out(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if service == sqs_turns.TARGET:
            return self._queues(environ, start_response)
        ours = self._run_command.operations.get(operation) if service == SSM else None
        if ours is None:
            return self._moto(environ, start_response)
        return _answer(start_response, lambda: ours(_caller(environ), _read_json(environ)))


def _answer(start_response: "StartResponse", work: Callable[[], object]) -> list[bytes]:
    try:
        return _send(start_response, 200, json.dumps(work()))
    except Refusal as refusal:
        return _send(start_response, refusal.status, _in_json(refusal))
    except SeatpoolError as error:
        return _send(start_response, 400, _in_json(Refusal(type(error).__name__, str(error))))


def _refuse(environ: "WSGIEnvironment", start_response: "StartResponse", refusal: Refusal) -> list[bytes]:
    """Returns an error in the protocol of the request: JSON, or one of two kinds of XML."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        return _send(start_response, refusal.status, _in_json(refusal))
    error = f"<Error><Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message></Error>"
    signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed and signed[3] == "ec2":
        text = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
    else:
        text = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
    return _send(start_response, refusal.status, text, kind="text/xml")


def _send(
    start_response: "StartResponse", status: int, text: str, *, kind: str = "application/x-amz-json-1.1"
) -> list[bytes]:
    payload = text.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(payload)))]
    start_response(f"{status} {'OK' if status == 200 else 'Refused'}", headers)
    return [payload]


def _in_json(refusal: Refusal) -> str:
    return json.dumps({"__type": refusal.code, "Message": refusal.message, "message": refusal.message})


def _unheard(*_: object) -> Callable[[bytes], object]:
    """Replaces the caller's start_response if the answer is to be lost."""
    return len


def _read(environ: "WSGIEnvironment") -> bytes:
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _read_json(environ: "WSGIEnvironment") -> Any:
    return json.loads(_read(environ) or b"{}")


def _operation(environ: "WSGIEnvironment") -> str:
    """Returns the operation's name. The body of a query request, such as EC2's, is put back for moto."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).partition(".")[2]
    if "urlencoded" not in environ.get("CONTENT_TYPE", ""):
        return ""
    body = _read(environ)
    environ["wsgi.input"] = io.BytesIO(body)
    found = _ACTION.search(body)
    return found[1].decode() if found else ""


def _caller(environ: "WSGIEnvironment") -> Caller:
    signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed is None:
        raise Refusal("MissingAuthenticationTokenException", "the request is not signed", status=403)
    return Caller(get_account_id_from(signed[1]), signed[2])
