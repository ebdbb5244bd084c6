"""`status`, `why` and `who` ask the HTTP API with `--server`, and answer what they answer from the cluster itself."""

import http.server
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import trustme
from tests.integration.cli.conftest import Answered
from tests.integration.web.conftest import Site, start, web_settings
from tests.waiting import wait_until


@pytest.fixture
def seats(site: Site, tmp_path: Path) -> "Seats":
    return Seats(site, tmp_path)


class Seats:
    """The command line as callers of the API."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder

    def token_file(self, caller: str) -> str:
        file = self.folder / f"{caller}.token"
        file.write_text(f"{self.site.tokens[caller]}\n")
        return str(file)

    def api(self, caller: str, *words: str, url: str | None = None) -> Answered:
        url = url or f"http://127.0.0.1:{self.site.server.port}"
        return self.site.board.ask(*words, "--server", url, "--token-file", self.token_file(caller), here=False)

    def cluster(self, *words: str) -> Answered:
        return self.site.board.ask(*words, here=False)


def without_now(text: str) -> list[str]:
    """The lines, without where was looked, and with the moment of the answer marked. Nothing else has parts of a second."""
    lines = [line for line in text.splitlines() if not line.startswith("Looked at ")]
    return [re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "NOW", line) for line in lines]


@pytest.mark.parametrize("form", ["json", "yaml", "table", "wide"])
@pytest.mark.parametrize(
    "words", [["status", "-n", "{}"], ["who", "{}/matlab"], ["why", "bob"], ["why", "ann"], ["why", "carl", "-p", "{}/matlab"]],
    ids=" ".join,
)  # fmt: skip
def test_an_admin_sees_through_the_api_what_is_in_the_cluster(seats: Seats, words: Sequence[str], form: str) -> None:
    words = [one.format(seats.site.namespace) for one in words] + ["-o", form, "--time-zone", "Europe/Berlin"]
    if "-n" not in words and words[0] != "who":
        words += ["-n", seats.site.namespace]
    there = words if words[0] != "who" else [*words, "-n", seats.site.namespace]

    def same() -> bool:
        over_api, direct = seats.api("admin", *there), seats.cluster(*there)
        return (without_now(over_api.stdout), over_api.code) == (without_now(direct.stdout), direct.code)

    wait_until(same)


def test_a_caller_without_rights_sees_the_own_seat_and_nothing_else(seats: Seats) -> None:
    own = seats.api("bob", "why", "bob", "-o", "json")
    assert own.code == 1, "bob waits"
    assert json.loads(own.stdout)["pools"][0]["phase"] == "Waiting"
    assert "carl" not in own.stdout
    for words in (["why", "ann"], ["status"], ["who", f"{seats.site.namespace}/matlab"], ["who", "matlab"]):
        refused = seats.api("bob", *words)
        assert (refused.code, refused.stdout) == (2, "")
        assert refused.stderr.count("\n") == 1
        assert "refused: You may not do this: You need the right to" in refused.stderr


def test_one_who_sees_numbers_gets_the_same_screen_without_names(seats: Seats) -> None:
    found = seats.api("numbers", "who", f"{seats.site.namespace}/matlab")
    assert found.code == 0
    assert "another user" in found.stdout
    assert "carl" not in found.stdout
    assert "3 of 3 seats used, 1 waiting" in found.stdout
    status = seats.api("numbers", "status").stdout
    assert f"{seats.site.namespace}/matlab" in status
    assert seats.site.other not in status


def test_a_pool_is_found_by_its_name_alone(seats: Seats) -> None:
    namespace = seats.site.namespace
    several = seats.api("admin", "who", "matlab", "-o", "json")
    assert {f"{namespace}/matlab", f"{seats.site.other}/matlab"} <= {one["pool"] for one in json.loads(several.stdout)}
    one = seats.api("numbers", "who", "matlab", "-n", namespace, "-o", "json")
    assert json.loads(one.stdout)["pool"] == f"{namespace}/matlab"
    for words in (["matlap"], ["matlap", "-n", namespace], [f"{namespace}/matlap"]):
        found = seats.api("admin", "who", *words)
        assert (found.code, found.stdout) == (2, "")
        assert "there is no LicensePool" in found.stderr.replace("There", "there")
    assert "did you mean matlab" in seats.api("admin", "who", "matlap").stderr


def test_a_token_may_come_from_the_environment_or_from_a_credential_plugin(
    seats: Seats, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{seats.site.server.port}"
    monkeypatch.setenv("SEATPOOL_TOKEN", seats.site.tokens["admin"])
    words = ["who", f"{seats.site.namespace}/matlab", "--server", url, "-o", "json"]
    assert seats.cluster(*words).code == 0
    monkeypatch.delenv("SEATPOOL_TOKEN")
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": seats.site.tokens["admin"]},
    }  # fmt: skip
    plugin = tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(credential)}\nEND\n")
    plugin.chmod(0o755)
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    kubeconfig = {
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "none", "user": "me"}}],
        "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "me", "user": {"exec": run}}],
    }  # fmt: skip
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(kubeconfig))
    found = seats.cluster(*words, "--kubeconfig", str(file))
    assert found.code == 0, found.stderr
    assert len(json.loads(found.stdout)["holders"]) == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["status", "--server", "http://seats.example.com"], "a token is sent by HTTPS only"),
        (["status", "--server", "seats.example.com"], "write an address such as https://"),
        (["status", "--server", "https://u:p@seats.example.com"], "write an address such as https://"),
        (["status", "--server", "http://127.0.0.1:9"], "no answer from http://127.0.0.1:9"),
        (["status", "--token-file", "/none"], "--token-file is for the HTTP API"),
        (["status", "--server", "http://127.0.0.1:9", "--token-file", "/none"], "--token-file /none: No such file"),
        (["status", "--server", "http://127.0.0.1:9", "--as", "ann"], "--as has no effect with --server"),
        (["why", "ann", "--server", "https://localhost:9", "--server-ca", "/none"], "--server-ca /none"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_is_one_sentence(
    seats: Seats, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    monkeypatch.setenv("SEATPOOL_TOKEN", "abc")
    found = seats.cluster(*words)
    assert (found.code, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1
    assert told in found.stderr, found.stderr


def test_a_token_that_is_not_accepted_is_one_sentence_and_is_not_shown(seats: Seats) -> None:
    found = seats.api("wrong-audience", "status")
    assert (found.code, found.stdout) == (2, "")
    assert "The token is not accepted" in found.stderr
    assert seats.site.tokens["wrong-audience"] not in found.stderr


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """What is no Seatpool: answers by path."""

    seen: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/trap")  # type: ignore[attr-defined]
            self.end_headers()
            return
        body = b"<html>\x1b[31m" if self.path.startswith("/html") else b'{"servers": [{"name": "x\\u001b]0;y"}]}'
        self.send_response(502 if self.path.startswith("/html") else 200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body[:5])  # an answer may come in pieces
        self.wfile.flush()
        time.sleep(0.1)
        self.wfile.write(body[5:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_another_service_is_told_from_the_api_and_gets_the_token_once(seats: Seats, elsewhere: str) -> None:
    for path, told in (
        ("/moved", "sends callers elsewhere (302)"),
        ("/html", "answered 502, and not as the HTTP API does"),
        ("/other", "gave an answer that this version cannot read: field"),
    ):
        found = seats.api("admin", "status", url=elsewhere + path)
        assert (found.code, found.stdout) == (2, "")
        assert told in found.stderr, found.stderr
        assert "\x1b" not in found.stderr
    assert not any(path.startswith("/trap") for path in Elsewhere.seen)


def test_https_is_verified_by_the_ca_that_is_named(seats: Seats, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    site = seats.site
    settings = web_settings(
        site.plane, site.namespace, tls_cert_file=tmp_path / "cert.pem", tls_key_file=tmp_path / "key.pem"
    )
    server, _, stop = start(settings)
    url, words = f"https://127.0.0.1:{server.port}", ["who", f"{site.namespace}/matlab", "-o", "json"]
    trusted = [*words, "--server-ca", str(tmp_path / "ca.pem")]
    try:
        assert ssl.OPENSSL_VERSION
        refused = seats.api("admin", *words, url=url)
        assert refused.code == 2
        assert "is not trusted" in refused.stderr
        assert "--server-ca" in refused.stderr
        wait_until(lambda: seats.api("admin", *trusted, url=url).code == 0)
    finally:
        stop()
