"""The commands of docs/web.md, run as they are written, against the API and a real API server."""

import json
import os
import subprocess
from typing import Any

import pytest
import yaml
from tests.integration.docs.pages import Block, blocks
from tests.integration.web.conftest import Site, allow
from tests.integration.web.test_keys import apply, until_phase
from tests.waiting import wait_until

from seatpool.sim import binaries

PAGE = [block for block in blocks("docs/web.md") if block.language in ("sh", "yaml")]
ASKING = next(block for block in PAGE if "create token portal" in block.text)
ASK, APPROVE, TAKE, USE = (block for block in PAGE if "/api/v1/keys" in block.text or "patch apikey" in block.text)
OBJECT = next(block for block in PAGE if "kind: APIKey" in block.text)


class Shell:
    """A reader's shell. What one block defines is there in the next."""

    def __init__(self, site: Site) -> None:
        self._site, self._before = site, ""
        self.names: dict[str, str] = {"SEATS": f"http://127.0.0.1:{site.server.port}"}

    def run(self, block: Block) -> list[Any]:
        """The JSON values that a block prints, one a line."""
        text = block.text.replace("--namespace lab", f"--namespace {self._site.namespace}")
        text = text.replace('"lab"', f'"{self._site.namespace}"').replace("/lab/", f"/{self._site.namespace}/")
        # A stream has no end, and curl prints no new line after an answer.
        script = 'curl() { command curl --max-time 5 -w "\\n" "$@" || [ $? = 28 ]; }\nset -eu\n' + self._before + text
        programs = binaries.find()
        assert programs is not None
        environ = {
            "PATH": os.pathsep.join((str(programs), os.environ["PATH"])), "KUBECONFIG": str(self._site.plane.kubeconfig),
            "HOME": "/nonexistent",
        } | self.names  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", script], env=environ, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self._before += "".join(f"{line}\n" for line in text.splitlines() if line.startswith(("ask()",)))
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def shell(site: Site) -> Shell:
    found = Shell(site)
    me, refused = found.run(ASKING)
    assert me["name"] == f"system:serviceaccount:{site.namespace}:portal"
    assert refused["status"] == 403
    return found


def test_a_key_is_asked_for_approved_taken_sent_and_revoked(site: Site, shell: Shell) -> None:
    allow(site.plane, site.namespace, "portal", "licensepools")
    site.tokens["portal"] = shell.names["TOKEN"] = site.new_token("portal")
    wait_until(lambda: site.get("/api/v1/pools", "portal").status == 200)
    asked, listed = shell.run(ASK)
    assert asked["item"]["phase"] == "Requested"
    assert [one["name"] for one in listed["items"]] == [asked["item"]["name"]]
    shell.names["NAME"] = asked["item"]["name"]
    shell.run(APPROVE)
    until_phase(site, asked["item"]["name"], "Approved")
    (taken,) = shell.run(TAKE)
    shell.names["KEY"] = taken["key"]
    pool, revoked = shell.run(USE)
    assert pool["pool"]["name"] == f"{site.namespace}/matlab"
    assert (revoked["phase"], revoked["reason"]) == ("Ended", "KeyRevoked")


def test_the_object_of_the_page_is_one_that_the_api_server_takes(site: Site) -> None:
    spec = yaml.safe_load(OBJECT.text)["spec"]
    apply(site, "lab-dashboard", **spec)
    until_phase(site, "lab-dashboard", "Requested")
