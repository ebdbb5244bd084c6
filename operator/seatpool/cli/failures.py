"""Turns what ends a command into one line on standard error and an exit code. This is the only such place.

Exit codes: 2 a mistake or no answer, 130 after Ctrl-C, 141 if the program that reads the answer ended first. The last two
are what a shell shows for a process that SIGINT or SIGPIPE ended.
"""

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.say import say

ERROR = 2
INTERRUPTED = 130
PIPE_CLOSED = 141
_OF_STREAMS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EBADF})
_FORBIDDEN = re.compile(r'^[a-z.]+(?: "[^"]*")? is forbidden: (?P<said>User ".*)$', re.DOTALL)
_VERB = re.compile(r"cannot (?P<verb>[a-z]+) resource")


@contextmanager
def failures_told() -> Iterator[None]:
    """Ends the process with a line and an exit code if the block fails, and with the block's own exit code else."""
    code: int | str | None = 0
    try:
        try:
            yield
        except SystemExit as ended:
            code = PIPE_CLOSED if isinstance(ended.__context__, BrokenPipeError) else ended.code
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = PIPE_CLOSED
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        _tell(sentence(error))
        code = ERROR
    _drop_unwritten()
    raise SystemExit(code)


def sentence(error: Exception) -> str:
    """Returns what an error means, in one line."""
    from seatpool.kube.errors import KubeError

    if isinstance(error, KubeError):
        return kube_sentence(error)
    if isinstance(error, SeatpoolError):
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return "; ".join(lines).replace(":; ", ": ")
    if isinstance(error, OSError) and error.filename is None and error.errno in _OF_STREAMS:
        return f"the answer cannot be written to standard output: {error.strerror}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    told = " ".join(str(error).split()) or "no more is known"
    return f"{type(error).__name__}: {told}; this was not expected, so please report it. PYTHONDEVMODE=1 shows where it happened"


def kube_sentence(error: Exception) -> str:
    """Returns what a refusal of the API server means, and what helps. It has no path of the API."""
    from seatpool.kube.errors import Forbidden, KubeError, NotFound, Unavailable

    assert isinstance(error, KubeError)  # noqa: S101
    said = " ".join(error.message.split())
    if isinstance(error, Forbidden) and error.status == 401:
        return (
            "the API server does not know you (Unauthorized): log in again, or choose another --context or --user; "
            f"{said or 'no more is said'}"
        )
    if isinstance(error, Forbidden):
        return _forbidden(said)
    if isinstance(error, NotFound) and "/apis/seatpool.io/" in error.what and "could not find the requested" in said:
        return (
            "this cluster has no resources of Seatpool: install its CRDs (seatpool crds | kubectl apply -f -), or choose "
            "another --context"
        )
    if isinstance(error, NotFound) and "404 page not found" in said:
        return "this cluster has no resources of Seatpool: install its CRDs (seatpool crds | kubectl apply -f -)"
    if isinstance(error, Unavailable) and error.status == 0:
        return f"no answer from the API server: {said}; is it the right --context, and does the network lead there?"
    return f"the API server refused: {said or error.reason or error.status}"


def _forbidden(said: str) -> str:
    found = _FORBIDDEN.match(said)
    if found is None:
        return f"the API server refused: {said}"
    what = found["said"]
    verb = _VERB.search(what)
    deciding = verb is not None and verb["verb"] in ("patch", "update")
    role = "seatpool-license-admin" if deciding else "seatpool-viewer"
    if "at the cluster scope" in what:
        return (
            f"{what}; name one namespace with -n instead of -A, or have the role {role} bound to you in the whole cluster "
            "(ClusterRoleBinding)"
        )
    return f"{what}; have the role {role} bound to you there (RoleBinding), or name another namespace with -n"


def _tell(text: str) -> None:
    try:
        say(f"seatpool: {text}", err=True)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # standard error is full or closed too, and there is nobody left to tell


def _drop_unwritten() -> None:
    """Flushes standard output. What cannot be written is dropped, or it would fail once more when the process ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.close(sink)
