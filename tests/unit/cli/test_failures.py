"""However a command fails, it ends with one line and a code of the table, and never with a traceback. As a process."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.interrupts import take_interrupts

from seatpool.cli.failures import kube_sentence
from seatpool.kube.errors import error_for

SEATPOOL = [sys.executable, "-m", "seatpool"]
VERBS = [("status",), ("why", "ann"), ("diff", "cad"), ("events", "cad"), ("pause", "cad"), ("verify", "cad"),
         ("approve", "cad"), ("check",), ("statement", "--pool", "cad"), ("top",)]  # fmt: skip


def environ(**changes: str) -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "HOME": "/nowhere", "COLUMNS": "100"} | changes


def seatpool(*arguments: str | Path, **changes: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [*SEATPOOL, *map(str, arguments)], env=environ(**changes), capture_output=True, timeout=60, check=False
    )


def one_line(done: "subprocess.CompletedProcess[bytes]") -> str:
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("seatpool: ")
    assert "Traceback" not in line
    return line


BROKEN = {
    "not YAML": b"{",
    "empty": b"",
    "no UTF-8": b"\xff\xfe\x00",
    "a list": b"[1]",
    "a context with a user that is missing": (
        b"clusters: [{name: c, cluster: {server: 'http://h'}}]\nusers: []\ncurrent-context: c\n"
        b"contexts: [{name: c, context: {cluster: c, user: gone}}]\n"
    ),
    "a credential plugin that is missing": (
        b"clusters: [{name: c, cluster: {server: 'http://h'}}]\ncurrent-context: c\n"
        b"users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin}}}]\n"
        b"contexts: [{name: c, context: {cluster: c, user: u}}]\n"
    ),
    "an address that is none": (
        b"clusters: [{name: c, cluster: {server: '://'}}]\nusers: [{name: u, user: {token: t}}]\ncurrent-context: c\n"
        b"contexts: [{name: c, context: {cluster: c, user: u}}]\n"
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_kubeconfig_is_one_line_and_code_2(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_bytes(BROKEN[kind])
    done = seatpool("status", "--kubeconfig", file)
    assert done.returncode == 2
    one_line(done)
    if kind != "an address that is none":  # the operator tries that until it answers
        operator = ("run", "--kubeconfig", file, "--http-port", "0", "--installation", "x")
        ended = seatpool(*operator, SEATPOOL_LOG__LEVEL="error")
        assert ended.returncode == 2
        one_line(ended)


@pytest.fixture
def forbidding() -> Iterator[str]:
    """The address of an API server that permits nothing."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            resource = self.path.partition("?")[0].rpartition("/")[2]
            message = f'{resource}.seatpool.io is forbidden: User "bob" cannot list resource "{resource}" in API group '
            message += '"seatpool.io" in the namespace "lab"'
            body = json.dumps({"kind": "Status", "reason": "Forbidden", "message": message}).encode()
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def kubeconfig(folder: Path, server: str) -> Path:
    file = folder / "kubeconfig"
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u", "namespace": "lab"}}],
        "current-context": "c",
    }
    file.write_text(json.dumps(config))
    return file


@pytest.mark.parametrize("verb", VERBS, ids=[verb[0] for verb in VERBS])
def test_a_right_that_is_missing_is_told_with_the_role_and_without_a_path(
    tmp_path: Path, forbidding: str, verb: tuple[str, ...]
) -> None:
    done = seatpool(*verb, "--kubeconfig", kubeconfig(tmp_path, forbidding))
    if verb == ("check",):
        assert b"/apis/" not in done.stdout
        return
    assert done.returncode == 2
    told = one_line(done)
    assert "seatpool-viewer" in told
    assert "/apis/" not in told


@pytest.mark.parametrize("verb", VERBS, ids=[verb[0] for verb in VERBS])
def test_an_api_server_that_does_not_answer_is_one_line(tmp_path: Path, verb: tuple[str, ...]) -> None:
    if verb in (("top",), ("check",)):
        pytest.skip("top tries again until Ctrl-C, and check tells it in its own lines")
    done = seatpool(*verb, "--kubeconfig", kubeconfig(tmp_path, "http://127.0.0.1:1"))
    assert done.returncode == 2
    assert "no answer from the API server" in one_line(done)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('pools is forbidden: User "b" cannot list resource "pools" in API group "" at the cluster scope', "-n instead of -A"),
        ('pools is forbidden: User "b" cannot patch resource "pools" in API group "" in the namespace "x"',
         "seatpool-license-admin"),
        ("ValidatingAdmissionPolicy 'x' denied request: no", "ValidatingAdmissionPolicy 'x' denied request: no"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_helps(message: str, told: str) -> None:
    assert told in kube_sentence(error_for(status=403, reason="Forbidden", message=message, what="GET /apis/x"))


@pytest.mark.parametrize(
    ("arguments", "code"), [(("crds",), 2), (("--help",), 2), (("document",), 2), (("--version",), 2)], ids=str
)
def test_an_answer_that_cannot_be_written_is_one_line_and_code_2(arguments: tuple[str, ...], code: int) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*SEATPOOL, *arguments], env=environ(), stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == code
    assert "cannot be written to standard output" in one_line(done)


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [("crds",), ("run", "--help"), ("document",)], ids=str)
def test_a_pipe_that_is_closed_ends_it_as_sigpipe_does_and_silently(arguments: tuple[str, ...], buffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*SEATPOOL, *arguments], env=environ(PYTHONUNBUFFERED=buffered), stdout=writing, stderr=subprocess.PIPE,
            timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-"])
