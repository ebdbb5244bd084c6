"""What license servers say may name users. Only callers who may see the names of all users there read it."""

import json
import secrets
from collections.abc import Iterator

import pytest
from tests.integration.cli.conftest import Board
from tests.integration.cli.test_deciding import guarded
from tests.integration.web.conftest import ALL, Site, allow
from tests.waiting import wait_until

PATHS = ("/admin", "/api/v1/status", "/stream?page=admin")
CALLERS = {
    "hosts": [("licenseservers", "here")],
    "hosts-and-pools": [("licenseservers,licensepools", "here")],
    "names-elsewhere": [("licenseservers", "here"), ("licensepools,seatledgers,workbenches", "there")],
    "names-without-ledgers": [("licenseservers,licensepools,workbenches", "here")],
    "sees-all": [(ALL, "here")],
}
"""Rights of callers: here, where the server is, and in another namespace."""


@pytest.fixture(scope="module")
def place(site: Site) -> Iterator[Site]:
    """A license server that holds back that u0 to u9 lose their seats, and callers who may list it."""
    plane, here = site.plane, f"held-{secrets.token_hex(3)}"
    plane.kubectl("create", "namespace", here)
    board = Board(plane, here)
    guarded(board)
    told = {
        "type": "Reachable", "status": "False", "reason": "ServerUnreachable", "message": "no answer about u7",
        "lastTransitionTime": board.ago(minutes=5),
    }  # fmt: skip
    patch = json.dumps([{"op": "replace", "path": "/status/conditions/1", "value": told}])
    plane.kubectl("patch", "licenseserver", "licenses", "-n", here, "--subresource=status", "--type=json", "-p", patch)
    for name, rights in CALLERS.items():
        plane.kubectl("create", "serviceaccount", name, "-n", site.namespace)
        for resources, where in rights:
            allow(plane, site.namespace, name, resources, where=here if where == "here" else site.other)
        site.tokens[name] = site.new_token(name)
        wait_until(lambda name=name: here in site.get("/api/v1/servers", name).text)  # type: ignore[misc]
    site.until("/api/v1/status", "sees-all", lambda found: "u7" in str(found))
    yield site
    plane.kubectl("delete", "seatpool", "--all", "-n", here)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("caller", CALLERS)
def test_details_of_servers_are_for_who_may_see_all_names_there(place: Site, caller: str, path: str) -> None:
    if path.startswith("/stream"):
        with place.stream(caller, path) as stream:
            told = str(stream.next("rows"))
    else:
        found = place.get(path, caller)
        assert found.status == 200, found.text
        told = found.text
    assert "licenses" in told
    assert ("u7" in told) == (caller == "sees-all")