def test_streams_that_are_closed_are_no_failure(redirection: str) -> None:
    command = f'"$@" crds {redirection}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, "sh", *SEATPOOL], env=environ(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("why",), ("stats",)], ids=str)
def test_every_encoding_of_a_terminal_will_do(arguments: tuple[str, ...], encoding: str) -> None:
    done = seatpool(*arguments, PYTHONIOENCODING=encoding)
    assert b"Traceback" not in done.stderr
    (done.stdout + done.stderr).decode(encoding)
    assert done.stdout + done.stderr


@pytest.mark.parametrize("word", [b"\xff", "é".encode(), b"\x1b[31m", b"a b", b"..", b"*"])
def test_a_name_in_any_bytes_is_one_line(tmp_path: Path, forbidding: str, word: bytes) -> None:
    done = subprocess.run(
        [*SEATPOOL, "diff", word, "--kubeconfig", kubeconfig(tmp_path, forbidding), "-n", word], env=environ(),
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert one_line(done).isprintable()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of an API server that takes a request and never answers."""
    asked = threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            time.sleep(30)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


BEGINS = "import os, sys; from seatpool.cli.entry import main; os.write(int(sys.argv.pop(1)), b'x'); main()"
"""The program `seatpool`, which tells a file descriptor that it begins."""


@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0])
def test_ctrl_c_at_any_time_is_code_130_and_silent(silent: Path, after: float) -> None:
    begun, tell = os.pipe()
    command = [sys.executable, "-c", BEGINS, str(tell), "status", "--kubeconfig", str(silent)]
    child = subprocess.Popen(
        command,
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=take_interrupts,
        pass_fds=[tell],
    )
    os.close(tell)
    assert os.read(begun, 1)  # an interpreter that has not begun yet is not ours
    os.close(begun)
    time.sleep(0.05 + after)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode in (130, -signal.SIGINT)  # a shell shows 130 for both
    assert (out, err) == (b"", b"")


LOSES_INTERRUPTS = """
import signal, sys, time
from seatpool.cli import entry
sys.unraisablehook = entry.send_again

class Loses:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

try:
    for _ in range(3):
        Loses()
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_where_an_exception_goes_nowhere_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOSES_INTERRUPTS], env=environ(), capture_output=True, timeout=60, check=False,
        preexec_fn=take_interrupts,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_another_error_that_goes_nowhere_is_told() -> None:
    told = LOSES_INTERRUPTS.replace("signal.raise_signal(signal.SIGINT)", "1 / 0").replace("time.sleep(60)", "pass")
    done = subprocess.run([sys.executable, "-c", told], env=environ(), capture_output=True, timeout=60, check=False)
    assert b"ZeroDivisionError" in done.stderr


def test_a_request_timeout_ends_the_waiting(silent: Path) -> None:
    done = seatpool("status", "--kubeconfig", silent, "--request-timeout", "100ms")
    assert done.returncode == 2
    assert "no answer from the API server" in one_line(done)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("status", "--request-timeout", "soon"), "--request-timeout"),
        (("status", "--time-zone", "Mars/North"), "--time-zone Mars/North"),
        (("status", "--as-group", "x"), "--as"),
        (("status", "--watch", "-o", "json"), "--watch"),
        (("status", "--context", "gone"), "gone"),
        (("demo", "--seats", "garbage"), "--seats"),
        (("demo", "--linger", "1h"), "--linger"),
        (("demo", "--speed", "3"), "--speed"),
        (("demo", "--hold", "--once"), "--hold"),
        (("demo", "--once", "--directory", "/dev/null/x"), "--directory"),
        (("demo", "--once", "--directory", __file__), "--directory"),
        (("plan", "--events", __file__, "--since", "2026-01-01"), "--since"),
        (("plan", "--events", __file__, "--recorded-linger", "1h"), "--recorded-linger"),
    ],
)
def test_an_option_that_is_wrong_or_has_no_meaning_is_named(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    done = seatpool(*arguments, KUBECONFIG=str(kubeconfig(tmp_path, "http://127.0.0.1:1")))
    assert done.returncode == 2
    assert named in one_line(done)


def test_ctrl_c_ends_a_long_query_at_once(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user,product,start,end\n" + "ann,cad,2026-01-01 08:00,2026-01-01 09:00\n" * 1)
    made = seatpool("history", "import", log, "--format", "csv", "--into", tmp_path / "history")
    assert made.returncode == 0, made.stderr
    tables = ", ".join(f"numbers {letter}" for letter in "abcdefghij")
    numbers = "with numbers as (select unnest([1,2,3,4,5,6,7,8,9,10,11,12]) n from sessions)"
    question = f"{numbers} select count(*) from {tables} where "
    question += " + ".join(f"{letter}.n" for letter in "abcdefghij") + " > 50"
    command = [*SEATPOOL, "sql", question, "--history", str(tmp_path / "history")]
    child = subprocess.Popen(
        command, env=environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=take_interrupts
    )
    try:
        time.sleep(5)
        assert child.poll() is None, "the query is too quick for this test"
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode in (130, -signal.SIGINT)
    assert (out, err) == (b"", b"")
